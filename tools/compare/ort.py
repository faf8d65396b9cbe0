"""onnxruntime's side: the nets of `net.py` exported to ONNX, and a plain int8 product."""
import os
import tempfile

import numpy
import onnxruntime


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Between two runs it must not spin on a processor that somebody else is measured on.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def product(n, path):
    from onnx import TensorProto, helper, save
    a, b = (helper.make_tensor_value_info(name, kind, [n, n]) for name, kind in (("a", TensorProto.UINT8), ("b", TensorProto.INT8)))
    c = helper.make_tensor_value_info("c", TensorProto.INT32, [n, n])
    graph = helper.make_graph([helper.make_node("MatMulInteger", ["a", "b"], ["c"])], "product", [a, b], [c])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def onnx_run(kind, at):
    version = f"onnxruntime-{onnxruntime.__version__}"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.onnx")
        if kind == "int8":
            n = at["n"]
            product(n, path)
            draw = numpy.random.default_rng(0)
            feed = {"a": draw.integers(0, 256, (n, n), numpy.uint8), "b": draw.integers(-128, 128, (n, n), numpy.int8)}
            on = session(path, at["threads"])
        else:
            import net
            import torch
            torch.manual_seed(0)
            model, ids = net.Transformer(at, encode=kind == "encode-onnx").eval(), net.draw(at)
            torch.onnx.export(model, (ids,), path, input_names=["ids"], opset_version=17, dynamo=False)
            if at.get("int8"):
                from onnxruntime.quantization import QuantType, quantize_dynamic
                quantised = os.path.join(folder, "int8.onnx")
                quantize_dynamic(path, quantised, weight_type=QuantType.QInt8, per_channel=True)
                path = quantised
            feed = {"ids": ids.numpy()}
            on = session(path, at["threads"])
    return version, lambda: on.run(None, feed)
