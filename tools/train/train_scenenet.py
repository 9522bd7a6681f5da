"""Trains the small network whose features judge pictures. It has nothing to do with the
generator: other scenes, no reconstructions, no latents.

    python train_scenenet.py --data DIR --test DIR --out MODEL
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from common import Clock, Curve, Scenes, export, write_json
from layers import count

EPS = 1e-5


class SceneNet(nn.Module):
    """Stride-two convolutions, mean over positions, linear: what is in a picture in [-1, 1]."""

    def __init__(self, channels, groups, labels):
        super().__init__()
        self.depth = len(channels)
        for i, c in enumerate(channels):
            setattr(self, f"conv{i}", nn.Conv2d(channels[i - 1] if i else 3, c, 3, stride=2, padding=1))
            setattr(self, f"norm{i}", nn.GroupNorm(groups, c, EPS))
        self.linear = nn.Linear(channels[-1], labels)

    def features(self, x):
        for i in range(self.depth):
            x = F.silu(getattr(self, f"norm{i}")(getattr(self, f"conv{i}")(x)))
        return x.mean(dim=(2, 3))

    def forward(self, x):
        return self.linear(self.features(x))


def augment(x):
    """Brightness, contrast, colour, blur and noise, each on some of the pictures."""
    n = len(x)
    some = lambda p: (torch.rand(n, 1, 1, 1) < p).float()
    x = x * (1 + some(0.5) * 0.3 * (torch.rand(n, 1, 1, 1) - 0.5))
    x = x + some(0.5) * 0.2 * (torch.rand(n, 1, 1, 1) - 0.5) + some(0.5) * 0.16 * (torch.rand(n, 3, 1, 1) - 0.5)
    small = F.interpolate(x, scale_factor=0.5, mode="bilinear", antialias=True)
    soft = F.interpolate(small, size=x.shape[-2:], mode="bilinear")
    x = torch.lerp(x, soft, some(0.5) * torch.rand(n, 1, 1, 1))
    return (x + some(0.5) * 0.15 * torch.rand(n, 1, 1, 1) * torch.randn_like(x)).clamp(-1, 1)


def accuracy(model, test, n):
    """Mean over labels of the balanced accuracy on clean test scenes."""
    with torch.no_grad():
        logits = torch.cat([model(test.batch(range(i, i + 100))) for i in range(0, n, 100)])
    said, truth = logits.numpy() > 0, test.labels[:n] > 0.5
    rates = [(said[:, j] == truth[:, j])[truth[:, j] == side].mean()
             for j in range(truth.shape[1]) for side in (False, True)]
    return float(np.mean(rates))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--test", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--curve", default="curves/scenenet.csv")
    p.add_argument("--channels", type=int, nargs="+", default=[24, 48, 96, 128])
    p.add_argument("--groups", type=int, default=8)
    p.add_argument("--batch", type=int, default=48)
    p.add_argument("--rate", type=float, default=3e-3)
    p.add_argument("--steps", type=int, default=1600)
    p.add_argument("--minutes", type=float, default=6)
    p.add_argument("--seed", type=int, default=100)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    data, test = Scenes(a.data), Scenes(a.test)
    names = data.meta["labels"]
    model = SceneNet(a.channels, a.groups, len(names))
    print("parameters", count(model), flush=True)
    opt = torch.optim.AdamW(model.parameters(), a.rate, weight_decay=1e-2, fused=True)
    labels = torch.from_numpy(data.labels.copy())
    clock, curve = Clock(a.steps, a.minutes), Curve(a.curve, ["step", "seconds", "rate", "loss", "test_accuracy"])
    total, every = 0.0, 100
    while clock.progress() < 1:
        rate = clock.rate(a.rate, warmup=100)
        opt.param_groups[0]["lr"] = rate
        index = rng.integers(len(data), size=a.batch)
        x = augment(data.batch(index))
        if rng.random() < 0.5:
            x = x.flip(3)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(x)
        loss = F.binary_cross_entropy_with_logits(logits.float(), labels[index])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        clock.step += 1
        total += loss.item()
        if clock.step % every == 0:
            curve.add(clock.step, clock.elapsed(), rate, total / every, accuracy(model, test, 500))
            total = 0.0
    curve.add(clock.step, clock.elapsed(), rate, loss.item(), accuracy(model, test, 2000))
    export(model, Path(a.out) / "scenenet/model.safetensors")
    write_json(Path(a.out) / "scenenet/config.json", {
        "_class_name": "SceneNet", "act_fn": "silu", "channels": a.channels, "norm_num_groups": a.groups,
        "norm_eps": EPS, "sample_size": data.meta["size"], "labels": names})


if __name__ == "__main__":
    main()
