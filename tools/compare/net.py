"""The transformer of `compute/models` in PyTorch: the same shapes and functions, f32, no dropout."""
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, at, causal):
        super().__init__()
        width = at["width"]
        self.heads, self.causal = at["heads"], causal
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, context, width = x.shape
        split = lambda part: part.view(batch, context, self.heads, width // self.heads).transpose(1, 2)
        y = self.norm1(x)
        q, k, v = split(self.query(y)), split(self.key(y)), split(self.value(y))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        x = x + self.output(y.transpose(1, 2).reshape(batch, context, width))
        return x + self.outer(F.gelu(self.inner(self.norm2(x)), approximate="tanh"))


class Transformer(nn.Module):
    """Tokens to logits, or with `encode` to one vector for each sequence."""

    def __init__(self, at, encode=False):
        super().__init__()
        width = at["width"]
        self.encode = encode
        self.tokens = nn.Embedding(at["vocabulary"], width)
        self.positions = nn.Embedding(at["context"], width)
        self.blocks = nn.ModuleList(Block(at, not encode) for _ in range(at["layers"]))
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions.weight
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return x.mean(dim=1) if self.encode else F.linear(x, self.tokens.weight)


def draw(at, extra=0):
    return torch.randint(at["vocabulary"], (at["batch"], at["context"] + extra))


def torch_run(kind, at):
    torch.set_num_threads(at["threads"])
    torch.manual_seed(0)
    model = Transformer(at, encode=kind == "encode")
    if kind != "train":
        ids = draw(at)

        @torch.inference_mode()
        def run():
            model(ids)

        return f"torch-{torch.__version__}", run
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    data = draw(at, 1)

    def run():
        optimiser.zero_grad(set_to_none=True)
        logits = model(data[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), data[:, 1:].reshape(-1))
        loss.backward()
        optimiser.step()
        loss.item()

    return f"torch-{torch.__version__}", run
