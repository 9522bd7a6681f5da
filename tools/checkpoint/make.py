"""Writes a checkpoint of Stable Diffusion v1.4 as the original code saves it, with generated weights.

    python3 make.py sd.ckpt                the size of v1.4, float32, 4.3 GB
    python3 make.py sd.ckpt --ema          with averaged weights of the U-Net beside them, 7.7 GB
    python3 make.py nano.ckpt --small      the same structure with 32 channels

Everything that a published checkpoint holds is there but the real values: the state_dict with the U-Net, the VAE, the
text encoder with its position_ids and the tables of the noise schedule; and around it what pytorch_lightning saves, with a
class of that library as a key, so that nothing but a reader that runs nothing can open it safely. Values are
generator.py's, so that the file is the same everywhere. The memory needed is that of the file.

Made with torch 2.15, diffusers 0.42 and transformers 5.23, which give names and shapes.
"""
import argparse
import collections
import os
import sys
import types

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import generator
import names

SD14 = {
    "unet": dict(sample_size=64, cross_attention_dim=768),
    "vae": dict(block_out_channels=(128, 256, 512, 512)),
    "text_encoder": dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, vocab_size=49408),
}
NANO = {
    "unet": dict(sample_size=16, cross_attention_dim=48, block_out_channels=(32, 32, 32, 32)),
    "vae": dict(block_out_channels=(32, 32, 32, 32)),
    "text_encoder": dict(hidden_size=48, intermediate_size=192, num_hidden_layers=3, num_attention_heads=4, vocab_size=1000),
}


def shapes(size):
    """Diffusers' names and shapes of each part, in the order in which torch lists them."""
    levels = dict(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2)
    with torch.device("meta"):
        models = {
            "unet": UNet2DConditionModel(**size["unet"]),
            "vae": AutoencoderKL(**size["vae"], **levels),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**size["text_encoder"])),
        }
    for part, model in models.items():
        for name, tensor in model.state_dict().items():
            if name.endswith("position_ids"):
                continue
            if part == "text_encoder" and not name.startswith("text_model."):
                name = "text_model." + name  # transformers 5 lacks it, the original code's transformers 4 has it
            yield part, name, tuple(tensor.shape)


def schedule():
    """The tables that the original code keeps beside the weights (LatentDiffusion.register_schedule)."""
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    bar = np.cumprod(1 - betas)
    before = np.append(1.0, bar[:-1])
    variance = betas * (1 - before) / (1 - bar)
    tables = {
        "betas": betas,
        "alphas_cumprod": bar,
        "alphas_cumprod_prev": before,
        "sqrt_alphas_cumprod": np.sqrt(bar),
        "sqrt_one_minus_alphas_cumprod": np.sqrt(1 - bar),
        "log_one_minus_alphas_cumprod": np.log(1 - bar),
        "sqrt_recip_alphas_cumprod": np.sqrt(1 / bar),
        "sqrt_recipm1_alphas_cumprod": np.sqrt(1 / bar - 1),
        "posterior_variance": variance,
        "posterior_log_variance_clipped": np.log(np.maximum(variance, 1e-20)),
        "posterior_mean_coef1": betas * np.sqrt(before) / (1 - bar),
        "posterior_mean_coef2": (1 - before) * np.sqrt(1 - betas) / (1 - bar),
    }
    return {k: torch.from_numpy(v.astype(np.float32)) for k, v in tables.items()}


def state_dict(size, prefix, half, dtype, ema):
    state = collections.OrderedDict(schedule())
    averages = {}
    for part, name, shape in shapes(size):
        other = names.compvis(part, name)
        stored = shape
        if part == "vae" and ".attentions." in name and len(shape) == 2:
            stored = shape + (1, 1)  # the original code's attention is made of 1x1 convolutions

        def make(component):
            x = torch.from_numpy(generator.parameter(component, name, shape, half=half))
            return x.reshape(stored).to(dtype)

        state[other] = make(prefix + part)
        if ema and part == "unet":
            averages[names.ema(other)] = make(prefix + "unet_ema").float()
        print(f"\r{len(state):5d} tensors", end="", file=sys.stderr)
        if name.endswith("token_embedding.weight"):
            state[names.PREFIX[part] + "text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0)
    print(file=sys.stderr)
    if ema:
        state["model_ema.decay"] = torch.tensor(0.9999)
        state["model_ema.num_updates"] = torch.tensor(470000, dtype=torch.int32)
        state.update(averages)
    return state


def lightning_class():
    """A class with the name of one of pytorch_lightning, which need not be installed."""
    path = "pytorch_lightning.callbacks.model_checkpoint"
    for i in range(1, path.count(".") + 2):
        part = ".".join(path.split(".")[:i])
        sys.modules.setdefault(part, types.ModuleType(part))
    cls = type("ModelCheckpoint", (), {"__module__": path})
    sys.modules[path].ModelCheckpoint = cls
    return cls


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("out")
    p.add_argument("--small", action="store_true", help="32 channels at every level instead of Stable Diffusion's")
    p.add_argument("--ema", action="store_true", help="with averaged weights of the U-Net, other than those of the last step")
    p.add_argument("--float16", action="store_true", help="store the weights as float16")
    p.add_argument("--bare", action="store_true", help="the state_dict alone, as pruned files have it")
    p.add_argument("--legacy", action="store_true", help="torch's format before version 1.6, not a zip file")
    a = p.parse_args()
    size, prefix = (NANO, "nano.") if a.small else (SD14, "")
    state = state_dict(size, prefix, a.small, torch.float16 if a.float16 else torch.float32, a.ema)
    whole = {
        "epoch": 13,
        "global_step": 470000,
        "pytorch-lightning_version": "1.4.2",
        "state_dict": state,
        "callbacks": {lightning_class(): {"monitor": "val/loss_simple_ema", "best_model_score": torch.tensor(0.1234), "best_model_path": "", "dirpath": "logs"}},
        "optimizer_states": [{"state": {0: {"step": 470000, "exp_avg": torch.zeros(8)}}, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0]}]}],
        "lr_schedulers": [{"last_epoch": 470000, "base_lrs": {1e-4}}],
    }
    part = a.out + ".part"
    torch.save({"state_dict": state} if a.bare else whole, part, _use_new_zipfile_serialization=not a.legacy)
    os.replace(part, a.out)
    print(f"{a.out}: {len(state)} tensors, {os.path.getsize(a.out)} bytes")


if __name__ == "__main__":
    main()
