"""Encodes scenes once: the moments of their latents, and their captions as tokens.

    torchrun --nproc-per-node 2 encode.py --data DIR --ckpt DIR/vae.pt --model MODEL --out FILE.npz
"""
import argparse

import numpy as np
import torch

from common import Scenes
from parallel import Workers
from tokenizer import Tokenizer
from vae import VAE


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--ckpt", required=True)
    p.add_argument("--model", required=True, help="model folder with tokenizer/")
    p.add_argument("--out", required=True)
    p.add_argument("--positions", type=int, default=32)
    a = p.parse_args()
    workers = Workers()
    ckpt = torch.load(a.ckpt, weights_only=True)
    model = VAE(ckpt["args"]["channels"], ckpt["args"]["layers"], ckpt["args"]["groups"])
    model.load_state_dict(ckpt["model"])
    data = Scenes(a.data)
    part = -(-len(data) // workers.size)
    mine = range(workers.rank * part, min((workers.rank + 1) * part, len(data)))
    means, stds = [], []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for i in range(mine.start, mine.stop, 64):
            mean, logvar = model.encode(data.batch(range(i, min(i + 64, mine.stop))))
            means.append(mean.half().numpy())
            stds.append((0.5 * logvar.float()).exp().half().numpy())
    np.savez(f"{a.out}.{workers.rank}.npz", mean=np.concatenate(means), std=np.concatenate(stds))
    if workers.size > 1:
        torch.distributed.barrier()
    if not workers.first:
        return
    parts = [np.load(f"{a.out}.{r}.npz") for r in range(workers.size)]
    tokenize = Tokenizer(a.model + "/tokenizer", a.positions)
    ids = np.array([[tokenize(c) for c in captions] for captions in data.captions], np.int16)
    np.savez(a.out, mean=np.concatenate([q["mean"] for q in parts]), std=np.concatenate([q["std"] for q in parts]),
             ids=ids, scale=1 / ckpt["std"])
    print(len(data), "scenes, scaling factor", 1 / ckpt["std"])


if __name__ == "__main__":
    main()
