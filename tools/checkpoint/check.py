"""Checks generator.py against the sums of package weights' own tests, and names.py against diffusers' conversion.

    python3 check.py
"""
import hashlib
import json
import math
import os

import numpy as np

import generator

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    with open(os.path.join(HERE, "..", "..", "weights", "testdata", "generator_checks.json")) as f:
        checks = json.load(f)
    seed = int(checks["global_seed_hex"], 16)
    n = 0
    for c in checks["parameters"]:
        component, name = c["hashed_name"].split(".", 1)
        if component in ("alexnet", "inception_v3", "clip_vision") or math.prod(c["shape"]) > 1 << 24:
            continue
        got = hashlib.sha256(generator.parameter(component, name, tuple(c["shape"]), seed).astype("<f4").tobytes()).hexdigest()
        assert got == c["sha256_f32_le"], c["hashed_name"]
        n += 1
    assert generator.parameter("nano.unet", "conv_in.weight", (2, 2), half=True).astype(np.float16).astype(np.float32).sum() != 0
    print(n, "parameters equal")


if __name__ == "__main__":
    main()
