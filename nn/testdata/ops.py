"""Writes ops.safetensors: single operations and a small network as torch computes them.

Everything is computed in float64 from float32 weights and inputs and rounded once. Weights have
torch's names and layouts; images are [N, C, H, W].

    python ops.py        # torch 2.x, safetensors
"""
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(7)
out = {}


def rand(name, *shape):
    out[name] = torch.randn(*shape)
    return out[name].double()


def module(path, m):
    for name, p in m.named_parameters():
        p.data = torch.randn(p.shape) * (0.3 if p.dim() > 1 else 0.5) + (1.0 if "norm" in path and name == "weight" else 0.0)
        out[f"{path}.{name}"] = p.data.clone()
    return m.double()


def attention(q, k, v, heads, causal=False):
    def split(x):
        return x.unflatten(2, (heads, -1)).transpose(1, 2)

    y = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=causal)
    return y.transpose(1, 2).flatten(2)


with torch.no_grad():
    x = rand("x", 2, 12, 7, 6)
    context = rand("context", 2, 5, 10)
    emb = rand("emb", 2, 9)

    # Single operations on x.
    out["conv3"] = module("conv3", nn.Conv2d(12, 20, 3, padding=1))(x)
    out["conv_stride2"] = module("conv_stride2", nn.Conv2d(12, 8, 3, stride=2, padding=1))(x)
    out["conv_asym"] = module("conv_asym", nn.Conv2d(12, 8, 3, stride=2))(F.pad(x, (0, 1, 0, 1)))
    out["conv1"] = module("conv1", nn.Conv2d(12, 16, 1))(x)
    out["norm4"] = module("norm4", nn.GroupNorm(4, 12, eps=1e-6))(x)
    tokens = x.flatten(2).transpose(1, 2)
    out["layer_norm"] = module("layer_norm", nn.LayerNorm(12))(tokens)
    out["silu"], out["gelu"] = F.silu(x), F.gelu(x)
    out["quick_gelu"] = x * torch.sigmoid(1.702 * x)
    a, b = tokens.chunk(2, dim=-1)
    out["geglu"] = a * F.gelu(b)
    out["upsample"] = F.interpolate(x, scale_factor=2.0, mode="nearest")
    out["causal"] = attention(tokens, tokens, tokens, 3, causal=True)

    # A resnet and a transformer block, as in diffusers.
    h = module("res.conv1", nn.Conv2d(12, 16, 3, padding=1))(F.silu(module("res.norm1", nn.GroupNorm(4, 12))(x)))
    h = h + module("res.time_emb_proj", nn.Linear(9, 16))(F.silu(emb))[:, :, None, None]
    h = module("res.conv2", nn.Conv2d(16, 16, 3, padding=1))(F.silu(module("res.norm2", nn.GroupNorm(4, 16))(h)))
    h = module("res.conv_shortcut", nn.Conv2d(12, 16, 1))(x) + h
    out["res"] = h
    t = module("proj_in", nn.Linear(16, 16))(module("norm", nn.GroupNorm(8, 16, eps=1e-6))(h).flatten(2).transpose(1, 2))
    n = module("norm1", nn.LayerNorm(16))(t)
    q, k, v = (module(f"attn1.to_{c}", nn.Linear(16, 16, bias=False))(n) for c in "qkv")
    t = t + module("attn1.to_out.0", nn.Linear(16, 16))(attention(q, k, v, 4))
    q = module("attn2.to_q", nn.Linear(16, 16, bias=False))(module("norm2", nn.LayerNorm(16))(t))
    k, v = (module(f"attn2.to_{c}", nn.Linear(10, 16, bias=False))(context) for c in "kv")
    t = t + module("attn2.to_out.0", nn.Linear(16, 16))(attention(q, k, v, 4))
    a, b = module("ff.net.0.proj", nn.Linear(16, 64))(module("norm3", nn.LayerNorm(16))(t)).chunk(2, dim=-1)
    t = t + module("ff.net.2", nn.Linear(32, 16))(a * F.gelu(b))
    out["attn"] = h + module("proj_out", nn.Linear(16, 16))(t).transpose(1, 2).unflatten(2, (7, 6))

here = os.path.dirname(os.path.abspath(__file__))
save_file({k: v.float().contiguous() for k, v in out.items()}, os.path.join(here, "ops.safetensors"),
          metadata={"script": "nn/testdata/ops.py", "torch": torch.__version__, "seed": "7"})
