#!/usr/bin/env python3
"""Writes compute/import/tests/fixtures: tiny models with random weights, saved by `transformers`, and what PyTorch
computes with them. Nothing is downloaded; the weights are ours, made by the seeds below.

    python3 -m venv venv && venv/bin/pip install torch transformers tokenizers
    venv/bin/python tools/import-fixtures/transformers_fixtures.py
"""

import json
import pathlib
import shutil

import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).resolve().parents[2] / "compute/import/tests/fixtures"
VOCABULARY, CONTEXT, BATCH = 80, 24, 3


def spread(model, seed):
    """Weights large enough that every layer matters in the output, biases and gains included."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape) * (1.2 / max(weight.shape[-1], 8) ** 0.5 if weight.dim() > 1 else 0.2)
            gain = weight.dim() == 1 and "norm" in name.lower().replace("ln_", "norm") and name.endswith("weight")
            weight.copy_(noise + (1.0 if gain else 0.0))
    return model.eval()


def save(name, model, inputs, output, dtype=None, keep=lambda x: x):
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    if dtype is not None:
        # What is stored is what both sides compute with. Read again, for `to` rounds the rotary frequencies as well.
        model.to(dtype).save_pretrained(folder)
        model = type(model).from_pretrained(folder, dtype=torch.float32).eval()
    else:
        model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    with torch.no_grad():
        value = keep(output(model(**inputs)))
    tensors = {key: tensor.to(torch.int64 if tensor.dtype == torch.int64 else torch.float32) for key, tensor in inputs.items()}
    # The output in binary64 says how far PyTorch's own binary32 is off.
    with torch.no_grad():
        exact = keep(output(model.double()(**inputs)))
    print(f"{name}: |binary32 - binary64| <= {(value.double() - exact).abs().max():.1e}, |output| <= {exact.abs().max():.2f}")
    tensors["output"] = value.reshape(-1, value.shape[-1]).contiguous()
    save_file(tensors, folder / "expected.safetensors")


def gpt2():
    config = hf.GPT2Config(
        vocab_size=VOCABULARY, n_positions=CONTEXT, n_embd=24, n_layer=2, n_head=3, bos_token_id=0, eos_token_id=0
    )
    ids = torch.randint(0, VOCABULARY, (BATCH, 11), generator=torch.Generator().manual_seed(1))
    save("gpt2", spread(hf.GPT2LMHeadModel(config), 1), {"input_ids": ids}, lambda out: out.logits)


def llama():
    config = hf.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=CONTEXT,
    )
    ids = torch.randint(0, VOCABULARY, (BATCH, 13), generator=torch.Generator().manual_seed(2))
    save("llama", spread(hf.LlamaForCausalLM(config), 2), {"input_ids": ids}, lambda out: out.logits, torch.bfloat16)
    config = hf.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=24, intermediate_size=40, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=400, tie_word_embeddings=True, attention_bias=True,
        mlp_bias=True,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    )
    ids = torch.randint(0, VOCABULARY, (1, 300), generator=torch.Generator().manual_seed(3))
    model = spread(hf.LlamaForCausalLM(config), 3)
    save("llama3", model, {"input_ids": ids}, lambda out: out.logits, keep=lambda x: x[:, -1:])


def bert():
    sizes = dict(
        vocab_size=VOCABULARY, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=CONTEXT,
    )
    generator = torch.Generator().manual_seed(4)
    ids = torch.randint(0, VOCABULARY, (BATCH, 9), generator=generator)
    types = torch.randint(0, 2, (BATCH, 9), generator=generator)
    mask = torch.ones(BATCH, 9)
    mask[1, 5:] = 0
    mask[2, 2:] = 0
    inputs = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    # What stands at padding is nobody's business.
    save("bert", spread(hf.BertForMaskedLM(hf.BertConfig(**sizes)), 4), inputs, lambda out: out.logits)
    config = hf.BertConfig(**{**sizes, "num_hidden_layers": 1}, num_labels=3)
    save("bert-classes", spread(hf.BertForSequenceClassification(config), 5), inputs, lambda out: out.logits)


def shards():
    """The GPT-2 again as two files under an index, one in F16, without the prefix, with an old causal mask."""
    folder = ROOT / "gpt2-shards"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "gpt2/config.json", folder)
    tensors = {name.removeprefix("transformer."): tensor for name, tensor in load_file(ROOT / "gpt2/model.safetensors").items()}
    tensors["h.0.attn.bias"] = torch.ones(1, 1, 4, 4, dtype=torch.uint8)
    first = {name: tensor for name, tensor in tensors.items() if name.startswith("h.0")}
    second = {name: tensor for name, tensor in tensors.items() if not name.startswith("h.0")}
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    save_file({name: t.half() if t.dtype == torch.float32 else t for name, t in first.items()}, folder / names[0])
    save_file(second, folder / names[1])
    index = {"metadata": {}, "weight_map": {**{n: names[0] for n in first}, **{n: names[1] for n in second}}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1))
    model = hf.GPT2LMHeadModel(hf.GPT2Config.from_pretrained(folder)).eval()
    model.transformer.load_state_dict({n: t.half().float() if n in first else t for n, t in tensors.items() if n != "h.0.attn.bias"})
    ids = load_file(ROOT / "gpt2/expected.safetensors")["input_ids"]
    with torch.no_grad():
        logits = model(ids).logits[:, -1]
    save_file({"input_ids": ids, "output": logits.contiguous()}, folder / "expected.safetensors")


def tokenizer():
    """Byte-level BPE, as GPT-2's, over a few sentences of ours."""
    text = ["a result is a pure function of the program", "the same program gives the same bits on every machine"]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<end>"], initial_alphabet=[])
    bpe.train_from_iterator(text, trainer)
    bpe.save(str(ROOT / "gpt2/tokenizer.json"))
    samples = ["the program is a function", "same bits, same machine!"]
    expected = [{"text": sample, "ids": bpe.encode(sample).ids, "decoded": bpe.decode(bpe.encode(sample).ids)} for sample in samples]
    (ROOT / "gpt2/tokens.json").write_text(json.dumps(expected, indent=1))


ROOT.mkdir(parents=True, exist_ok=True)
gpt2()
llama()
bert()
shards()
tokenizer()
