"""Writes a small SceneNet of random weights, pictures and what torch makes of them in float64.

    python testdata/scenenet.py testdata/scenenet
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

here = Path(__file__).resolve()
sys.path.insert(0, str(here.parents[2] / "tools/train"))
from train_scenenet import EPS, SceneNet  # noqa: E402

out = Path(sys.argv[1])
out.mkdir(exist_ok=True)
channels, groups, size, labels, n = [8, 16, 24], 4, 20, 11, 19
torch.manual_seed(0)
model = SceneNet(channels, groups, labels)
for p in model.parameters():
    if p.dim() == 1:
        torch.nn.init.normal_(p, 0.5, 0.5)
save_file({k: v.detach().numpy() for k, v in model.state_dict().items()}, out / "model.safetensors")
(out / "config.json").write_text(json.dumps({
    "_class_name": "SceneNet", "act_fn": "silu", "channels": channels, "norm_num_groups": groups,
    "norm_eps": EPS, "sample_size": size, "labels": [f"label {i}" for i in range(labels)]}, indent=2) + "\n")

images = np.random.RandomState(0).randint(0, 256, (n, size, size, 3)).astype(np.uint8)
x32 = torch.from_numpy(images).permute(0, 3, 1, 2).float().div(127.5).sub(1)
with torch.no_grad():
    f32, l32 = model.features(x32), model(x32)
    model.double()
    x = torch.from_numpy(images).permute(0, 3, 1, 2).double().div(127.5).sub(1)
    f, l = model.features(x), model(x)
print("float32 error: features", (f - f32).abs().max().item(), "rms", f.square().mean().sqrt().item(),
      "logits", (l - l32).abs().max().item(), "rms", l.square().mean().sqrt().item())
save_file({"images_u8_nhwc": images, "features": f.numpy(), "logits": l.numpy()}, out / "expected.safetensors",
          metadata={"torch": torch.__version__})
