"""The denoiser, with the parameters of diffusers' UNet2DConditionModel."""
import math

import torch
from torch import nn
from torch.nn import functional as F

from layers import Downsample, ResnetBlock, Upsample, attend

EPS = 1e-5


def timestep_embedding(t, dim):
    """Cosines then sines of t at dim/2 frequencies from 1 down to 1/10000."""
    half = dim // 2
    freq = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32) / half)
    angle = t.float()[:, None] * freq[None]
    return torch.cat([angle.cos(), angle.sin()], dim=1)


class TimeEmbedding(nn.Module):
    def __init__(self, c, out):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(c, out), nn.Linear(out, out)

    def forward(self, t):
        return self.linear_2(F.silu(self.linear_1(t)))


class Attention(nn.Module):
    """Multi-head attention of x to context, or to itself."""

    def __init__(self, c, context, heads):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(c, c, bias=False)
        self.to_k = nn.Linear(context or c, c, bias=False)
        self.to_v = nn.Linear(context or c, c, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(c, c)])

    def forward(self, x, context=None):
        context = x if context is None else context
        return self.to_out[0](attend(self.to_q(x), self.to_k(context), self.to_v(context), self.heads))


class GEGLU(nn.Module):
    def __init__(self, c, inner):
        super().__init__()
        self.proj = nn.Linear(c, 2 * inner)

    def forward(self, x):
        x, gate = self.proj(x).chunk(2, dim=-1)
        return x * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.net = nn.ModuleList([GEGLU(c, 4 * c), nn.Identity(), nn.Linear(4 * c, c)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class TransformerBlock(nn.Module):
    def __init__(self, c, context, heads):
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(c), Attention(c, None, heads)
        self.norm2, self.attn2 = nn.LayerNorm(c), Attention(c, context, heads)
        self.norm3, self.ff = nn.LayerNorm(c), FeedForward(c)

    def forward(self, x, context):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    """A transformer block over the positions of a feature map."""

    def __init__(self, c, context, heads, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, c, 1e-6)
        self.proj_in = nn.Conv2d(c, c, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(c, context, heads)])
        self.proj_out = nn.Conv2d(c, c, 1)

    def forward(self, x, context):
        n, c, h, w = x.shape
        y = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        y = self.transformer_blocks[0](y, context)
        return x + self.proj_out(y.transpose(1, 2).reshape(n, c, h, w))


class Stage(nn.Module):
    """One resolution of the way down or up: resnets, with attention where heads is given."""

    def __init__(self, ins, cout, temb, context, heads, groups, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(cin, cout, groups, EPS, temb) for cin in ins])
        if heads:
            self.attentions = nn.ModuleList([Transformer(cout, context, heads, groups) for _ in ins])
        if down:
            self.downsamplers = nn.ModuleList([Downsample(cout, symmetric=True)])
        if up:
            self.upsamplers = nn.ModuleList([Upsample(cout)])
        self.attends, self.down, self.up = bool(heads), down, up

    def block(self, i, x, temb, context):
        x = self.resnets[i](x, temb)
        return self.attentions[i](x, context) if self.attends else x


class Mid(nn.Module):
    def __init__(self, c, temb, context, heads, groups):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(c, c, groups, EPS, temb) for _ in range(2)])
        self.attentions = nn.ModuleList([Transformer(c, context, heads, groups)])

    def forward(self, x, temb, context):
        return self.resnets[1](self.attentions[0](self.resnets[0](x, temb), context), temb)


class UNet(nn.Module):
    """Predicts the noise in latents [n, 4, h, w] at steps [n] given context [n, t, d]."""

    def __init__(self, channels, layers, heads, groups, context):
        super().__init__()
        self.first = channels[0]
        temb, last = 4 * channels[0], len(channels) - 1
        self.conv_in = nn.Conv2d(4, channels[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(channels[0], temb)
        self.down_blocks = nn.ModuleList()
        skips = [channels[0]]
        for i, c in enumerate(channels):
            ins = [channels[max(i - 1, 0)]] + [c] * (layers - 1)
            self.down_blocks.append(Stage(ins, c, temb, context, heads if i < last else 0, groups, down=i < last))
            skips += [c] * (layers + (i < last))
        self.mid_block = Mid(channels[-1], temb, context, heads, groups)
        self.up_blocks = nn.ModuleList()
        before = channels[-1]
        for i, c in enumerate(channels[::-1]):
            ins = []
            for _ in range(layers + 1):
                ins.append(before + skips.pop())
                before = c
            self.up_blocks.append(Stage(ins, c, temb, context, heads if i > 0 else 0, groups, up=i < last))
        self.conv_norm_out = nn.GroupNorm(groups, channels[0], EPS)
        self.conv_out = nn.Conv2d(channels[0], 4, 3, padding=1)

    def forward(self, x, t, context):
        temb = self.time_embedding(timestep_embedding(t, self.first))
        x = self.conv_in(x)
        skips = [x]
        for stage in self.down_blocks:
            for i in range(len(stage.resnets)):
                x = stage.block(i, x, temb, context)
                skips.append(x)
            if stage.down:
                x = stage.downsamplers[0](x)
                skips.append(x)
        x = self.mid_block(x, temb, context)
        for stage in self.up_blocks:
            for i in range(len(stage.resnets)):
                x = stage.block(i, torch.cat([x, skips.pop()], dim=1), temb, context)
            if stage.up:
                x = stage.upsamplers[0](x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


def config(sample, channels, layers, heads, groups, context):
    """The config.json that diffusers reads. attention_head_dim is, as in Stable Diffusion's
    files, the number of heads."""
    n = len(channels)
    return {
        "_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": heads,
        "block_out_channels": list(channels), "center_input_sample": False, "cross_attention_dim": context,
        "down_block_types": ["CrossAttnDownBlock2D"] * (n - 1) + ["DownBlock2D"], "downsample_padding": 1,
        "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": layers,
        "mid_block_scale_factor": 1, "norm_eps": EPS, "norm_num_groups": groups, "out_channels": 4,
        "sample_size": sample, "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * (n - 1),
    }
