"""Writes random files of weights with safetensors and torch and compares every value with what Percept reads.

    go build -o values ./tools/checkpoint/values
    python3 tools/checkpoint/random_weights.py ./values N SEED

The files have all element types of both libraries, views of any strides, shared storages, Parameters, state_dicts of modules
(also with parametrizations), nested containers, zip and legacy files with every pickle protocol, and the settings
of torch.save. Each is read back by its own library. Exit status 1 where a value differs, a file is refused that the
library reads, or a tensor is refused whose type is not in REFUSED.

Made with torch 2.15.0, safetensors 0.8.0, numpy 2.4.6.
"""
import base64
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch.utils.serialization import config as saving

COMMON = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
          torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2]
# Types without values here, by their names in torch and in safetensors.
REFUSED = {torch.complex64: "C64", torch.complex128: None, torch.complex32: None, torch.float8_e8m0fnu: "F8_E8M0",
           torch.float8_e4m3fnuz: "F8_E4M3FNUZ", torch.float8_e5m2fnuz: "F8_E5M2FNUZ", torch.float4_e2m1fn_x2: "F4"}
BARE = {"F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "C64": 64, "F8_E8M0": 8}


def random_bits(rng, shape, dtype):
    """A tensor of any bits; booleans are 0 and 1."""
    n = int(np.prod(shape, dtype=np.int64))
    size = torch.empty(0, dtype=dtype).element_size()
    data = bytes(rng.getrandbits(8) & (1 if dtype == torch.bool else 255) for _ in range(n * size))
    t = torch.frombuffer(bytearray(data), dtype=torch.uint8) if n else torch.empty(0, dtype=torch.uint8)
    return t.view(dtype).reshape(shape)


def shape_of(rng):
    return tuple(rng.choice([0, 1, 2, 3, 5, 8]) if rng.random() < 0.9 else 17 for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4])))


def view(rng, t):
    """Some view of a tensor."""
    for _ in range(rng.choice([0, 0, 1, 2])):
        how = rng.choice(["transpose", "slice", "step", "expand", "narrow", "unsqueeze", "channels"])
        if how == "transpose" and t.dim() > 1:
            t = t.transpose(rng.randrange(t.dim()), rng.randrange(t.dim()))
        elif how == "slice" and t.dim() and t.shape[0] > 1:
            t = t[rng.randrange(t.shape[0]):]
        elif how == "step" and t.dim():
            t = t[..., ::rng.choice([1, 2, 3])]
        elif how == "expand":
            t = t.unsqueeze(0).expand((rng.choice([1, 3]),) + tuple(t.shape))
        elif how == "narrow" and t.dim() and t.shape[-1] > 2:
            t = t.narrow(-1, 1, t.shape[-1] - 2)
        elif how == "unsqueeze":
            t = t.unsqueeze(rng.randint(0, t.dim()))
        elif how == "channels" and t.dim() == 4 and t.dtype in COMMON[:4]:
            t = t.contiguous(memory_format=torch.channels_last)
    return t


def tensor(rng):
    dtype = rng.choice(COMMON) if rng.random() < 0.9 else rng.choice(list(REFUSED))
    return view(rng, random_bits(rng, shape_of(rng), dtype))


def name(rng):
    parts = ["weight", "bias", "a", "layers.0", "é", "語", "x y", "_", '"', "0", "."]
    return "".join(rng.choice(parts) for _ in range(rng.randint(1, 4))).strip(".") or "w"


def module(rng):
    parts = [torch.nn.Conv2d(2, 4, 3), torch.nn.Linear(3, 5), torch.nn.LayerNorm(4), torch.nn.BatchNorm2d(3), torch.nn.Embedding(7, 2)]
    m = torch.nn.Sequential(*rng.sample(parts, rng.randint(1, 5)))
    for part in m:
        how = rng.random()
        if isinstance(part, (torch.nn.Linear, torch.nn.Conv2d)) and how < 0.6:
            f = rng.choice([torch.nn.utils.parametrizations.weight_norm, torch.nn.utils.parametrizations.spectral_norm,
                            torch.nn.utils.parametrizations.orthogonal])
            f(part)
    return m.to(rng.choice([torch.float32, torch.float64, torch.float16, torch.bfloat16])) if rng.random() < 0.3 else m


