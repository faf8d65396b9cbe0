#!/usr/bin/env python3
"""Writes compute/import/tests/fixtures/onnx/torch-*: the tiny models of transformers_fixtures.py as PyTorch's exporter
writes them, and what onnxruntime computes. Run transformers_fixtures.py first.

    python3 -m venv venv && venv/bin/pip install torch transformers onnx onnxscript onnxruntime safetensors
    venv/bin/python tools/import-fixtures/torch_onnx_fixtures.py
"""

import pathlib

import onnx
import onnxruntime
import torch
import transformers as hf
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2] / "compute/import/tests/fixtures"


class Logits(torch.nn.Module):
    def __init__(self, model, **options):
        super().__init__()
        self.model, self.options = model, options

    def forward(self, ids, mask=None):
        return self.model(ids, attention_mask=mask, **self.options).logits


def save(name, module, ids, mask=None):
    path = ROOT / f"onnx/torch-{name}.onnx"
    inputs = (ids,) if mask is None else (ids, mask)
    torch.onnx.export(module, inputs, path, dynamo=True, opset_version=18, external_data=False, verbose=False)
    model = onnx.load(path)
    # The exporter's notes on where each node comes from are most of the file.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {port.name: tensor.numpy() for port, tensor in zip(session.get_inputs(), inputs)}
    (result,) = session.run(None, given)
    expected = {f"in:{name}": array for name, array in given.items()} | {"out:0": result.reshape(-1, result.shape[-1])}
    save_file(expected, ROOT / f"onnx/torch-{name}.safetensors")
    print(f"{name}: {len(model.graph.node)} nodes, |output| <= {abs(result).max():.2f}")


ids = torch.randint(0, 80, (2, 9), generator=torch.Generator().manual_seed(6))
mask = torch.ones(2, 9, dtype=torch.int64)
mask[1, 5:] = 0
load = lambda family, folder: family.from_pretrained(ROOT / folder, attn_implementation="eager").eval()
save("gpt2", Logits(load(hf.GPT2LMHeadModel, "gpt2"), use_cache=False), ids)
save("bert", Logits(load(hf.BertForSequenceClassification, "bert-classes")), ids, mask)
