"""The autoencoder, with the parameters of diffusers' AutoencoderKL."""
import torch
from torch import nn
from torch.nn import functional as F

from layers import Downsample, ResnetBlock, Upsample, attend

EPS = 1e-6


class Attention(nn.Module):
    """Single-head self-attention over all positions."""

    def __init__(self, c, groups):
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, c, EPS)
        self.to_q, self.to_k, self.to_v = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.to_out = nn.ModuleList([nn.Linear(c, c)])

    def forward(self, x):
        n, c, h, w = x.shape
        t = self.group_norm(x).flatten(2).transpose(1, 2)
        t = self.to_out[0](attend(self.to_q(t), self.to_k(t), self.to_v(t), 1))
        return x + t.transpose(1, 2).reshape(n, c, h, w)


class Mid(nn.Module):
    def __init__(self, c, groups):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(c, c, groups, EPS) for _ in range(2)])
        self.attentions = nn.ModuleList([Attention(c, groups)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Stage(nn.Module):
    """The blocks of one resolution, then a change to the next."""

    def __init__(self, cin, cout, layers, groups, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(cin if i == 0 else cout, cout, groups, EPS) for i in range(layers)])
        if down:
            self.downsamplers = nn.ModuleList([Downsample(cout, symmetric=False)])
        if up:
            self.upsamplers = nn.ModuleList([Upsample(cout)])
        self.end = "downsamplers" if down else "upsamplers" if up else None

    def forward(self, x):
        for block in self.resnets:
            x = block(x)
        return getattr(self, self.end)[0](x) if self.end else x


class Encoder(nn.Module):
    def __init__(self, channels, layers, groups, latent):
        super().__init__()
        self.conv_in = nn.Conv2d(3, channels[0], 3, padding=1)
        last = len(channels) - 1
        self.down_blocks = nn.ModuleList([
            Stage(channels[max(i - 1, 0)], c, layers, groups, down=i < last) for i, c in enumerate(channels)])
        self.mid_block = Mid(channels[-1], groups)
        self.conv_norm_out = nn.GroupNorm(groups, channels[-1], EPS)
        self.conv_out = nn.Conv2d(channels[-1], 2 * latent, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    def __init__(self, channels, layers, groups, latent):
        super().__init__()
        back = channels[::-1]
        self.conv_in = nn.Conv2d(latent, back[0], 3, padding=1)
        self.mid_block = Mid(back[0], groups)
        last = len(back) - 1
        self.up_blocks = nn.ModuleList([
            Stage(back[max(i - 1, 0)], c, layers + 1, groups, up=i < last) for i, c in enumerate(back)])
        self.conv_norm_out = nn.GroupNorm(groups, back[-1], EPS)
        self.conv_out = nn.Conv2d(back[-1], 3, 3, padding=1)

    def forward(self, x):
        x = self.mid_block(self.conv_in(x))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class VAE(nn.Module):
    """Pictures in [-1, 1] to moments of latents an eighth as wide, and back."""

    def __init__(self, block_out_channels, layers_per_block, norm_num_groups, latent_channels=4):
        super().__init__()
        args = (list(block_out_channels), layers_per_block, norm_num_groups, latent_channels)
        self.encoder, self.decoder = Encoder(*args), Decoder(*args)
        self.quant_conv = nn.Conv2d(2 * latent_channels, 2 * latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(latent_channels, latent_channels, 1)

    def encode(self, x):
        """Mean and log variance, each [n, 4, h/8, w/8]."""
        mean, logvar = self.quant_conv(self.encoder(x)).chunk(2, dim=1)
        return mean, logvar.clamp(-30, 20)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))


def config(size, block_out_channels, layers_per_block, norm_num_groups, scaling_factor):
    """The config.json that diffusers reads."""
    n = len(block_out_channels)
    return {
        "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": list(block_out_channels),
        "down_block_types": ["DownEncoderBlock2D"] * n, "in_channels": 3, "latent_channels": 4,
        "layers_per_block": layers_per_block, "norm_num_groups": norm_num_groups, "out_channels": 3,
        "sample_size": size, "scaling_factor": scaling_factor, "up_block_types": ["UpDecoderBlock2D"] * n,
    }
