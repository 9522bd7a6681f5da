"""Trains the autoencoder of the embedded model.

    torchrun --nproc-per-node 2 train_vae.py --data DIR --test DIR --out MODEL --work DIR
"""
import argparse
from pathlib import Path

import numpy as np
import torch

from common import Clock, Curve, Scenes, export, write_json
from layers import EMA, count
from parallel import Workers
from vae import VAE, config


def psnr(model, test, n):
    """Mean PSNR in dB over the first n test scenes, pictures in [0, 1], latents at their mean."""
    total = 0.0
    with torch.no_grad():
        for i in range(0, n, 32):
            x = test.batch(range(i, min(i + 32, n)))
            y = model.decode(model.encode(x)[0]).clamp(-1, 1)
            mse = ((x - y) / 2).square().mean(dim=(1, 2, 3))
            total += (-10 * mse.log10()).sum().item()
    return total / n


def latent_std(model, data, n):
    with torch.no_grad():
        parts = [model.encode(data.batch(range(i, i + 32)))[0] for i in range(0, n, 32)]
    return torch.cat(parts).std().item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--test", required=True)
    p.add_argument("--out", required=True, help="model folder; writes vae/ there")
    p.add_argument("--work", required=True, help="folder for the float32 checkpoint")
    p.add_argument("--curve", default="curves/vae.csv")
    p.add_argument("--channels", type=int, nargs="+", default=[16, 16, 32, 64])
    p.add_argument("--layers", type=int, default=1)
    p.add_argument("--groups", type=int, default=8)
    p.add_argument("--batch", type=int, default=8, help="pictures per worker and step")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--kl", type=float, default=1e-6, help="weight of the KL divergence, summed per picture")
    p.add_argument("--steps", type=int, default=7000)
    p.add_argument("--minutes", type=float, default=24)
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    workers = Workers()
    torch.manual_seed(a.seed)

    data, test = Scenes(a.data), Scenes(a.test)
    model = VAE(a.channels, a.layers, a.groups)
    torch.manual_seed(a.seed + 1000 * workers.rank + 1)  # from here on the workers differ
    rng = np.random.default_rng([a.seed, workers.rank])
    ema = EMA(model.parameters(), 0.998)
    opt = torch.optim.AdamW(model.parameters(), a.rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    print("parameters", count(model), flush=True)

    def save():
        ema.swap()
        std = latent_std(model, data, 512)
        quality = psnr(model, test, 256)
        export(model, Path(a.out) / "vae/diffusion_pytorch_model.safetensors")
        write_json(Path(a.out) / "vae/config.json",
                   config(data.meta["size"], a.channels, a.layers, a.groups, round(1 / std, 6)))
        Path(a.work).mkdir(parents=True, exist_ok=True)
        torch.save({"model": model.state_dict(), "args": vars(a), "std": std}, Path(a.work) / "vae.pt")
        ema.swap()
        return std, quality

    clock = Clock(a.steps, a.minutes)
    curve = Curve(a.curve, ["step", "seconds", "rate", "mse", "kl", "latent_std", "test_psnr_db"]) if workers.first else None
    mse_sum = kl_sum = 0.0
    every, saves = 100, 0
    while workers.agree(clock.progress()) < 1:
        rate = workers.agree(clock.rate(a.rate))
        for group in opt.param_groups:
            group["lr"] = rate
        x = data.batch(rng.integers(len(data), size=a.batch))
        with torch.autocast("cpu", torch.bfloat16):
            mean, logvar = model.encode(x)
            mean, logvar = mean.float(), logvar.float()
            z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
            y = model.decode(z).float()
        mse = (y - x).square().mean()
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum() / a.batch
        loss = mse + 0.1 * (y - x).abs().mean() + a.kl * kl
        opt.zero_grad(set_to_none=True)
        loss.backward()
        workers.average(model.parameters())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        ema.update()
        clock.step += 1
        mse_sum, kl_sum = mse_sum + mse.item(), kl_sum + kl.item()
        if clock.step % every == 0 and workers.first:
            std = quality = float("nan")
            if clock.elapsed() > 180 * (saves + 1):
                (std, quality), saves = save(), saves + 1
            curve.add(clock.step, clock.elapsed(), rate, mse_sum / every, kl_sum / every, std, quality)
            mse_sum = kl_sum = 0.0
    if not workers.first:
        return
    std, quality = save()
    curve.add(clock.step, clock.elapsed(), rate, mse.item(), kl.item(), std, quality)


if __name__ == "__main__":
    main()
