#!/usr/bin/env python3
"""Writes known image classifiers with random weights as ONNX files into a folder, with images and what onnxruntime computes
for them, and prints its images a second of processor time. Only torchvision's architectures are taken, no weights are fetched.

    python3 -m venv venv && venv/bin/pip install torch torchvision onnx onnxruntime safetensors
    venv/bin/python tools/import-fixtures/onnx_image_bench.py FOLDER [resnet18 mobilenet_v2 ...]
"""

import pathlib
import sys
import time

import numpy as np
import onnxruntime
import torch
import torchvision
from safetensors.numpy import save_file

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
IMAGES, BATCH = 8, 8
for name in sys.argv[2:] or ["resnet18", "mobilenet_v2"]:
    torch.manual_seed(5)
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    model = torchvision.models.get_model(name, weights=None, **options).eval()
    side = 299 if name == "inception_v3" else 224
    x = torch.randn(IMAGES, 3, side, side)
    with torch.no_grad():
        # Means and variances of these images, so that activations keep their size as in a trained network.
        for part in model.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = 1.0
                part.train()
        model(x)
        model.eval()
    path = folder / f"{name}.onnx"
    torch.onnx.export(model, (x,), path, opset_version=17, input_names=["x"], dynamo=False, dynamic_axes={"x": {0: "n"}})
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    given = {"x": x.numpy()}
    (scores,) = session.run(None, given)
    times = []
    for _ in range(7):
        begin = time.process_time()
        session.run(None, given)
        times.append(time.process_time() - begin)
    save_file(
        {"in:x": x.numpy().reshape(-1, side), "out:0": scores, "images": np.zeros(IMAGES, np.float32)},
        path.with_suffix(".safetensors"),
    )
    print(f"{name}: onnxruntime {IMAGES / min(times):.2f} images a second of processor time, one thread, {IMAGES} at a time")
