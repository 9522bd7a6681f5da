"""Blocks shared by the autoencoder and the U-Net, named as diffusers names them."""
import torch
from torch import nn
from torch.nn import functional as F


class ResnetBlock(nn.Module):
    """GroupNorm, SiLU, conv twice, with a shortcut; the time embedding enters between."""

    def __init__(self, cin, cout, groups, eps, temb=None):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, cin, eps)
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.time_emb_proj = nn.Linear(temb, cout) if temb else None
        self.norm2 = nn.GroupNorm(groups, cout, eps)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(cin, cout, 1) if cin != cout else None

    def forward(self, x, temb=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if self.time_emb_proj is not None:
            h = h + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.conv_shortcut(x) if self.conv_shortcut is not None else x) + h


class Upsample(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Downsample(nn.Module):
    """Stride two. The autoencoder pads right and below only, the U-Net on all sides."""

    def __init__(self, c, symmetric):
        super().__init__()
        self.symmetric = symmetric
        self.conv = nn.Conv2d(c, c, 3, stride=2, padding=1 if symmetric else 0)

    def forward(self, x):
        return self.conv(x if self.symmetric else F.pad(x, (0, 1, 0, 1)))


def attend(q, k, v, heads, mask=None):
    """Scaled dot-product attention of [n, t, c] tensors.

    Written out, because the backward pass of torch's fused version is several times slower in
    bfloat16 on a CPU for rows as short as these."""
    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2).flatten(0, 1)

    n, t, c = q.shape
    scores = split(q * (c // heads) ** -0.5) @ split(k).transpose(1, 2)
    if mask is not None:
        scores = scores + mask
    y = scores.softmax(dim=-1).to(v.dtype) @ split(v)
    return y.unflatten(0, (n, heads)).transpose(1, 2).reshape(n, t, c)


def scale_init(model, final):
    """Starts residual branches small, so that a large learning rate is stable from the start."""
    for name, module in model.named_modules():
        if name.endswith(final):
            nn.init.normal_(module.weight, std=1e-3)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def count(model):
    return sum(p.numel() for p in model.parameters())


class EMA:
    """Exponential moving average of a model's parameters, with a warm-up of the decay."""

    def __init__(self, params, decay):
        self.params, self.decay, self.steps = list(params), decay, 0
        self.mean = [p.detach().clone() for p in self.params]

    @torch.no_grad()
    def update(self):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.mean, [p.detach() for p in self.params], 1 - decay)

    def swap(self):
        """Exchanges the average and the model's own parameters, in place."""
        for p, m in zip(self.params, self.mean):
            own = p.data.clone()
            p.data.copy_(m)
            m.copy_(own)
