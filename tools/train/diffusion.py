"""Stable Diffusion's noise schedule, the training loss and deterministic DDIM."""
import torch

STEPS = 1000


def alpha_bar():
    """Cumulative products of the scaled-linear schedule, 0.00085 to 0.012."""
    beta = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64).square()
    return torch.cumprod(1 - beta, 0).float()


ALPHA_BAR = alpha_bar()


def timesteps(n, generator=None):
    """n training steps spread evenly with a random offset, which quietens the loss."""
    u = (torch.rand(1, generator=generator) + torch.arange(n) / n) % 1
    return (u[torch.randperm(n, generator=generator)] * STEPS).long().clamp(max=STEPS - 1)


def noisy(z, noise, t):
    a = ALPHA_BAR[t][:, None, None, None]
    return a.sqrt() * z + (1 - a).sqrt() * noise


def min_snr(t, gamma=5.0):
    """Weights of the noise loss, min(SNR, gamma) / SNR (Hang et al. 2023)."""
    snr = ALPHA_BAR[t] / (1 - ALPHA_BAR[t])
    return snr.clamp(max=gamma) / snr


@torch.no_grad()
def ddim(unet, z, context, empty, steps=25, guidance=4.0):
    """Denoises z [n, 4, h, w]; leading spacing with offset 1 as in diffusers, eta 0."""
    ratio = STEPS // steps
    context = torch.cat([empty.expand_as(context), context])
    for i in reversed(range(steps)):
        t = i * ratio + 1
        eps = unet(torch.cat([z, z]), torch.full((2 * len(z),), t), context).float()
        free, held = eps.chunk(2)
        eps = free + guidance * (held - free)
        a, before = ALPHA_BAR[t], ALPHA_BAR[t - ratio if t >= ratio else 0]
        z0 = (z - (1 - a).sqrt() * eps) / a.sqrt()
        z = before.sqrt() * z0 + (1 - before).sqrt() * eps
    return z
