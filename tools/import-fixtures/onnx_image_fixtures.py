#!/usr/bin/env python3
"""Writes compute/import/tests/fixtures/onnx/images-*: small convolutional networks with random weights, some as PyTorch's
exporters write them, and what onnxruntime computes with them. Nothing is downloaded; architectures and weights are ours, made
by the seeds below.

    python3 -m venv venv && venv/bin/pip install torch onnx onnxscript onnxruntime safetensors numpy
    venv/bin/python tools/import-fixtures/onnx_image_fixtures.py
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2] / "compute/import/tests/fixtures/onnx"
RANDOM = np.random.default_rng(11)
TYPES = {np.dtype("float32"): TensorProto.FLOAT, np.dtype("int64"): TensorProto.INT64}


def normal(*shape, scale=1.0):
    return (RANDOM.standard_normal(shape) * scale).astype(np.float32)


def record(name, path, inputs):
    """Runs a file and keeps inputs and outputs beside it."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    results = session.run(None, inputs)
    matrix = lambda a: np.ascontiguousarray(a.reshape(-1, a.shape[-1]))
    expected = {f"in:{n}": matrix(a) for n, a in inputs.items()} | {f"out:{i}": matrix(a) for i, a in enumerate(results)}
    save_file(expected, ROOT / f"{name}.safetensors")
    print(f"{name}: {path.stat().st_size} bytes, |output| <= {max(np.abs(a).max() for a in results):.2f}")