def tree(rng, depth=0):
    """Something that torch.save takes and that weights_only reads."""
    kind = rng.choice(["dict", "dict", "ordered", "list", "tuple", "module", "parameter", "default"] if depth < 2 else ["tensor"])
    if kind == "module":
        return module(rng).state_dict(keep_vars=rng.random() < 0.5)
    if kind == "parameter":
        t = random_bits(rng, shape_of(rng), rng.choice(COMMON[:4]))
        return torch.nn.Parameter(t, requires_grad=rng.random() < 0.5)
    if kind == "tensor":
        return tensor(rng)
    items = [rng.choice([lambda: tree(rng, depth + 1), lambda: tensor(rng), lambda: tensor(rng), lambda: rng.choice([
        1, 2.5, None, True, "text", b"bytes", torch.float32, torch.device("cpu"), torch.Size([1, 2]), {1, 2}, 3 + 4j])])()
        for _ in range(rng.randint(1, 5))]
    if kind in ("list", "tuple"):
        return items if kind == "list" else tuple(items)
    shared = tensor(rng)  # two names for one storage
    pairs = [(name(rng) if rng.random() < 0.9 else rng.randint(0, 9), x) for x in items] + [("shared", shared), ("again", shared)]
    if kind == "default":
        d = collections.defaultdict(dict)
        d.update(pairs)
        return d
    return dict(pairs) if kind == "dict" else collections.OrderedDict(pairs)


def flatten(x, path="", out=None, last=True):
    """The tensors of a tree by the names that Percept gives them; None where two have one name."""
    out = {} if out is None else out
    if isinstance(x, torch.Tensor):
        key = path or "tensor"
        if key in out and out[key] is not x:
            return None
        out[key] = x
    elif isinstance(x, (dict, list, tuple)) and not isinstance(x, torch.Size):
        for k, v in x.items() if isinstance(x, dict) else enumerate(x):
            if isinstance(k, (str, int)) and flatten(v, f"{path}.{k}" if path else str(k), out) is None:
                return None
    return out


