"""Trains the U-Net and the text encoder of the embedded model, together.

    torchrun --nproc-per-node 2 train_unet.py --latents FILE.npz --test FILE.npz --out MODEL --work DIR
"""
import argparse
from pathlib import Path

import numpy as np
import torch

import text as text_encoder
import unet as denoiser
from common import Clock, Curve, export, write_json
from condition import Conditioner
from diffusion import min_snr, noisy, timesteps
from layers import EMA, count, scale_init
from parallel import Workers
from tokenizer import Tokenizer


class Latents:
    """What encode.py wrote."""

    def __init__(self, path):
        f = np.load(path)
        self.mean, self.std, self.scale = f["mean"], f["std"], float(f["scale"])
        self.ids = torch.from_numpy(f["ids"]).long()

    def batch(self, index):
        """Sampled latents, scaled to unit variance, and the ids of their captions."""
        mean = torch.from_numpy(self.mean[index]).float()
        std = torch.from_numpy(self.std[index]).float()
        return (mean + std * torch.randn_like(mean)) * self.scale, self.ids[index]


def validate(net, text, test, n=512):
    """Mean squared error of the predicted noise on test scenes, unweighted, on fixed draws."""
    state = torch.get_rng_state()
    torch.manual_seed(123)
    total = 0.0
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for i in range(0, n, 64):
            z, ids = test.batch(np.arange(i, i + 64))
            t, noise = timesteps(64), torch.randn_like(z)
            eps = net(noisy(z, noise, t), t, text(ids[:, 0]))
            total += (eps.float() - noise).square().mean().item() * 64
    torch.set_rng_state(state)
    return total / n


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--latents", required=True)
    p.add_argument("--test", required=True)
    p.add_argument("--out", required=True, help="model folder with tokenizer/; writes unet/ and text_encoder/ there")
    p.add_argument("--work", required=True, help="folder for the float32 checkpoint")
    p.add_argument("--curve", default="curves/unet.csv")
    p.add_argument("--channels", type=int, nargs="+", default=[64, 128, 128])
    p.add_argument("--layers", type=int, default=1)
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--groups", type=int, default=16)
    p.add_argument("--text-width", type=int, default=128)
    p.add_argument("--text-layers", type=int, default=2)
    p.add_argument("--batch", type=int, default=32, help="latents per worker and step")
    p.add_argument("--rate", type=float, default=1.2e-3)
    p.add_argument("--steps", type=int, default=6000)
    p.add_argument("--minutes", type=float, default=55)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--init", help="checkpoint of an earlier run to go on from; the optimiser starts anew")
    a = p.parse_args()
    workers = Workers()
    torch.manual_seed(a.seed)

    data, test = Latents(a.latents), Latents(a.test)
    positions, width = data.ids.shape[-1], a.text_width
    tokenizer = Tokenizer(a.out + "/tokenizer", positions)
    text = text_encoder.TextEncoder(len(tokenizer.vocab), positions, width, 4, 4 * width, a.text_layers)
    net = denoiser.UNet(a.channels, a.layers, a.heads, a.groups, width)
    scale_init(net, ("conv2", "proj_out", "conv_out"))
    if a.init:
        first = torch.load(a.init, weights_only=True)
        net.load_state_dict(first["unet"])
        text.load_state_dict(first["text"])
    params = [*net.parameters(), *text.parameters()]
    ema = EMA(params, 0.999)
    decay = [q for q in params if q.ndim > 1]
    plain = [q for q in params if q.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
                            a.rate, betas=(0.9, 0.99), fused=True)
    if workers.first:
        print("parameters: unet", count(net), "text encoder", count(text), flush=True)
    torch.manual_seed(a.seed + 1000 * workers.rank + 1)  # from here on the workers differ
    rng = np.random.default_rng([a.seed, workers.rank])
    condition = Conditioner(text, tokenizer, rng)

    def save():
        ema.swap()
        error = validate(net, text, test)
        out = Path(a.out)
        export(net, out / "unet/diffusion_pytorch_model.safetensors")
        write_json(out / "unet/config.json",
                   denoiser.config(data.mean.shape[-1], a.channels, a.layers, a.heads, a.groups, width))
        export(text, out / "text_encoder/model.safetensors")
        write_json(out / "text_encoder/config.json", text_encoder.config(
            len(tokenizer.vocab), tokenizer.start, tokenizer.end, positions, width, 4, 4 * width, a.text_layers))
        torch.save({"unet": net.state_dict(), "text": text.state_dict(), "args": vars(a), "step": clock.step},
                   Path(a.work) / "unet.pt")
        ema.swap()
        return error

    clock = Clock(a.steps, a.minutes)
    curve = Curve(a.curve, ["step", "seconds", "rate", "weighted_mse", "test_mse"]) if workers.first else None
    total, every, saves = 0.0, 100, 0
    while workers.agree(clock.progress()) < 1:
        rate = workers.agree(clock.rate(a.rate))
        for group in opt.param_groups:
            group["lr"] = rate
        z, ids = data.batch(rng.integers(len(data.mean), size=a.batch))
        t, noise = timesteps(a.batch), torch.randn_like(z)
        with torch.autocast("cpu", torch.bfloat16):
            eps = net(noisy(z, noise, t), t, condition(ids))
        loss = ((eps.float() - noise).square().mean(dim=(1, 2, 3)) * min_snr(t)).mean()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        workers.average(params)
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        if workers.first:
            ema.update()
        clock.step += 1
        total += loss.item()
        if clock.step % every == 0 and workers.first:
            error = float("nan")
            if clock.elapsed() > 300 * (saves + 1):
                error, saves = save(), saves + 1
            curve.add(clock.step, clock.elapsed(), rate, total / every, error)
            total = 0.0
    if workers.first:
        curve.add(clock.step, clock.elapsed(), rate, total / max(clock.step % every, 1), save())


if __name__ == "__main__":
    main()