def save(name, nodes, weights, inputs, outputs, opset=18):
    """A graph made by hand. The shapes of outputs are those that ONNX infers."""
    ports = [helper.make_tensor_value_info(n, TYPES[a.dtype], a.shape) for n, a in inputs.items()]
    initial = [numpy_helper.from_array(w, n) for n, w in weights.items()]
    out = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs]
    graph = helper.make_graph(nodes, name, ports, out, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    del model.graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    path = ROOT / f"images-{name}.onnx"
    onnx.save(model, path)
    record(f"images-{name}", path, inputs)


def node(op, inputs, outputs, **attributes):
    # A dot stands for an input that is left out.
    return helper.make_node(op, [n if n != "." else "" for n in inputs.split()], outputs.split(), **attributes)


def operators():
    """Every operator on images in its forms, on odd sizes."""
    ints = lambda *values: np.array(values, np.int64)
    one = lambda value: np.float32(value)
    x, line, wide = normal(2, 6, 9, 7, scale=0.5), normal(2, 4, 11, scale=0.5), normal(2, 16, 5, 6, scale=0.5)
    weights = {
        "w": normal(5, 6, 3, 3, scale=0.2), "b": normal(5, scale=0.2), "w35": normal(4, 6, 3, 5, scale=0.15),
        "w1": normal(7, 6, 1, 1, scale=0.3), "wd": normal(6, 1, 3, 3, scale=0.3), "bd": normal(6, scale=0.2),
        "wm": normal(12, 1, 3, 3, scale=0.3), "wg": normal(8, 3, 3, 3, scale=0.2), "wl": normal(5, 4, 3, scale=0.3),
        "w16": normal(32, 8, 3, 3, scale=0.15), "b16": normal(32, scale=0.2), "w16d": normal(16, 1, 5, 5, scale=0.15),
        "gamma": 1 + normal(6, scale=0.2), "beta": normal(6, scale=0.2), "mean": normal(6, scale=0.2),
        "var": np.abs(normal(6)) + np.float32(0.5), "lo": one(-0.25), "hi": one(0.5),
        "slopes": normal(6, 1, 1, scale=0.3), "pads": ints(0, 0, 1, 2, 0, 0, 3, 0), "two_axes": ints(2, 3),
        "two_pads": ints(1, 2, 2, 1), "number": one(0.75), "channel_pads": ints(0, 1, 0, 0, 0, 2, 0, 0),
        "starts": ints(1, 0), "ends": ints(9, 4), "steps": ints(2, 1), "slice_axes": ints(2, 1), "per_pixel": normal(1, 5, 9, 7),
        "parts": ints(2, 3), "per_channel": normal(1, 6, 1, 1), "flat": ints(2, -1), "fc": normal(5 * 63, 3, scale=0.05),
    }
    nodes, outputs = [], []

    def out(op, inputs, name, **attributes):
        nodes.append(node(op, inputs, name, **attributes))
        outputs.append(name)

    out("Conv", "x w b", "conv")
    out("Conv", "x w b", "conv_same", pads=[1, 1, 1, 1])
    out("Conv", "x w", "conv_strided", pads=[1, 1, 1, 1], strides=[2, 2])
    out("Conv", "x w b", "conv_upper", auto_pad="SAME_UPPER", strides=[2, 2])
    out("Conv", "x w b", "conv_lower", auto_pad="SAME_LOWER", strides=[2, 2])
    out("Conv", "x w b", "conv_valid", auto_pad="VALID", kernel_shape=[3, 3])
    out("Conv", "x w b", "conv_dilated", dilations=[2, 3], pads=[2, 3, 2, 3])
    out("Conv", "x w35", "conv_uneven", pads=[0, 2, 1, 3], strides=[2, 1])
    out("Conv", "x w1", "conv_1x1")
    out("Conv", "x w1", "conv_1x1_strided", strides=[3, 2])
    out("Conv", "x wd bd", "depthwise", group=6, pads=[1, 1, 1, 1])
    out("Conv", "x wm", "depthwise_twice", group=6, pads=[1, 1, 1, 1], strides=[2, 2])
    out("Conv", "x wg", "groups_narrow", group=2, pads=[1, 1, 1, 1])
    out("Conv", "wide w16 b16", "groups", group=2, pads=[1, 1, 1, 1])
    out("Conv", "wide w16d", "depthwise_5x5", group=16, pads=[2, 2, 2, 2], strides=[2, 2])
    out("Conv", "line wl", "conv_1d", pads=[1, 1], strides=[2])
    out("MaxPool", "x", "max", kernel_shape=[2, 2], strides=[2, 2])
    out("MaxPool", "x", "max_padded", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    out("MaxPool", "x", "max_ceil", kernel_shape=[2, 3], strides=[2, 2], ceil_mode=1)
    out("MaxPool", "x", "max_upper", kernel_shape=[3, 2], strides=[2, 3], auto_pad="SAME_UPPER")
    out("MaxPool", "x", "max_dilated", kernel_shape=[2, 2], dilations=[3, 2], pads=[1, 1, 1, 1])
    out("MaxPool", "line", "max_1d", kernel_shape=[3], strides=[2], pads=[1, 1])
    nodes.append(node("Relu", "x", "relu"))
    out("MaxPool", "relu", "max_of_relu", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    out("AveragePool", "x", "average", kernel_shape=[2, 3], strides=[2, 1])
    out("AveragePool", "x", "average_padded", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    out("AveragePool", "x", "average_all", kernel_shape=[3, 3], pads=[1, 0, 2, 1], count_include_pad=1)
    out("AveragePool", "x", "average_ceil", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    out("AveragePool", "x", "average_whole", kernel_shape=[9, 7])
    out("GlobalAveragePool", "x", "global_average")
    out("GlobalMaxPool", "x", "global_max")
    out("BatchNormalization", "x gamma beta mean var", "norm", epsilon=1e-3)
    out("Clip", "x lo hi", "clip")
    out("Clip", "x . hi", "clip_above")
    out("LeakyRelu", "x", "leaky", alpha=0.2)
    out("PRelu", "x slopes", "prelu")
    out("HardSigmoid", "x", "hard_sigmoid", alpha=0.3, beta=0.4)
    out("HardSwish", "x", "hard_swish")
    out("Pad", "x pads", "padded")
    out("Pad", "x two_pads number two_axes", "padded_number")
    out("Pad", "x two_pads . two_axes", "padded_edge", mode="edge")
    out("Pad", "x two_pads . two_axes", "padded_reflect", mode="reflect")
    out("Pad", "conv_same channel_pads", "padded_channels")
    out("ReduceMean", "conv_same two_axes", "mean_of_pixels", keepdims=0)
    out("ReduceMax", "conv_same two_axes", "largest")
    out("Concat", "conv_same relu norm", "concat", axis=1)
    out("Slice", "conv_same starts ends slice_axes steps", "slice")
    out("Transpose", "conv_same", "last", perm=[0, 2, 3, 1])
    out("Transpose", "last", "first", perm=[0, 3, 1, 2])
    out("Add", "conv_same per_pixel", "added")
    out("Mul", "norm per_channel", "scaled")
    nodes.append(node("Sigmoid", "global_average", "gate"))
    out("Mul", "norm gate", "gated")
    out("Add", "norm x", "mixed")
    nodes.append(node("Split", "conv_same parts", "left right", axis=1))
    out("Concat", "right left", "exchanged", axis=1)
    out("Softmax", "conv_same", "shares", axis=1)
    nodes.append(node("Reshape", "conv_same flat", "rows"))
    out("MatMul", "rows fc", "scores")
    save("operators", nodes, weights, {"x": x, "line": line, "wide": wide}, outputs)


def last_channels():
    """As converters from frameworks with channels last write it: orders turned around convolutions, uneven padding."""
    ints = lambda *values: np.array(values, np.int64)
    weights = {
        "stem": normal(8, 3, 3, 3, scale=0.3), "stem.b": normal(8, scale=0.1), "depth": normal(8, 1, 3, 3, scale=0.4),
        "depth.b": normal(8, scale=0.1), "point": normal(12, 8, 1, 1, scale=0.4), "point.b": normal(12, scale=0.1),
        "shape": ints(-1, 4 * 4 * 12), "fc": normal(4 * 4 * 12, 10, scale=0.15), "fc.b": normal(10, scale=0.1),
        "zero": np.float32(0), "six": np.float32(6),
    }
    nodes = [
        node("Transpose", "image", "x", perm=[0, 3, 1, 2]),
        node("Conv", "x stem stem.b", "c1", auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3]),
        node("Clip", "c1 zero six", "r1"),
        node("Conv", "r1 depth depth.b", "c2", pads=[0, 0, 1, 1], strides=[2, 2], group=8),
        node("Clip", "c2 zero six", "r2"),
        node("Conv", "r2 point point.b", "c3"),
        node("Relu", "c3", "r3"),
        node("Transpose", "r3", "turned", perm=[0, 2, 3, 1]),
        node("Reshape", "turned shape", "rows"),
        node("MatMul", "rows fc", "products"),
        node("Add", "products fc.b", "scores"),
        node("Softmax", "scores", "y", axis=-1),
    ]
    save("last-channels", nodes, weights, {"image": normal(2, 16, 16, 3)}, ["y"], opset=13)


class Lenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 10, 5), nn.Tanh(), nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(90, 24), nn.Tanh(), nn.Linear(24, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


class Block(nn.Module):
    """Two convolutions around which the input goes, by a convolution of its own where the size changes."""

    def __init__(self, channels, out, stride):
        super().__init__()
        norm = lambda: nn.BatchNorm2d(out)
        self.body = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, 1, bias=False), norm(), nn.ReLU(), nn.Conv2d(out, out, 3, 1, 1, bias=False), norm(),
        )
        same = channels == out and stride == 1
        self.around = nn.Identity() if same else nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), norm())

    def forward(self, x):
        return torch.relu(self.body(x) + self.around(x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2))
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.fc(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))


