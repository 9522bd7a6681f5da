"""Writes the files of testdata/torch and what is in them, torch.json. Made with torch 2.15.0, numpy 2.4.6, Python 3.11."""
import argparse, collections, datetime, fractions, hashlib, json, pathlib, sys, types, zipfile
import numpy as np
import torch

out = pathlib.Path(__file__).parent / "torch"
out.mkdir(exist_ok=True)
torch.manual_seed(0)
manifest = {}


def values(t):
    """The elements in C order, as numbers or (what JSON has not) text."""
    if t.dtype in (torch.float8_e4m3fn, torch.float8_e5m2):
        t = t.float()
    v = t.detach().contiguous().flatten().tolist()
    return [x if isinstance(x, (int, bool)) or x == x and abs(x) != float("inf") else str(x) for x in v]


def describe(name, tensors, **more):
    entry = {}
    for key, t in tensors.items():
        dtype = str(t.dtype).removeprefix("torch.")
        entry[key] = {"dtype": dtype, "shape": list(t.shape)}
        if t.is_sparse or t.is_quantized or t.is_complex() or t.is_neg() or t.device.type == "meta" or t.numel() > 1 << 16:
            entry[key]["problem"] = True
        elif t.numel() > 100:
            entry[key]["sha256"] = hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest()
        else:
            entry[key]["values"] = values(t)
    manifest[name] = {"tensors": entry, **more}


def flat(x, path=""):
    if isinstance(x, torch.Tensor):
        return {path: x}
    items = x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, (list, tuple)) else []
    found = {}
    for k, v in items:
        k = f"{k.__module__}.{k.__qualname__}" if isinstance(k, type) else str(k)
        found.update(flat(v, path + "." + k if path else k))
    return found


