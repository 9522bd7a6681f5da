"""Makes the test data of unet, vae and clip out of the reference folder's tiny/ cases.

    python sample.py TINY REPOSITORY

TINY has been written by torch, diffusers and transformers in float64 (weights: package synth). Inputs and outputs are
kept whole. Of every module's output 256 values are kept, elements floor(j*n/256) of the n flattened ones, or all
where there are fewer: enough to notice an output that is wrong, in a tenth of the space.
"""
import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

tiny, repo = map(pathlib.Path, sys.argv[1:])
WHOLE = ("input", "output", "latent", "timesteps", "context", "eps")


def sample(a):
    a = a.reshape(-1)
    return a if a.size <= 256 else a[np.arange(256) * a.size // 256].copy()


def rms(a):
    return float(np.sqrt(np.mean(np.square(a, dtype=np.float64))))


def activations(name, package):
    tensors = load_file(tiny / f"{name}.safetensors")
    modules = json.loads((tiny / f"{name}.json").read_text())["modules"]
    out = {k: v if k in WHOLE or not k.startswith("mod:") else sample(v) for k, v in tensors.items()}
    save_file(out, repo / package / "testdata" / f"{name}.safetensors")
    lines = ",\n".join(json.dumps(m) for m in modules)
    (repo / package / "testdata" / f"{name}.json").write_text(f'{{"modules": [\n{lines}\n]}}\n')


def copy(name, package):
    save_file(load_file(tiny / f"{name}.safetensors"), repo / package / "testdata" / f"{name}.safetensors")


for package in ("unet", "vae", "clip"):
    (repo / package / "testdata").mkdir(exist_ok=True)
copy("unet_io", "unet")
activations("unet_activations", "unet")
copy("vae_io", "vae")
activations("vae_encode_activations", "vae")
activations("vae_decode_activations", "vae")

probs = load_file(tiny / "unet_attn2_probs.safetensors")
errors = json.loads((tiny / "unet_activations.json").read_text())["attn2_probs"]
table = [
    {"path": k, "shape": [1, *v.shape], "f32_max_abs": errors[k.removesuffix(".probs")]["f32_max_abs"], "rms": rms(v)}
    for k, v in probs.items()
]
save_file({f"mod:{k}": sample(v) for k, v in probs.items()}, repo / "unet/testdata/unet_attn2_probs.safetensors")
lines = ",\n".join(json.dumps(m) for m in table)
(repo / "unet/testdata/unet_attn2_probs.json").write_text(f'{{"modules": [\n{lines}\n]}}\n')

text = load_file(tiny / "text_io.safetensors")
save_file({k: sample(v) if k.startswith("mod:") else v for k, v in text.items()}, repo / "clip/testdata/text_io.safetensors")
modules = json.loads((tiny / "text_io.json").read_text())["modules"]
lines = ",\n".join(json.dumps(m) for m in modules)
(repo / "clip/testdata/text_io.json").write_text(f'{{"modules": [\n{lines}\n]}}\n')

# The nano models: weights of package synth rounded to float16.
nano = load_file(tiny / "nano_io.safetensors")
for package, part in ("unet", "unet."), ("vae", "vae."), ("clip", "text."):
    save_file({k: v for k, v in nano.items() if k.startswith(part)}, repo / package / "testdata/nano_io.safetensors")
for package, part in ("unet", "unet"), ("vae", "vae"), ("clip", "text_encoder"):
    config = (tiny / "weights" / part / "config.json").read_text()
    (repo / package / "testdata/nano_config.json").write_text(config)
