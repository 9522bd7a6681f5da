"""Data-parallel training over processes of one thread each.

One gradient exchange per step waits far less on a shared machine than the threads of every
single operation do. Started by torchrun; alone, everything here does nothing.
"""
import os

import torch
import torch.distributed as dist


class Workers:
    def __init__(self):
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        if self.size > 1:
            torch.set_num_threads(1)
            dist.init_process_group("gloo")

    @property
    def first(self):
        return self.rank == 0

    def average(self, params):
        """Replaces gradients by their mean over the workers."""
        if self.size == 1:
            return
        grads = [p.grad for p in params if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in grads])
        dist.all_reduce(flat)
        flat /= self.size
        at = 0
        for g in grads:
            g.copy_(flat[at:at + g.numel()].view_as(g))
            at += g.numel()

    def agree(self, value):
        """The first worker's value of a number, on all workers."""
        if self.size == 1:
            return value
        t = torch.tensor([float(value)], dtype=torch.float64)
        dist.broadcast(t, 0)
        return t.item()
