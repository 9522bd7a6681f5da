#!/bin/sh
# diffusers 0.42.1: weights that save_pretrained cuts into .bin shards are not found by from_pretrained.
#
# safe_serialization=False and max_shard_size are documented settings of save_pretrained, and sharded safetensors load again. One would
# guess that a model loads from the folder that the same class has just written.
#
# Seen: with both settings save_pretrained writes shards and an index, and from_pretrained of the same folder raises an OSError that says there
# is no file of weights; each setting alone is read back bit for bit.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 torch==2.15.0 diffusers==0.42.1 transformers==5.24.0
cd "$dir"
"$dir/env/bin/python" - <<'PY' 2>/dev/null
import os
import diffusers
import torch
from diffusers import AutoencoderKL

assert diffusers.__version__ == "0.42.1"
m = AutoencoderKL(block_out_channels=(32,), latent_channels=4, sample_size=8)
seen = {}
for safe in (True, False):
    for size in ("10GB", "100KB"):
        folder = f"{safe}{size}"
        m.save_pretrained(folder, safe_serialization=safe, max_shard_size=size)
        try:
            again = AutoencoderKL.from_pretrained(folder, low_cpu_mem_usage=False).state_dict()
            seen[safe, size] = all(torch.equal(v, again[k]) for k, v in m.state_dict().items())
        except OSError as e:
            seen[safe, size] = "OSError: " + str(e).splitlines()[0][:90]
        print(f"safetensors {safe}, shards of at most {size}: {len(os.listdir(folder)) - 1} files of weights, read back: {seen[safe, size]}")
assert seen[True, "10GB"] is True and seen[True, "100KB"] is True and seen[False, "10GB"] is True, seen
assert str(seen[False, "100KB"]).startswith("OSError"), seen
print("as described")
PY
