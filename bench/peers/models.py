"""The modules of Stable Diffusion v1.4 in diffusers and transformers, filled with Percept's synthetic weights.

Both sides compute every value of a tensor from the tensor's name (see package weights/synth of Percept), so that the same
module gets the same weights and the same inputs in either program without a file between them.
"""

import numpy as np
import torch

SEED = 0x0000000053445F31
BEGIN, END = 49406, 49407  # CLIP's tokens around a text

UNET = dict(
    sample_size=64, in_channels=4, out_channels=4, cross_attention_dim=768, attention_head_dim=8, layers_per_block=2,
    block_out_channels=(320, 640, 1280, 1280),
    down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
)
VAE = dict(
    sample_size=512, in_channels=3, out_channels=3, latent_channels=4, layers_per_block=2, block_out_channels=(128, 256, 512, 512),
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
)
TEXT = dict(
    vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
    max_position_embeddings=77, hidden_act="quick_gelu", projection_dim=768, bos_token_id=BEGIN, eos_token_id=END, pad_token_id=1,
)

CASES = {  # name: module and the shape of its main input
    "unet-1x4x64x64": ("unet", (1, 4, 64, 64)),
    "unet-2x4x64x64": ("unet", (2, 4, 64, 64)),
    "unet-1x4x40x40": ("unet", (1, 4, 40, 40)),
    "vae-encode-1x3x512x512": ("vae-encode", (1, 3, 512, 512)),
    "vae-decode-1x4x64x64": ("vae-decode", (1, 4, 64, 64)),
    "text-1x77": ("text", (1, 77)),
    "text-32x77": ("text", (32, 77)),
}
PRODUCTS = {  # name: rows, columns, depth
    f"product-{m}x{n}x{k}": (m, n, k)
    for m, n, k in [
        (4096, 320, 320), (4096, 2560, 320), (4096, 320, 2880), (1024, 640, 5760), (256, 1280, 11520), (64, 1280, 11520),
    ]
}


def units(name, shape):
    """The generator's values in [-1, 1) for a tensor of this full name, float32."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = (h ^ b) * 0x100000001B3 % 2**64
    seed = h ^ SEED
    n = int(np.prod(shape, dtype=np.int64))
    out = np.empty(n, np.float32)
    step = 1 << 17
    for at in range(0, n, step):
        z = np.arange(at, min(at + step, n), dtype=np.uint64)
        z += np.uint64((seed + 0x9E3779B97F4A7C15) % 2**64)
        for shift, factor in (30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB):
            z ^= z >> np.uint64(shift)
            z *= np.uint64(factor)
        z ^= z >> np.uint64(31)
        z >>= np.uint64(40)
        u = z.astype(np.float32)
        u *= np.float32(2.0**-23)
        u -= np.float32(1)
        out[at : at + step] = u
    return out.reshape(shape)


def weight(component, name, shape):
    """One parameter of a component: unet, vae or text_encoder."""
    u = units(component + "." + name, shape)
    if name.endswith(("token_embedding.weight", "position_embedding.weight")):
        return u * np.float32(0.05)
    if name.endswith(".bias"):
        return u * np.float32(0.02)
    if len(shape) >= 2:
        gain = 1.5 if name.endswith(("to_q.weight", "to_k.weight", "q_proj.weight", "k_proj.weight")) else 1.0
        u *= np.float32(gain * (3 / np.prod(shape[1:], dtype=np.int64)) ** 0.5)
        return u
    if name.endswith(".weight"):
        return np.float32(1) + u * np.float32(0.1)
    return u * np.float32(0.02)


def tokens(batch):
    """Rows of 77 arbitrary tokens between the marks of beginning and end."""
    ids = np.empty((batch, 77), np.int64)
    for row in range(batch):
        for i in range(77):
            ids[row, i] = (row * 77 + i) * 7919 % 49000
        ids[row, 0], ids[row, 76] = BEGIN, END
    return ids


def inputs(case):
    """The inputs of a case by name, numpy arrays."""
    kind, shape = CASES[case]
    if kind == "text":
        return {"input_ids": tokens(shape[0])}
    if kind == "vae-encode":
        return {"sample": units("input.bench.pixels", shape)}
    x = units("input.bench.latent", shape) * np.float32(3**0.5)
    if kind == "vae-decode":
        return {"sample": x}
    context = units("input.bench.context", (shape[0], 77, 768)) * np.float32(3**0.5)
    return {"sample": x, "timestep": np.array([501], np.int64), "context": context}


class UNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        from diffusers import UNet2DConditionModel

        with torch.device("meta"):
            self.m = UNet2DConditionModel(**UNET)
        fill(self.m, "unet")

    def forward(self, sample, timestep, context):
        return self.m(sample, timestep, context, return_dict=False)[0]


class Encoder(torch.nn.Module):
    """From the picture to the 8 moments of its latent distribution."""

    def __init__(self):
        super().__init__()
        v = vae()
        self.encoder, self.quant_conv = v.encoder, v.quant_conv

    def forward(self, sample):
        return self.quant_conv(self.encoder(sample))


class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        v = vae()
        self.decoder, self.post_quant_conv = v.decoder, v.post_quant_conv

    def forward(self, sample):
        return self.decoder(self.post_quant_conv(sample))


class Text(torch.nn.Module):
    def __init__(self):
        super().__init__()
        from transformers import CLIPTextConfig, CLIPTextModel

        self.m = CLIPTextModel(CLIPTextConfig(**TEXT))
        fill(self.m, "text_encoder", "text_model.")

    def forward(self, input_ids):
        return self.m(input_ids=input_ids)[0]


def vae():
    from diffusers import AutoencoderKL

    with torch.device("meta"):
        v = AutoencoderKL(**VAE)
    return fill(v, "vae")


def fill(module, component, prefix=""):
    """Gives every parameter its synthetic value. A name without the prefix gets it: newer transformers dropped one level."""
    state = {}
    for name, p in module.named_parameters():
        full = name if name.startswith(prefix) else prefix + name
        state[name] = torch.from_numpy(weight(component, full, tuple(p.shape)))
    missing, unexpected = module.load_state_dict(state, strict=False, assign=True)
    named = {n for n, _ in module.named_parameters()}
    if unexpected or named & set(missing):
        raise SystemExit(f"peers: parameters of {component} do not fit: {missing} {unexpected}")
    return module.eval().requires_grad_(False)


def build(kind):
    """The torch module of a kind, with its weights."""
    return {"unet": UNet, "vae-encode": Encoder, "vae-decode": Decoder, "text": Text}[kind]()
