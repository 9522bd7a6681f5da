"""Writes what the tests of weights hold against their libraries.

    python3 tools/checkpoint/goldens.py

    weights/testdata/types.safetensors   a tensor of every type of safetensors 0.8, types.json the values of those that are numbers
    weights/testdata/parametrized.pt     the state_dict of a module with parametrizations, parametrized.json its values
    testdata/saved/text_encoder          a text encoder as transformers 5.24 saves it, expected.json what it makes of ids

Made with torch 2.15.0, safetensors 0.8.0, transformers 5.24.0.
"""
import json
import os
import random

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import safetensors
import torch
from transformers import CLIPTextConfig, CLIPTextModel

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16,
        "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6,
        "F4": 4, "C64": 64}
TORCH = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
         "I16": torch.int16, "I8": torch.int8, "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8,
         "BOOL": torch.bool, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}


def dump(value, *path):
    with open(os.path.join(ROOT, *path), "w") as f:
        f.write(json.dumps(value, separators=(",", ":")) + "\n")


def float32_bits(t):
    return t.detach().to(torch.float32).contiguous().view(torch.int32).flatten().tolist()


def types():
    rng = random.Random(1)
    header, data = {}, b""
    for dtype, bits in BITS.items():
        raw = bytes(rng.getrandbits(8) & (1 if dtype == "BOOL" else 0x7b) for _ in range(8 * bits // 8))
        header[dtype] = {"dtype": dtype, "shape": [2, 4], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    path = os.path.join(ROOT, "weights", "testdata", "types.safetensors")
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + data)
    read = dict(safetensors.deserialize(open(path, "rb").read()))
    assert read.keys() == BITS.keys() and all(read[d]["dtype"] == d and read[d]["shape"] == [2, 4] for d in BITS)
    values = {d: torch.frombuffer(bytearray(read[d]["data"]), dtype=t) for d, t in TORCH.items()}
    dump({d: float32_bits(t.to(torch.float64) if d == "U64" else t) for d, t in values.items()}, "weights", "testdata", "types.json")


def parametrized():
    torch.manual_seed(1)
    m = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Conv2d(2, 3, 1), torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    torch.nn.utils.parametrizations.weight_norm(m[0])
    torch.nn.utils.parametrizations.spectral_norm(m[1])
    torch.nn.utils.parametrizations.orthogonal(m[2])
    state = m.state_dict()
    state["float8"] = torch.arange(6, dtype=torch.float32).reshape(2, 3).t().to(torch.float8_e4m3fn)
    state["brain"] = torch.randn(2, 3).to(torch.bfloat16).t()
    state["scale"] = torch.ones(2).to(torch.float8_e8m0fnu)
    path = os.path.join(ROOT, "weights", "testdata", "parametrized.pt")
    torch.save(state, path)
    state = torch.load(path, weights_only=True)
    dump({n: {"shape": list(t.shape), "bits": float32_bits(t) if t.dtype != torch.float8_e8m0fnu else None} for n, t in state.items()},
         "weights", "testdata", "parametrized.json")


def text_encoder():
    torch.manual_seed(2)
    config = CLIPTextConfig(vocab_size=40, hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
                            projection_dim=8, max_position_embeddings=12, bos_token_id=38, eos_token_id=39, pad_token_id=39)
    model = CLIPTextModel(config).eval()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.5)
    folder = os.path.join(ROOT, "testdata", "saved", "text_encoder")
    model.save_pretrained(folder)
    ids = torch.tensor([[38, 5, 17, 3, 39, 39, 39, 39, 39, 39, 39, 39], [38, 39] + [0] * 10])
    with torch.no_grad():
        hidden = CLIPTextModel.from_pretrained(folder).double()(ids).last_hidden_state
    values = [float(f"{x:.9g}") for x in hidden.flatten().tolist()]
    dump({"ids": ids.tolist(), "last_hidden_state": values}, "testdata", "saved", "expected.json")


types()
parametrized()
text_encoder()