class Mobile(nn.Module):
    """Depthwise convolutions between pointwise ones, and channels weighed by the image's own means."""

    def __init__(self):
        super().__init__()
        layer = lambda a, b, k, s, g, f: nn.Sequential(nn.Conv2d(a, b, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(b), f)
        self.stem = layer(3, 8, 3, 2, 1, nn.Hardswish())
        self.up, self.depth = layer(8, 24, 1, 1, 1, nn.ReLU6()), layer(24, 24, 3, 1, 24, nn.ReLU6())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(24, 6, 1), nn.ReLU(), nn.Conv2d(6, 24, 1), nn.Hardsigmoid())
        self.down = layer(24, 8, 1, 1, 1, nn.Identity())
        self.head = layer(8, 20, 1, 1, 1, nn.PReLU(20))
        self.fc = nn.Linear(20, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.depth(self.up(x))
        x = x + self.down(y * self.gate(y))
        return self.fc(self.head(x).mean([2, 3]))


def export(name, module, shape, opset, dynamo):
    module.eval()
    with torch.no_grad():
        # Running means and variances as after training.
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.2), part.running_var.uniform_(0.5, 2), part.weight.uniform_(0.5, 1.5)
                part.bias.normal_(0, 0.2)
    path = ROOT / f"images-{name}.onnx"
    x = torch.randn(shape)
    options = {"dynamo": True, "external_data": False} if dynamo else {"dynamo": False, "dynamic_axes": {"x": {0: "n"}}}
    if name == "residual-norms":
        # Norms as nodes of their own.
        options |= {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    torch.onnx.export(module, (x,), path, opset_version=opset, input_names=["x"], verbose=False, **options)
    model = onnx.load(path)
    for each in model.graph.node:
        del each.metadata_props[:]
        each.ClearField("doc_string")
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, path)
    print(sorted({each.op_type for each in model.graph.node}))
    record(f"images-{name}", path, {"x": x.numpy()})


ROOT.mkdir(parents=True, exist_ok=True)
torch.manual_seed(12)
operators()
last_channels()
export("lenet", Lenet(), (3, 1, 20, 20), 11, False)
export("residual", Residual(), (2, 3, 32, 32), 18, True)
export("residual-norms", Residual(), (2, 3, 32, 32), 13, False)
export("mobile", Mobile(), (2, 3, 24, 24), 17, False)
