#!/bin/sh
# safetensors 0.8.0: a file of no tensors with empty metadata, written by save_file, is not JSON and cannot be read back.
#
# save_file({}, path, metadata={}) succeeds. One would guess either metadata={} to count as none, as it does for a file with
# tensors, or an empty object in the header.
#
# Seen: the header is {},"__metadata__":{}} (a closed object with more behind it), and safe_open refuses the file.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 safetensors==0.8.0
cd "$dir"
"$dir/env/bin/python" - <<'PY'
import importlib.metadata as md
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

assert md.version("safetensors") == "0.8.0"


def header(path):
    b = open(path, "rb").read()
    return b[8:8 + int.from_bytes(b[:8], "little")].decode().rstrip()


def read(path):
    try:
        with safe_open(path, "numpy") as f:
            return sorted(f.keys())
    except SafetensorError as e:
        return f"SafetensorError: {e}"


save_file({}, "none.safetensors")
save_file({}, "empty.safetensors", metadata={})
save_file({"x": np.zeros(1, "f4")}, "tensor.safetensors", metadata={})
for name in ("none", "empty", "tensor"):
    print(f"{name}: header {header(name + '.safetensors')}, read: {read(name + '.safetensors')}")
assert read("none.safetensors") == [] and read("tensor.safetensors") == ["x"]
assert header("empty.safetensors") == '{},"__metadata__":{}}' and read("empty.safetensors").startswith("SafetensorError")
print("as described")
PY
