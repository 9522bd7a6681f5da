"""Writes torch_noise.json: what torch's CPU generator draws, as bits.

    python torch_noise.py                                  (torch_noise.json)
    ATEN_CPU_CAPABILITY=default python torch_noise.py      (torch_noise_scalar.json)

Made with torch 2.15.0 (Linux, x86-64) on a processor with AVX-512. Capabilities avx2 and avx512 give the same file.
"""
import hashlib
import json

import torch

scalar = torch.backends.cpu.get_cpu_capability() == "DEFAULT"


def drawn(kind, shape, generator=None):
    f = {"randn": torch.randn, "rand": torch.rand, "randn64": torch.randn}[kind]
    dtype = torch.float64 if kind == "randn64" else torch.float32
    return f(shape, dtype=dtype, generator=generator).flatten()


def record(kind, n, full, generator):
    x = drawn(kind, (n,), generator)
    raw = x.view(torch.int64 if kind == "randn64" else torch.int32)
    data = bytes(x.untyped_storage())
    out = {"kind": kind, "n": n, "sha256": hashlib.sha256(data).hexdigest()}
    mask = (1 << 64) - 1 if kind == "randn64" else (1 << 32) - 1
    at = range(n) if full and n <= 40 else sorted({0, n // 3, n // 2, n - 1})
    out["at"] = [] if full and n <= 40 else list(at)
    out["bits"] = [format(int(raw[i]) & mask, "x") for i in at]
    return out


def generator(seed):
    g = torch.Generator()
    g.manual_seed(seed)
    return g


seeds = [0, 42] if scalar else [0, 42, 1 << 31, (1 << 32) + 1, (1 << 64) - 1]
sizes = list(range(1, 41)) + [255, 256, 4 * 64 * 64, 3 * 4 * 64 * 64 + 5]
cases = []
for seed in seeds:
    for n in sizes:
        calls = [record("randn", n, seed == 42, generator(seed))]
        cases.append({"seed": str(seed), "calls": calls})
    # Successive calls on one generator: the spare of a small call waits through large ones and rand.
    g = generator(seed)
    mixed = [("randn", 3), ("randn", 20), ("randn", 2), ("rand", 5), ("randn", 1), ("randn", 16), ("randn", 7),
             ("rand", 700), ("randn", 100), ("randn", 15), ("randn", 4 * 32 * 32), ("randn", 1), ("randn", 17)]
    cases.append({"seed": str(seed), "calls": [record(k, n, True, g) for k, n in mixed]})

file = "torch_noise_scalar.json" if scalar else "torch_noise.json"
with open(file, "w") as f:
    f.write('{"torch": %s, "capability": %s,\n"latent_sha256": {\n' % (
        json.dumps(torch.__version__), json.dumps(torch.backends.cpu.get_cpu_capability())))
    lines = []
    for seed in [0, 1, 42, 1234]:  # torch.manual_seed(s); torch.randn(1, 4, 64, 64)
        torch.manual_seed(seed)
        data = bytes(torch.randn(1, 4, 64, 64).untyped_storage())
        lines.append('"%d": "%s"' % (seed, hashlib.sha256(data).hexdigest()))
    f.write(",\n".join(lines) + '},\n"cases": [\n')
    f.write(",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
