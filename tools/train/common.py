"""Data, schedules, logs and export, shared by the training scripts."""
import csv
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file


class Scenes:
    """What tools/train/dataset wrote: pictures, captions and labels."""

    def __init__(self, folder):
        folder = Path(folder)
        self.meta = json.loads((folder / "meta.json").read_text())
        n, size = self.meta["n"], self.meta["size"]
        self.images = np.memmap(folder / "images.u8", np.uint8, "r", shape=(n, size, size, 3))
        self.labels = np.fromfile(folder / "labels.f32", "<f4").reshape(n, -1)
        with open(folder / "captions.jsonl") as f:
            self.captions = [json.loads(line) for line in f]

    def __len__(self):
        return self.meta["n"]

    def batch(self, index):
        """Pictures as float32 [n, 3, size, size] in [-1, 1]."""
        x = torch.from_numpy(np.asarray(self.images[np.asarray(index)]))
        return x.permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


class Clock:
    """Progress of a run, 0 to 1: by steps, or by wall time where that ends first.

    The wall-time limit makes a run end on a machine that is busier than expected; the learning
    rate follows the progress either way, so it always comes down to its end."""

    def __init__(self, steps, minutes):
        self.steps, self.seconds, self.start, self.step = steps, 60 * minutes, time.time(), 0

    def elapsed(self):
        return time.time() - self.start

    def progress(self):
        return min(1.0, max(self.step / self.steps, self.elapsed() / self.seconds))

    def rate(self, peak, warmup=200, final=0.02):
        """Linear warm-up in steps, then a cosine down to final * peak."""
        cosine = final + (1 - final) * 0.5 * (1 + math.cos(math.pi * self.progress()))
        return peak * cosine * min(1.0, (self.step + 1) / warmup)


class Curve:
    """A CSV file of losses, flushed at every row."""

    def __init__(self, path, columns):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.file = open(path, "w", newline="")
        self.writer = csv.writer(self.file)
        self.writer.writerow(columns)

    def add(self, *values):
        self.writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in values])
        self.file.flush()
        print(*(f"{v:.5g}" if isinstance(v, float) else v for v in values), flush=True)


def write_json(path, value):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def export(model, path, meta=None):
    """Writes float16 safetensors, the format of the embedded model."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.detach().to(torch.float16).contiguous() for k, v in model.state_dict().items()}
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"format": "pt", **(meta or {})})
    part.chmod(0o644)
    part.rename(path)
