"""Holds a trajectory that Percept wrote against diffusers on the same weights.

    go run ./tools/checkpoint/trajectory -model FOLDER -out trajectory.safetensors
    python3 tools/checkpoint/compare.py FOLDER trajectory.safetensors

FOLDER is what "percept weights convert" wrote. diffusers and transformers load it and run the same caption, noise
(torch.manual_seed), guidance and DDIM steps (eta 0), once in float64 and once in float32. Percept is compared with
float64; what it may differ is ten times what diffusers' own float32 differs, plus a millionth of the root mean square.
Exit status 1 if it differs more. --steps-of-percept asks the U-Net at Percept's own latents instead, so that one step is
compared at a time. With "CompVis" as the trajectory's convention, the table of alphas is the original code's: computed in
float64, rounded once.

Made with torch 2.15, diffusers 0.42, transformers 5.23.
"""
import argparse
import gc
import json
import struct
import sys

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer


def metadata(path):
    with open(path, "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        return json.loads(f.read(n))["__metadata__"]


def alphas(convention):
    if convention == "diffusers":
        return None
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    return torch.from_numpy(np.cumprod(1 - betas).astype(np.float32))


@torch.no_grad()
def run(folder, about, got, dtype, teacher):
    """The same run by diffusers, every tensor as float64."""
    out = {}
    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer")
    tokens = got["ids"].shape[1]
    ids = tokenizer(["", about["prompt"]], padding="max_length", max_length=tokens, truncation=True, return_tensors="pt").input_ids
    out["ids"] = ids
    text = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder").to(dtype).eval()
    context = text(ids)[0]
    out["context"] = context
    del text

    scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    table = alphas(about["convention"])
    if table is None:
        table = scheduler.alphas_cumprod
    scheduler.alphas_cumprod = table.double()  # rounded to float32, then computed with in float64
    scheduler.final_alpha_cumprod = scheduler.alphas_cumprod[0]
    scheduler.set_timesteps(int(about["steps"]))
    out["timesteps"] = scheduler.timesteps

    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet").to(dtype).eval()
    shape = (1,) + tuple(got["latents"].shape[1:])
    torch.manual_seed(int(about["seed"]))
    x = torch.randn(shape).to(dtype)
    latents, eps = [x], []
    for i, t in enumerate(scheduler.timesteps):
        if teacher:
            x = got["latents"][i:i + 1].to(dtype)
        e = unet(torch.cat([x, x]), t, encoder_hidden_states=context).sample
        eps.append(e)
        guided = e[:1] + float(about["guidance"]) * (e[1:] - e[:1])
        x = scheduler.step(guided, t, x, eta=0.0).prev_sample.to(dtype)
        latents.append(x)
        print(f"\r{str(dtype):14s} step {i + 1}", end="", file=sys.stderr)
    print(file=sys.stderr)
    out["eps"], out["latents"] = torch.stack(eps), torch.cat(latents)
    del unet
    gc.collect()

    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae").to(dtype).eval()
    if teacher:
        x = got["latents"][-1:].to(dtype)
    out["image"] = vae.decode(x / vae.config.scaling_factor).sample
    return {k: v.double() if v.is_floating_point() else v for k, v in out.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("folder")
    p.add_argument("trajectory")
    p.add_argument("--steps-of-percept", action="store_true", help="compare single steps, each from Percept's own latent")
    p.add_argument("--threads", type=int, default=0)
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    about, got = metadata(a.trajectory), load_file(a.trajectory)
    ref = run(a.folder, about, got, torch.float64, a.steps_of_percept)
    f32 = run(a.folder, about, got, torch.float32, a.steps_of_percept)
    print(" ".join(f"{k}={v!r}" for k, v in sorted(about.items())))
    failed = False
    for key in ("ids", "timesteps"):
        same = torch.equal(got[key].long(), ref[key].long())
        failed |= not same
        print(f"{key:12s} {'equal' if same else 'DIFFER'}")

    rows = [("context", "context", slice(None)), ("noise", "latents", slice(0, 1))]
    for i in range(len(ref["timesteps"])):
        rows += [(f"eps {i + 1}", "eps", slice(i, i + 1)), (f"latent {i + 1}", "latents", slice(i + 1, i + 2))]
    rows.append(("image", "image", slice(None)))
    print(f"{'':12s} {'max|diff|':>10s} {'rms diff':>10s} {'rms':>10s} {'f32 max':>10s} {'tolerance':>10s}  of tolerance")
    for label, key, part in rows:
        r, g, s = ref[key][part], got[key][part].double(), f32[key][part]
        diff = (g - r).abs()
        rms = r.pow(2).mean().sqrt().item()
        own = (s - r).abs().max().item()
        tol = 10 * own + 1e-6 * rms
        bad = not diff.max().item() <= tol
        failed |= bad
        print(f"{label:12s} {diff.max().item():10.3e} {diff.pow(2).mean().sqrt().item():10.3e} {rms:10.3e} {own:10.3e} {tol:10.3e}  "
              f"{diff.max().item() / tol if tol else 0:5.2f}{'  EXCEEDED' if bad else ''}")
    print("FAILED" if failed else "equal within tolerance")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
