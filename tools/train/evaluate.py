"""Figures and pictures of the finished model, on scenes that no part of it was trained on.

    python evaluate.py --model MODEL --test DIR --sheet sheet.png

Everything is loaded by diffusers and transformers from the exported float16 files.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer

from common import Scenes
from train_scenenet import SceneNet, accuracy


def scenenet(folder):
    c = json.loads((folder / "config.json").read_text())
    net = SceneNet(c["channels"], c["norm_num_groups"], len(c["labels"]))
    net.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    return net.eval()


def two_way(a, b):
    """Fraction of pairs (i, j) in which a[i] correlates more with b[i] than with b[j]."""
    a = a - a.mean(1, keepdims=True)
    b = b - b.mean(1, keepdims=True)
    r = (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T
    n = len(r)
    wins = (np.diag(r)[:, None] > r) + 0.5 * (np.diag(r)[:, None] == r)
    return (wins.sum() - 0.5 * n) / (n * (n - 1))


def generate(parts, captions, steps, guidance, seed):
    unet, vae, text, tokenizer, scheduler = parts
    length = text.config.max_position_embeddings

    def encode(list_):
        ids = tokenizer(list_, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        return text(ids.input_ids).last_hidden_state

    scheduler.set_timesteps(steps)
    g = torch.Generator().manual_seed(seed)
    out = []
    for i in range(0, len(captions), 32):
        some = captions[i:i + 32]
        context = torch.cat([encode([""] * len(some)), encode(some)])
        z = torch.randn(len(some), 4, 12, 12, generator=g)
        for t in scheduler.timesteps:
            free, held = unet(torch.cat([z, z]), t, context).sample.chunk(2)
            z = scheduler.step(free + guidance * (held - free), t, z).prev_sample
        out.append(vae.decode(z / vae.config.scaling_factor).sample.clamp(-1, 1))
    return torch.cat(out)


def pixels(x):
    return ((x + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def sheet(path, made, true, captions, columns=4, scale=2):
    """Pairs of the picture made from a caption and the scene it describes."""
    size = made.shape[1]
    cell_w, cell_h = 2 * size * scale + 12, size * scale + 42
    rows = -(-len(made) // columns)
    page = Image.new("RGB", (columns * cell_w, rows * cell_h), "white")
    draw = ImageDraw.Draw(page)
    for i in range(len(made)):
        x, y = i % columns * cell_w, i // columns * cell_h
        for k, picture in enumerate((made[i], true[i])):
            big = Image.fromarray(picture).resize((size * scale, size * scale), Image.BICUBIC)
            page.paste(big, (x + k * (size * scale + 2), y))
        words, lines = captions[i].split(), [""]
        for w in words:
            if len(lines[-1]) + len(w) > 60:
                lines.append("")
            lines[-1] += w + " "
        draw.text((x, y + size * scale + 2), "\n".join(lines), fill="black")
    page.save(path)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--test", required=True)
    p.add_argument("--sheet", default="sheet.png")
    p.add_argument("--n", type=int, default=128, help="captions for identification")
    p.add_argument("--steps", type=int, default=25)
    p.add_argument("--guidance", type=float, default=4.0)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)
    root = Path(a.model)
    test = Scenes(a.test)
    parts = (UNet2DConditionModel.from_pretrained(root / "unet").float().eval(),
             AutoencoderKL.from_pretrained(root / "vae").float().eval(),
             CLIPTextModel.from_pretrained(root / "text_encoder").float().eval(),
             CLIPTokenizer(str(root / "tokenizer/vocab.json"), str(root / "tokenizer/merges.txt")),
             DDIMScheduler.from_pretrained(root / "scheduler"))
    vae = parts[1]
    psnr = []
    for i in range(0, 256, 32):
        x = test.batch(range(i, i + 32))
        y = vae.decode(vae.encode(x).latent_dist.mean).sample.clamp(-1, 1)
        psnr.append(-10 * ((x - y) / 2).square().mean(dim=(1, 2, 3)).log10())
    psnr = torch.cat(psnr)
    print(f"VAE PSNR over {len(psnr)} test scenes: mean {psnr.mean():.2f} dB, worst {psnr.min():.2f} dB")
    net = scenenet(root / "scenenet")
    print(f"scenenet balanced accuracy on 2000 test scenes: {accuracy(net, test, 2000):.3f}")
    captions = [c[0] for c in test.captions[:a.n]]
    made, true = generate(parts, captions, a.steps, a.guidance, a.seed), test.batch(range(a.n))
    for name, f in (("features", net.features), ("logits", net)):
        made_f, true_f = f(made).numpy(), f(true).numpy()
        mean, std = true_f.mean(0), true_f.std(0) + 1e-6
        score = two_way((made_f - mean) / std, (true_f - mean) / std)
        print(f"two-way identification, {a.n} pictures from captions, scenenet {name}: {score:.3f}")
    said, truth = net(made).numpy() > 0, test.labels[:a.n] > 0.5
    for j, label in enumerate(test.meta["labels"][:20]):
        if truth[:, j].sum() >= 4:
            print(f"  {label}: found in {said[truth[:, j], j].mean():.2f} of pictures that should show it, "
                  f"{said[~truth[:, j], j].mean():.2f} of the others")
    sheet(a.sheet, pixels(made[:32]), pixels(true[:32]), captions)


if __name__ == "__main__":
    main()
