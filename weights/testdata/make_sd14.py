"""Writes sd14_names.tsv.gz: part, diffusers name, shape and original name of each of Stable Diffusion v1.4's tensors.

    python3 make_sd14.py

Names and shapes are those of diffusers and transformers, whose models are made on torch's meta device, without weights.
The original names are tools/checkpoint/names.py's; that they are right is checked here with diffusers' own conversion of
original checkpoints. Made with torch 2.15.0, diffusers 0.42.1, transformers 5.23.0 (whose text model lacks the prefix
"text_model." that version 4 wrote; it is put back).
"""
import gzip
import os
import sys

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_clip_checkpoint, convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from transformers import CLIPTextConfig, CLIPTextModel

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools", "checkpoint"))
import names  # noqa: E402

UNET = dict(sample_size=64, cross_attention_dim=768)
VAE = dict(
    block_out_channels=(128, 256, 512, 512),
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
    layers_per_block=2,
    sample_size=512,
)
TEXT = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, vocab_size=49408)


def main():
    with torch.device("meta"):
        models = {
            "unet": UNet2DConditionModel(**UNET),
            "vae": AutoencoderKL(**VAE),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**TEXT)),
        }
    lines, original = [], {}
    for part, model in models.items():
        for name, tensor in sorted(model.state_dict().items()):
            if part == "text_encoder" and not name.startswith("text_model."):
                name = "text_model." + name
            if name.endswith("position_ids"):
                continue
            other = names.compvis(part, name)
            assert other not in original, other
            original[other] = part, name, tensor
            lines.append("\t".join([part, name, "x".join(map(str, tensor.shape)), other]))
    state = {other: torch.zeros(tensor.shape, device="meta") for other, (_, _, tensor) in original.items()}
    back = {
        "unet": convert_ldm_unet_checkpoint(dict(state), models["unet"].config),
        "vae": convert_ldm_vae_checkpoint(dict(state), models["vae"].config),
        "text_encoder": convert_ldm_clip_checkpoint(dict(state)),
    }
    of = {id(tensor): other for other, tensor in state.items()}
    for part, tensors in back.items():
        for name, tensor in tensors.items():
            if part == "text_encoder" and not name.startswith("text_model."):
                name = "text_model." + name
            assert original[of[id(tensor)]][:2] == (part, name), (part, name, of[id(tensor)])
        assert len(tensors) == sum(p == part for p, _, _ in original.values()), part
    with gzip.GzipFile(os.path.join(HERE, "sd14_names.tsv.gz"), "wb", mtime=0) as f:
        f.write(("\n".join(lines) + "\n").encode())
    print(len(lines), "tensors")


if __name__ == "__main__":
    main()
