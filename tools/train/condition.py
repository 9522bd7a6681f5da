"""What the U-Net is conditioned on in training.

A decoder of brain activity predicts c, the text encoder's output, as the mean over the captions of
a picture, shrunk towards the mean of all pictures and with noise. The U-Net must know such c.
"""
import numpy as np
import torch

EMPTY, MEAN, SHRINK = 0.10, 0.35, 0.15


class Conditioner:
    def __init__(self, text, tokenizer, rng):
        self.text, self.rng = text, rng
        self.empty = torch.tensor([tokenizer("")])
        self.mean = self.spread = None

    def __call__(self, ids):
        """Context [n, t, d] of n scenes from the ids [n, captions, t] of their captions.

        10 % get the empty prompt, 35 % the mean over two to five captions, the others one
        caption; 15 % of those with a caption are shrunk to the running mean, with noise."""
        n, captions, _ = ids.shape
        rows, weight = [self.empty], []
        count = 1
        for i in range(n):
            u = self.rng.random()
            if u < EMPTY:
                weight.append((i, 0, 1.0))
                continue
            k = int(self.rng.integers(2, captions + 1)) if u < EMPTY + MEAN else 1
            rows.append(ids[i, self.rng.permutation(captions)[:k]])
            weight += [(i, count + j, 1.0 / k) for j in range(k)]
            count += k
        c = self.text(torch.cat(rows)).float()
        w = torch.zeros(n, count)
        for i, j, v in weight:
            w[i, j] = v
        self.observe(c[1:].detach())
        full = torch.einsum("nm,mtd->ntd", w, c)
        return self.disturb(full, w[:, 0] == 0)

    def observe(self, c):
        """Running mean and standard deviation over captions, per position and channel."""
        mean, spread = c.mean(0), c.std(0)
        if self.mean is None:
            self.mean, self.spread = mean, spread
        self.mean = self.mean.lerp(mean, 0.02)
        self.spread = self.spread.lerp(spread, 0.02)

    def disturb(self, c, captioned):
        pick = torch.from_numpy(self.rng.random(len(c)) < SHRINK) & captioned
        shrink = torch.from_numpy(self.rng.uniform(0.4, 1, len(c))).float()
        noise = torch.from_numpy(np.where(self.rng.random(len(c)) < 0.5, 0, self.rng.uniform(0, 0.5, len(c)))).float()
        s, e = shrink[:, None, None], noise[:, None, None]
        other = self.mean + s * (c - self.mean) + e * self.spread * torch.randn_like(c)
        return torch.where(pick[:, None, None], other, c)
