"""Loads the exported model into diffusers and transformers and compares outputs with the
training code's on the same weights.

    python check.py --model MODEL
"""
import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer

import text as text_encoder
from tokenizer import Tokenizer
from unet import UNet
from vae import VAE

CAPTIONS = ["a red house next to a big tree under an orange sunset", "", "a blue boat on the sea, at night"]


def weights(folder, name="diffusion_pytorch_model.safetensors"):
    return {k: v.float() for k, v in load_file(folder / name).items()}


def report(what, ours, theirs):
    print(f"{what}: largest difference {(ours - theirs).abs().max():.2e}, largest value {theirs.abs().max():.2f}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    a = p.parse_args()
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    root = Path(a.model)

    c = json.loads((root / "unet/config.json").read_text())
    ours = UNet(c["block_out_channels"], c["layers_per_block"], c["attention_head_dim"], c["norm_num_groups"],
                c["cross_attention_dim"]).eval()
    ours.load_state_dict(weights(root / "unet"))
    theirs = UNet2DConditionModel.from_pretrained(root / "unet").float().eval()
    z, t, ctx = torch.randn(2, 4, 12, 12), torch.tensor([981, 1]), torch.randn(2, 32, c["cross_attention_dim"])
    report("unet", ours(z, t, ctx), theirs(z, t, ctx).sample)

    c = json.loads((root / "vae/config.json").read_text())
    ours = VAE(c["block_out_channels"], c["layers_per_block"], c["norm_num_groups"]).eval()
    ours.load_state_dict(weights(root / "vae"))
    theirs = AutoencoderKL.from_pretrained(root / "vae").float().eval()
    x = torch.rand(2, 3, 96, 96) * 2 - 1
    report("vae mean", ours.encode(x)[0], theirs.encode(x).latent_dist.mean)
    report("vae decoder", ours.decode(z), theirs.decode(z).sample)

    c = json.loads((root / "text_encoder/config.json").read_text())
    n = c["max_position_embeddings"]
    ours = text_encoder.TextEncoder(c["vocab_size"], n, c["hidden_size"], c["num_attention_heads"],
                                    c["intermediate_size"], c["num_hidden_layers"]).eval()
    ours.load_state_dict(weights(root / "text_encoder", "model.safetensors"))
    theirs = CLIPTextModel.from_pretrained(root / "text_encoder").float().eval()
    tokenize = Tokenizer(root / "tokenizer", n)
    clip = CLIPTokenizer(str(root / "tokenizer/vocab.json"), str(root / "tokenizer/merges.txt"))
    ids = torch.tensor([tokenize(s) for s in CAPTIONS])
    same = clip(CAPTIONS, padding="max_length", max_length=n, truncation=True, return_tensors="pt").input_ids
    print("tokens equal:", bool((ids == same).all()))
    report("text encoder", ours(ids), theirs(ids).last_hidden_state)


if __name__ == "__main__":
    main()