def kinds(legacy):
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8 - 1
    d = collections.OrderedDict()
    for dtype in [torch.float64, torch.float32, torch.float16, torch.bfloat16]:
        d["type." + str(dtype)[6:]] = torch.tensor([0.0, -0.0, 1.5, -2.25, 3e-5, float("inf"), float("-inf"), float("nan")]).to(dtype)
    for dtype in [torch.int64, torch.int32, torch.int16, torch.int8]:
        i = torch.iinfo(dtype)
        d["type." + str(dtype)[6:]] = torch.tensor([i.min, -1, 0, 1, i.max], dtype=dtype)
    d["type.uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
    d["type.bool"] = torch.tensor([True, False, True])
    d["view.rows"] = base[1:3]
    d["view.element"] = base[2, 3]
    d["view.columns"] = base[:, 2:5]
    d["view.steps"] = base[::2, 1::2]
    d["view.transposed"] = base.t()
    d["view.whole"] = base
    d["view.flat"] = base.view(-1)
    d["view.overlapping"] = base.as_strided((5, 4), (2, 1))
    d["view.backwards_dims"] = torch.arange(60, dtype=torch.int16).reshape(3, 4, 5).permute(2, 0, 1)
    d["view.channels_last"] = torch.arange(2 * 3 * 2 * 2, dtype=torch.float16).reshape(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    d["view.expanded"] = torch.tensor([[1.0], [2.0]]).expand(2, 3)
    d["view.double_transposed"] = torch.arange(6, dtype=torch.float64).reshape(2, 3).t()
    d["view.byte_transposed"] = torch.arange(6, dtype=torch.uint8).reshape(2, 3).t()
    d["view.large_transposed"] = (torch.arange(70 * 130) % 251).to(torch.uint8).reshape(70, 130).t()
    d["scalar"] = torch.tensor(7.5)
    d["empty"] = torch.empty(0, 3)
    d["empty_view"] = base[4:]
    d["one"] = torch.ones(1, 1, 1)
    d["parameter"] = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    d["parameter_of_view"] = torch.nn.Parameter(base.t()[1:3])
    with_state = torch.nn.Parameter(torch.tensor([3.0]))
    with_state.note = "an attribute"
    d["parameter_with_state"] = with_state
    tagged = torch.tensor([4.0, 5.0])
    tagged.note = "an attribute"
    d["tensor_with_attribute"] = tagged
    d["a name with spaces, ☃ and \"quotes\"\n"] = torch.tensor([1], dtype=torch.int32)
    d["problem.complex"] = torch.tensor([1 + 2j])
    d["problem.quantised"] = torch.quantize_per_tensor(torch.tensor([1.0, 2.0]), 0.5, 0, torch.qint8)
    d["problem.sparse"] = torch.tensor([[0.0, 1.0]]).to_sparse()
    d["problem.neg"] = torch.tensor([1 + 2j]).conj().imag
    d["problem.huge"] = torch.zeros(1).expand(1 << 20, 1 << 20)
    d["problem.meta"] = torch.empty(2, 3, device="meta")
    if not legacy:
        for dtype in [torch.uint16, torch.uint32, torch.uint64]:
            d["type." + str(dtype)[6:]] = torch.tensor([0, 1, torch.iinfo(dtype).max], dtype=dtype)
        for dtype in [torch.float8_e4m3fn, torch.float8_e5m2]:
            d["type." + str(dtype)[6:]] = torch.tensor([0.0, 1.5, -2.0, 448.0]).to(dtype)
        d["view.uint16_transposed"] = torch.arange(6).to(torch.uint16).reshape(2, 3).t()
    return d


def save(name, obj, tensors=None, format="torch zip", **options):
    torch.save(obj, out / name, **options)
    describe(name, flat(obj) if tensors is None else tensors, format=format)


save("zip.pt", kinds(False))
save("legacy.pt", kinds(True), format="torch legacy", _use_new_zipfile_serialization=False)
small = {"w": torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).t(), "n": torch.tensor([7, 8])}
for p in range(1, 6):
    save(f"zip_protocol{p}.pt", small, pickle_protocol=p)
    save(f"legacy_protocol{p}.pt", small, format="torch legacy", pickle_protocol=p, _use_new_zipfile_serialization=False)
torch.serialization.set_crc32_options(False)
save("no_crc.pt", small)
torch.serialization.set_crc32_options(True)

model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
save("state_dict.bin", model.state_dict())
save("nested.pt", {"a": [small, (small["n"], {"b": small["w"]})], 3: {"c": small["n"]}, (1, 2): small["n"], None: small["n"], "s": "text"},
     {"a.0.w": small["w"], "a.0.n": small["n"], "a.1.0": small["n"], "a.1.1.b": small["w"], "3.c": small["n"]})
save("tensor.pt", torch.arange(3.0), {"tensor": torch.arange(3.0)})
save("list.pt", [torch.arange(3.0), torch.arange(2)])

# What pytorch-lightning 1.4 writes, with the classes and numpy scalars that the published checkpoints hold.
pl = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
sys.modules.update({"pytorch_lightning": types.ModuleType("pytorch_lightning"), "pytorch_lightning.callbacks": types.ModuleType("pytorch_lightning.callbacks"), pl.__name__: pl})
pl.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": pl.__name__})
state = collections.OrderedDict()
state["betas"] = torch.linspace(0, 1, 3)
for name, shape in [("time_embed.0.weight", (4, 2)), ("input_blocks.0.0.bias", (4,)), ("out.2.weight", (1, 4, 3, 3))]:
    state["model.diffusion_model." + name] = torch.randn(shape)
state["model_ema.decay"] = torch.tensor(0.9999)
state["model_ema.num_updates"] = torch.tensor(5, dtype=torch.int32)
for name in [n for n in state if n.startswith("model.")]:
    state["model_ema." + name.removeprefix("model.").replace(".", "")] = torch.randn(state[name].shape)
state._metadata = {"": {"version": 1}}
lightning = {
    "epoch": 12, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "state_dict": state,
    "callbacks": {pl.ModelCheckpoint: {"monitor": "val/loss", "best_model_score": torch.tensor(0.25), "current_score": np.float32(1.5), "dirpath": pathlib.PurePosixPath("/logs")}},
    "optimizer_states": [{"state": {0: {"step": 3, "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": np.float64(1e-4), "betas": (0.9, 0.999), "params": [0]}]}],
    "lr_schedulers": [{"base_lrs": [1e-4], "last_epoch": 3, "lr_lambdas": [{"lr_warm_up_steps": [np.int64(10000)], "cycle_lengths": [10**13], "f_max": [np.float64(1.0)]}]}],
    "hparams_name": "kwargs",
    "hyper_parameters": {"args": argparse.Namespace(x=1), "when": datetime.datetime(2022, 8, 1), "ratio": fractions.Fraction(1, 3), "set": {1, 2}, "bytes": b"\0\xff",
                         "array": np.arange(3), "big": 10**30, "counts": collections.Counter("aab"), "default": collections.defaultdict(list, a=[1]), "device": torch.device("cpu"), "shape": torch.Size([1, 2]), "dtype": torch.float16},
}
save("lightning.ckpt", lightning, {**state, "callbacks.pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint.best_model_score": torch.tensor(0.25), "optimizer_states.0.state.0.exp_avg": torch.ones(2)})

# The storages of small.pt as a big-endian machine would have written them; torch.load is asked whether it agrees.
torch.save(small, out / "big_endian.pt")
with zipfile.ZipFile(out / "big_endian.pt") as z:
    members = {i.filename: z.read(i) for i in z.infolist()}
with zipfile.ZipFile(out / "big_endian.pt", "w", zipfile.ZIP_STORED) as z:
    for name, data in members.items():
        if name.endswith("byteorder"):
            data = b"big"
        if "/data/" in name and name[-1].isdigit():
            size = 4 if len(data) == 24 else 8
            data = b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))
        z.writestr(name, data)
loaded = torch.load(out / "big_endian.pt")
assert all(torch.equal(loaded[k], small[k]) for k in small)
describe("big_endian.pt", small, format="torch zip")

# The same with the records of archives beyond 4 GB.
zipfile.ZIP64_LIMIT = 10
with zipfile.ZipFile(out / "zip64.pt", "w", zipfile.ZIP_STORED) as z:
    for name, data in members.items():
        with z.open(name, "w", force_zip64=True) as m:
            m.write(data)
zipfile.ZIP64_LIMIT = 2**31 - 1
loaded = torch.load(out / "zip64.pt")
assert all(torch.equal(loaded[k], small[k]) for k in small)
describe("zip64.pt", small, format="torch zip")

# What is refused.
torch.save(model, out / "refused_module.pt")
torch.jit.script(torch.nn.Linear(1, 1)).save(out / "refused_jit.pt")
with zipfile.ZipFile(out / "refused_deflated.pt", "w", zipfile.ZIP_DEFLATED) as z:
    for name, data in members.items():
        z.writestr(name, data)

(out / "torch.json").write_text(json.dumps(manifest, separators=(",", ":")) + "\n")
