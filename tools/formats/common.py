"""What the scripts of this folder share: how an array is told apart, and Percept's reading of a list of files."""
import hashlib
import json
import os
import subprocess

import numpy as np


def sha256(x):
    """The sum of an array's values as little-endian float64 in C order, every NaN as one; as tools/formats/dump prints it."""
    b = np.array(x, dtype="<f8", order="C")  # a copy
    b[np.isnan(b)] = np.array([0x7FF8000000000000], "<u8").view("<f8")[0]
    return hashlib.sha256(b.tobytes()).hexdigest()


def printable(v):
    """A value as JSON can hold it, as dump prints it."""
    v = float(v)
    if np.isnan(v):
        return "NaN"
    if np.isinf(v):
        return "+Inf" if v > 0 else "-Inf"
    return v


def described(x, most=16):
    """Shape, sum and the first values of an array."""
    x = np.asarray(x)
    return {"shape": list(x.shape), "sha256": sha256(x), "values": [printable(v) for v in x.astype("<f8").ravel()[:most]]}


def percept(paths):
    """What Percept reads from each path or path:name, in order, all in one process."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    dump = os.environ.get("PERCEPT_DUMP")  # a built program; else it is built here
    command = [dump] if dump else ["go", "run", "./tools/formats/dump"]
    out = subprocess.run(command, cwd=root, input="\n".join(paths) + "\n", text=True, capture_output=True)
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    if out.returncode or len(lines) != len(paths):
        raise SystemExit(f"dump: {len(lines)} lines for {len(paths)} files: {out.stderr}")
    return lines
