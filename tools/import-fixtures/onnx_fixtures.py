#!/usr/bin/env python3
"""Writes compute/import/tests/fixtures/onnx: small ONNX graphs with random weights, and what onnxruntime computes with
them. Nothing is downloaded; the graphs and weights are ours, made by the seeds below.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime safetensors numpy
    venv/bin/python tools/import-fixtures/onnx_fixtures.py
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2] / "compute/import/tests/fixtures/onnx"
RANDOM = np.random.default_rng(7)
TYPES = {np.dtype("float32"): TensorProto.FLOAT, np.dtype("int64"): TensorProto.INT64}


def normal(*shape, scale=1.0):
    return (RANDOM.standard_normal(shape) * scale).astype(np.float32)


def save(name, nodes, weights, inputs, outputs, opset=17):
    ports = lambda arrays: [helper.make_tensor_value_info(n, TYPES[a.dtype], a.shape) for n, a in arrays.items()]
    initial = [w if isinstance(w, TensorProto) else numpy_helper.from_array(w, n) for n, w in weights.items()]
    out = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()]
    graph = helper.make_graph(nodes, name, ports(inputs), out, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, ROOT / f"{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    results = session.run(None, inputs)
    matrix = lambda a: np.ascontiguousarray(a.reshape(-1, a.shape[-1] if a.ndim else 1))
    expected = {f"in:{n}": matrix(a) for n, a in inputs.items()}
    expected |= {f"out:{i}": matrix(a) for i, a in enumerate(results)}
    save_file(expected, ROOT / f"{name}.safetensors")
    print(f"{name}: {len(nodes)} nodes, |output| <= {max(np.abs(a).max() for a in results):.2f}")


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def classifier():
    """Gemm in all its forms, Relu, Softmax."""
    weights = {
        "w1": normal(9, 6, scale=0.4), "b1": normal(9, scale=0.3), "w2": normal(9, 7, scale=0.4),
        "b2": normal(5, 1, scale=0.3), "w3": normal(4, 7, scale=0.6),
    }
    nodes = [
        node("Gemm", "x w1 b1", "h1", transB=1),
        node("Relu", "h1", "r1"),
        node("Gemm", "r1 w2 b2", "h2", alpha=0.5, beta=2.0),
        node("Dropout", "h2", "d2"),
        node("Tanh", "d2", "r2"),
        node("Gemm", "w3 r2", "scores", transB=1),
        node("Transpose", "scores", "turned", perm=[1, 0]),
        node("Softmax", "turned", "y", axis=1),
    ]
    save("classifier", nodes, weights, {"x": normal(5, 6)}, {"y": (5, 4)}, opset=12)


def encoder():
    """One layer of attention and feed-forward as exporters write it: fused names, integer shapes, a broadcast mask."""
    batch, length, heads, width, head = 2, 7, 3, 24, 8
    ids = RANDOM.integers(0, 30, (batch, length))
    mask = np.ones((batch, length), np.int64)
    mask[1, 4:] = 0
    ints = lambda *values: np.array(values, np.int64)
    weights = {
        "words": normal(30, width), "places": normal(1, length, width, scale=0.5), "place_ids": np.arange(length),
        "qkv.w": normal(width, 3 * width, scale=0.3), "qkv.b": normal(3 * width, scale=0.1),
        "out.w": normal(width, width, scale=0.3).astype(np.float16), "n.w": 1 + normal(width, scale=0.1),
        "n.b": normal(width, scale=0.1), "up.w": normal(width, 40, scale=0.3), "down.w": normal(40, width, scale=0.2),
        "split": ints(batch, length, heads, head), "joined": ints(0, 0, -1), "axes": ints(1, 2), "one": np.float32(1),
        "low": np.float32(-10000), "scale": np.float32(head ** 0.5), "two": np.float32(2 ** 0.5), "half": np.float32(0.5),
        "first": np.array(0), "two_of_power": np.float32(2), "tiny": np.float32(1e-5), "minus": ints(-1),
    }
    nodes = [
        node("Gather", "words ids", "word"),
        node("Add", "word places", "x"),
        node("Unsqueeze", "mask axes", "mask4"),
        node("Cast", "mask4", "mask_f", to=TensorProto.FLOAT),
        node("Sub", "one mask_f", "off"),
        node("Mul", "off low", "added"),
        node("MatMul", "x qkv.w", "qkv0"),
        node("Add", "qkv0 qkv.b", "qkv1"),
        node("Split", "qkv1", "q0 k0 v0", axis=2),
        node("Reshape", "q0 split", "q1"), node("Transpose", "q1", "q", perm=[0, 2, 1, 3]),
        node("Reshape", "k0 split", "k1"), node("Transpose", "k1", "k", perm=[0, 2, 3, 1]),
        node("Reshape", "v0 split", "v1"), node("Transpose", "v1", "v", perm=[0, 2, 1, 3]),
        node("MatMul", "q k", "s0"), node("Div", "s0 scale", "s1"), node("Add", "s1 added", "s2"),
        node("Softmax", "s2", "shares", axis=-1), node("MatMul", "shares v", "m0"),
        node("Transpose", "m0", "m1", perm=[0, 2, 1, 3]), node("Reshape", "m1 joined", "m2"),
        node("Cast", "out.w", "out.wide", to=TensorProto.FLOAT),
        node("MatMul", "m2 out.wide", "m3"), node("Add", "x m3", "x1"),
        node("LayerNormalization", "x1 n.w n.b", "x2", axis=-1, epsilon=1e-6),
        node("MatMul", "x2 up.w", "u0"),
        node("Div", "u0 two", "u1"), node("Erf", "u1", "u2"), node("Add", "u2 one", "u3"), node("Mul", "u0 u3", "u4"),
        node("Mul", "u4 half", "u5"),
        node("MatMul", "u5 down.w", "d0"), node("Add", "x2 d0", "x3"),
        # The same norm as exporters wrote it before there was an operator.
        node("ReduceMean", "x3", "mean", axes=[-1], keepdims=1), node("Sub", "x3 mean", "c"),
        node("Pow", "c two_of_power", "c2"), node("ReduceMean", "c2", "var", axes=[-1], keepdims=1),
        node("Add", "var tiny", "var1"), node("Sqrt", "var1", "dev"), node("Div", "c dev", "y"),
        node("Gather", "y first", "pooled", axis=1),
    ]
    save("encoder", nodes, weights, {"ids": ids, "mask": mask}, {"y": (batch, length, width), "pooled": (batch, width)})


def operators():
    """The remaining operators, each on odd shapes, in separate outputs."""
    ints = lambda *values: np.array(values, np.int64)
    packed = helper.make_tensor("packed", TensorProto.FLOAT, [3, 1], [0.5, -1.5, 2.0])
    halves = helper.make_tensor("halves", TensorProto.BFLOAT16, [5], [1.0, -2.0, 0.5, 3.0, 0.25])
    weights = {
        "packed": packed, "halves": halves, "table": normal(2, 3, 5), "bound": np.float32(0.1), "shape": ints(5, -1),
        "axes": ints(0), "starts": ints(-1, 1), "ends": ints(-9, 4), "slice_axes": ints(1, 2), "steps": ints(-2, 1),
        "ids": ints(1, -1, 0), "third": np.float32(3), "axis2": ints(2), "sizes": ints(1, 4),
    }
    outputs, nodes = {}, []

    def out(op, inputs, name, shape, **attributes):
        nodes.append(node(op, inputs, name, **attributes))
        outputs[name] = shape

    out("Sigmoid", "x", "sigmoid", (2, 3, 5))
    out("Exp", "x", "exp", (2, 3, 5))
    nodes.append(node("Abs", "x", "abs"))
    nodes.append(node("Max", "abs bound", "positive"))
    out("Log", "positive", "log", (2, 3, 5))
    out("Reciprocal", "positive", "reciprocal", (2, 3, 5))
    out("Neg", "x", "neg", (2, 3, 5))
    out("Min", "x packed", "min", (2, 3, 5))
    nodes.append(node("Cast", "halves", "wide", to=TensorProto.FLOAT))
    out("Mul", "x wide", "bf16", (2, 3, 5))
    out("Gelu", "x", "gelu", (2, 3, 5))
    out("Gelu", "x", "gelu_tanh", (2, 3, 5), approximate="tanh")
    out("Erf", "x", "erf", (2, 3, 5))
    out("Pow", "x third", "cube", (2, 3, 5))
    out("LogSoftmax", "x", "logsoftmax", (2, 3, 5))
    out("ReduceSum", "x axes", "sum_first", (3, 5), keepdims=0)
    out("ReduceMax", "x axis2", "max_last", (2, 3), keepdims=0)
    out("ReduceMean", "x", "mean_all", (1, 1, 1))
    out("Reshape", "x shape", "reshape", (5, 6))
    out("Flatten", "x", "flatten", (6, 5), axis=2)
    out("Transpose", "x", "transpose", (2, 5, 3), perm=[0, 2, 1])
    out("Transpose", "table", "table_turned", (5, 2, 3), perm=[2, 0, 1])
    out("Slice", "x starts ends slice_axes steps", "slice", (2, 2, 3))
    out("Gather", "x ids", "gather", (2, 3, 3), axis=2)
    nodes.append(node("Split", "x sizes", "left right", axis=2))
    out("Concat", "right left", "concat", (2, 3, 5), axis=2)
    nodes.append(node("Transpose", "x", "turned", perm=[0, 2, 1]))
    out("MatMul", "turned x", "gram", (2, 5, 5))
    nodes.append(node("Shape", "x", "sizes_of_x", start=1))
    nodes.append(node("Concat", "minus sizes_of_x", "sizes_again", axis=0))
    nodes.append(node("Constant", "", "minus", value_ints=[-1]))
    nodes.insert(-2, nodes.pop())
    nodes.append(node("Reshape", "table sizes_again", "table_again"))
    out("Sub", "x table_again", "difference", (2, 3, 5))
    save("operators", nodes, weights, {"x": normal(2, 3, 5)}, outputs, opset=20)


ROOT.mkdir(parents=True, exist_ok=True)
classifier()
encoder()
operators()