def write_torch(rng, path):
    x = tree(rng)
    saving.save.storage_alignment = rng.choice([64, 64, 16, 256, 4096])
    torch.serialization.set_crc32_options(rng.random() < 0.8)
    protocol, zipped = rng.choice([2, 2, 3, 4, 5]), rng.random() < 0.8
    for weights_only in (True, False):
        try:
            torch.save(x, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
            return flatten(torch.load(path, weights_only=weights_only, map_location="cpu"))
        except Exception:  # of pickle protocols, or of types that torch's legacy files do not have
            pass
    return None


def write_safetensors(rng, path):
    names = {name(rng) for _ in range(rng.randint(0, 6))}
    meta = rng.choice([None, {}, {"format": "pt"}, {"é": "語\n", "": ""}])
    tensors = {}
    for n in names:
        t = random_bits(rng, shape_of(rng), rng.choice(COMMON))
        if rng.random() < 0.15:
            t = random_bits(rng, shape_of(rng), rng.choice([d for d, s in REFUSED.items() if s and s != "F4"]))
        tensors[n] = t
    if rng.random() < 0.3:  # a header with what the library reads and torch has no type for
        entries, data, at = {}, b"", 0
        for n, t in tensors.items():
            raw = t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
            entries[n] = {"dtype": ST[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
            entries[n] |= rng.choice([{}, {}, {"note": 1}])
            data, at = data + raw, at + len(raw)
        for d, bits in rng.sample(list(BARE.items()), 2):
            n = 8 * rng.randint(0, 4)
            entries["bare " + d] = {"dtype": d, "shape": [n], "data_offsets": [at, at + n * bits // 8]}
            data, at = data + bytes(rng.getrandbits(8) for _ in range(n * bits // 8)), at + n * bits // 8
        items = list(entries.items())
        rng.shuffle(items)
        head = dict(items) | rng.choice([{}, {"__metadata__": None}, {"__metadata__": {}}, {"__metadata__": {"a": "b"}}])
        text = rng.choice(["", " "]) + json.dumps(head, ensure_ascii=rng.random() < 0.5) + " " * rng.randint(0, 9)
        header = text.encode()
        open(path, "wb").write(len(header).to_bytes(8, "little") + header + data)
    else:
        save_file(tensors, path, metadata=meta if tensors else None)  # without tensors the library does not read its {}
    back = {}
    for n, info in safetensors.deserialize(open(path, "rb").read()):
        known = next((t for t, s in ST.items() if s == info["dtype"] and t != torch.float4_e2m1fn_x2), None)
        raw = bytes(info["data"])
        if known is None:
            back[n] = info["dtype"], raw
        elif raw:
            back[n] = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(known).reshape(info["shape"])
        else:
            back[n] = torch.empty(info["shape"], dtype=known)
    return back


ST = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32",
      torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64",
      torch.bool: "BOOL", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2"} | {d: s for d, s in REFUSED.items() if s}


def bits(t):
    t = torch.empty(t.shape, dtype=t.dtype).copy_(t.detach())
    return t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""


def compare(want, got, counts):
    """What is wrong with a tensor; empty where nothing is."""
    counts["tensors"] += 1
    if isinstance(want, tuple) or want.dtype in REFUSED:
        dtype = want[0] if isinstance(want, tuple) else str(want.dtype)
        if not got.get("unreadable"):
            return f"{dtype} was read"
        counts["refused: " + dtype] += 1
        return ""
    if got.get("unreadable"):
        return got["unreadable"]
    if got["shape"] != list(want.shape) or got["dtype"] != ST[want.dtype]:
        return f"{got['dtype']} {got['shape']}, want {want.dtype} {list(want.shape)}"
    if base64.b64decode(got["raw"] or "") != bits(want):
        return "other bytes"
    x = np.frombuffer(base64.b64decode(got["f32"] or ""), "<f4")
    if want.dtype in (torch.uint64, torch.int64):
        y = want.detach().contiguous().numpy().astype(np.float32).reshape(-1)
    else:
        y = want.detach().contiguous().to(torch.float32).numpy().reshape(-1)
    counts["values"] += x.size
    if not np.array_equal(x, y, equal_nan=True):
        return "other values"
    return ""


def main():
    values, n, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng, counts, wrong = random.Random(seed), collections.Counter(), 0
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory() as top:
        expected = {}
        while len(expected) < n:
            kind = rng.choice(["safetensors", "pt"])
            path = os.path.join(top, f"{len(expected)}.{kind}")
            want = write_safetensors(rng, path) if kind == "safetensors" else write_torch(rng, path)
            if want is None:
                continue  # two tensors of one name, or torch does not read it back
            expected[os.path.basename(path)] = want
            counts[kind] += 1
        ran = subprocess.run([values], input="\n".join(os.path.join(top, f) for f in expected), capture_output=True, text=True)
        reports = {r["file"]: r for r in map(json.loads, ran.stdout.splitlines())}
        for file, want in expected.items():
            r = reports.get(file) or {"error": "crashed: " + ran.stderr[:300]}
            if r.get("error"):
                bad = [r["error"]]
            else:
                bad = [f"tensors {sorted(r['tensors'])}, want {sorted(want)}"] if set(r["tensors"]) != set(want) else []
                bad += [f"{n}: {b}" for n in want if n in r["tensors"] and (b := compare(want[n], r["tensors"][n], counts))]
            if bad:
                wrong += 1
                print(file, *bad[:3], sep="\n    ")
    print(f"{n} files, {wrong} wrong")
    for key, k in sorted(counts.items()):
        print(f"{k:8d} {key}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
