"""Writes random HDF5 files with h5py and hdf5plugin, reads them with both Percept and h5py, and compares value by value.

    python tools/formats/random_hdf5.py [--files 1000] [--seed 0] [--keep FOLDER] [--dump BINARY]

h5py 3.16.0 (HDF5 2.0.0), hdf5plugin 7.1.0, numpy 2.4.6; Percept as tools/formats/dump prints it. The last lines say how many
datasets differ, how many crash, and what was refused that h5py reads, by reason. Fails if any differs or crashes.
"""
import argparse
import collections
import ctypes
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import h5py
import hdf5plugin
import numpy as np

# The library that h5py uses, for settings that h5py does not offer.
lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))[0])
LIBVERS = ["earliest", "v108", "v110", "v112", "v114", "v200", "latest"]
INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
FLOATS = ["f2", "f4", "f8"]
CHOICES = ["gzip", "gzip", "shuffle", "shuffle", "fletcher", "lzf", "lzf", "scaleoffset", "scaleoffset", "nbit", "szip",
           "blosc", "blosc", "blosc2", "blosc2", "zstd", "lz4", "bitshuffle", "bzip2", "zfp"]


def call(name, *args):
    if getattr(lib, name)(*args) < 0:
        raise RuntimeError(f"{name} failed")


def numbers(rng, shape, dtype):
    """Random values of a type, of one of several characters: noise, smooth, few, constant."""
    dtype = np.dtype(dtype)
    n = int(np.prod(shape))
    how = rng.choice(["noise", "smooth", "few", "constant"])
    if dtype.kind in "iub":
        info = np.iinfo(dtype) if dtype.kind != "b" else None
        low, high = (0, 1) if info is None else (max(info.min, -(2**53)), min(info.max, 2**53))
        if how == "noise":
            x = rng.integers(low, high, n, endpoint=True, dtype=np.int64)
        elif how == "smooth":
            x = np.clip((np.cumsum(rng.integers(-3, 4, n)) + 20), low, high)
        elif how == "few":
            x = rng.integers(max(low, 0), min(high, 3), n, endpoint=True)
        else:
            x = np.full(n, rng.integers(max(low, -5), min(high, 5), endpoint=True))
    else:
        if how == "noise":
            x = rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4)
            if rng.random() < 0.3 and n:
                x[rng.integers(0, n, 3)] = [np.nan, np.inf, -np.inf]
        elif how == "smooth":
            x = np.cumsum(rng.standard_normal(n)) / 8
        elif how == "few":
            x = rng.integers(0, 3, n) / 4
        else:
            x = np.full(n, rng.integers(-5, 5) / 8)
    return x.astype(dtype).reshape(shape)


def odd_type(rng):
    """A stored type that numpy has not, and the numpy type of its values."""
    kind = rng.choice(["int", "float", "bitfield", "long", "named"])
    order = h5py.h5t.ORDER_BE if rng.random() < 0.4 else h5py.h5t.ORDER_LE
    if kind == "int":
        size = int(rng.choice([2, 4, 8]))
        t = h5py.h5t.py_create(np.dtype(f"{rng.choice(['i', 'u'])}{size}")).copy()
        precision = int(rng.integers(3, min(8 * size, 54)))
        t.set_precision(precision)
        t.set_offset(int(rng.integers(0, 8 * size - precision + 1)))
        t.set_order(order)
        return t, f"{'i' if t.get_sign() else 'u'}{size}"
    if kind == "float":
        t = (h5py.h5t.IEEE_F32LE if rng.random() < 0.5 else h5py.h5t.IEEE_F64LE).copy()
        if rng.random() < 0.5:  # 1 sign, 6 exponent, 13 mantissa in 20 bits somewhere in four or eight bytes
            t.set_fields(19, 13, 6, 0, 13)
            t.set_precision(20)
            t.set_ebias(31)
            t.set_offset(int(rng.integers(0, 8)))
        else:
            t.set_ebias(int(rng.integers(90, 127)))
        t.set_order(order)
        return t, "f8"
    if kind == "bitfield":
        size = int(rng.choice([1, 2, 4]))
        return getattr(h5py.h5t, f"STD_B{8 * size}{'BE' if order == h5py.h5t.ORDER_BE else 'LE'}").copy(), f"u{size}"
    if kind == "long":
        return h5py.h5t.NATIVE_LDOUBLE.copy(), np.longdouble
    names = [n for n in ("FLOAT_BFLOAT16LE", "FLOAT_BFLOAT16BE", "FLOAT_F8E4M3", "FLOAT_F8E5M2", "IEEE_F16BE") if hasattr(h5py.h5t, n)]
    return getattr(h5py.h5t, str(rng.choice(names))).copy(), "f4"


def pipeline(rng, dcpl, dtype, chunk, odd):
    """Adds filters to a creation property list and names them."""
    names = []
    d = np.dtype(dtype)
    elements = int(np.prod(chunk))

    def plugin(f):
        dcpl.set_filter(f.filter_id, h5py.h5z.FLAG_OPTIONAL, f.filter_options)

    for _ in range(int(rng.choice([0, 1, 1, 1, 2, 3]))):
        choice = str(rng.choice(CHOICES))
        try:
            if choice == "gzip":
                dcpl.set_deflate(int(rng.integers(0, 10)))
            elif choice == "shuffle":
                dcpl.set_shuffle()
            elif choice == "fletcher":
                dcpl.set_fletcher32()
            elif choice == "lzf":
                dcpl.set_filter(h5py.h5z.FILTER_LZF, h5py.h5z.FLAG_OPTIONAL)
            elif choice == "nbit":
                if names:
                    continue  # behind another filter HDF5 2.0's n-bit crashes or reads other values than were written
                call("H5Pset_nbit", ctypes.c_int64(dcpl.id))
            elif choice == "scaleoffset":
                if names or odd or d.kind not in "iuf" or d == np.float16:
                    continue  # first in the pipeline, of plain numbers
                if d.kind == "f":
                    dcpl.set_scaleoffset(h5py.h5z.SO_FLOAT_DSCALE, int(rng.integers(0, 4)))
                else:
                    dcpl.set_scaleoffset(h5py.h5z.SO_INT, int(rng.choice([0, 0, 0, 5])))
            elif choice == "szip":
                if names or odd or d.itemsize > 8 or d.kind not in "iuf":
                    continue
                per_block = int(rng.choice([b for b in (2, 4, 8, 16, 32) if b <= max(2, elements)]))
                dcpl.set_szip(int(rng.choice([h5py.h5z.SZIP_NN_OPTION_MASK, h5py.h5z.SZIP_EC_OPTION_MASK])), per_block)
            elif choice == "blosc":
                plugin(hdf5plugin.Blosc(cname=str(rng.choice(["blosclz", "lz4", "lz4hc", "zlib", "zstd"])),
                                        clevel=int(rng.integers(0, 10)), shuffle=int(rng.integers(0, 3))))
            elif choice == "blosc2":
                plugin(hdf5plugin.Blosc2(cname=str(rng.choice(["blosclz", "lz4", "lz4hc", "zlib", "zstd"])),
                                         clevel=int(rng.integers(0, 10)), filters=int(rng.choice([0, 1, 2, 3]))))
            elif choice == "zstd":
                plugin(hdf5plugin.Zstd(clevel=int(rng.integers(1, 20))))
            elif choice == "lz4":
                plugin(hdf5plugin.LZ4(nbytes=int(rng.choice([0, 64, 1000]))))
            elif choice == "bitshuffle":
                plugin(hdf5plugin.Bitshuffle(nelems=int(rng.choice([0, 8, 64])), cname=str(rng.choice(["none", "lz4", "zstd"]))))
            elif choice == "bzip2":
                plugin(hdf5plugin.BZip2(blocksize=int(rng.integers(1, 10))))
            elif choice == "zfp":
                if rng.random() < 0.7 or odd or d.kind != "f" or len(chunk) > 3:
                    continue
                plugin(hdf5plugin.Zfp(reversible=True))
            names.append(choice)
        except (ValueError, RuntimeError):
            continue
    return names


def write_dataset(rng, f, name):
    """Writes one dataset and says what it is."""
    odd = rng.random() < 0.15
    array = ()
    if odd:
        stored, memory = odd_type(rng)
    else:
        kind = rng.choice(["number"] * 12 + ["bool", "enum", "array", "complex", "text"])
        order = str(rng.choice(["<", ">"]))
        memory = np.dtype(order + str(rng.choice(INTEGERS + FLOATS)))
        stored = None
        if kind == "bool":
            memory = np.dtype(bool)
        elif kind == "enum":
            base = order + str(rng.choice(INTEGERS))
            stored = h5py.h5t.py_create(h5py.enum_dtype({"A": 0, "B": 1, "C": 5}, basetype=base), logical=True)
            memory = np.dtype(base)
        elif kind == "array":
            array = tuple(int(k) for k in rng.integers(1, 4, int(rng.integers(1, 3))))
        elif kind == "complex":
            memory = np.dtype(order + str(rng.choice(["c8", "c16"])))
        elif kind == "text":
            memory = np.dtype("S5")
        if stored is None:
            stored = h5py.h5t.py_create(np.dtype((memory, array)) if array else memory, logical=True)
    rank = int(rng.choice([0, 1, 1, 2, 2, 3, 4]))
    many = rank == 1 and rng.random() < 0.15
    shape = (int(rng.integers(1000, 6000)),) if many else tuple(int(k) for k in rng.integers(1, [1, 200, 30, 12, 7][rank] + 1, rank))
    layout = str(rng.choice(["chunked", "chunked", "chunked", "contiguous", "compact"])) if rank else "contiguous"
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    maxshape, chunk, filters = None, None, []
    if layout == "chunked":
        chunk = (int(rng.integers(1, 3)),) if many else tuple(int(rng.integers(1, k + 3)) for k in shape)
        maxshape = tuple(h5py.h5s.UNLIMITED if rng.random() < 0.35 else k + int(rng.choice([0, 0, 3])) for k in shape)
        chunk = tuple(c if m == h5py.h5s.UNLIMITED else min(c, m) for c, m in zip(chunk, maxshape))
        dcpl.set_chunk(chunk)
        filters = pipeline(rng, dcpl, memory, chunk, odd or array or np.dtype(memory).kind in "cSb")
        if filters and rng.random() < 0.2:
            call("H5Pset_chunk_opts", ctypes.c_int64(dcpl.id), ctypes.c_uint(2))  # chunks at the edges are not filtered
    elif layout == "compact":
        dcpl.set_layout(h5py.h5d.COMPACT)
    number = not array and np.dtype(memory).kind in "iuf"
    if number and rng.random() < 0.5:
        dcpl.set_fill_value(np.array(int(rng.integers(0, 6)), np.dtype(memory)))
    elif rng.random() < 0.1:
        call("H5Pset_fill_value", ctypes.c_int64(dcpl.id), ctypes.c_int64(stored.id), None)  # no fill value at all
    if rng.random() < 0.5:
        dcpl.set_fill_time(int(rng.choice([h5py.h5d.FILL_TIME_ALLOC, h5py.h5d.FILL_TIME_NEVER, h5py.h5d.FILL_TIME_IFSET])))
    if layout != "compact" and rng.random() < 0.4:
        dcpl.set_alloc_time(int(rng.choice([h5py.h5d.ALLOC_TIME_EARLY, h5py.h5d.ALLOC_TIME_LATE, h5py.h5d.ALLOC_TIME_INCR])))
    space = h5py.h5s.create_simple(shape, maxshape) if rank else h5py.h5s.create(h5py.h5s.SCALAR)
    d = h5py.Dataset(h5py.h5d.create(f.id, name.encode(), stored, space, dcpl))
    kind = np.dtype(memory).kind

    def values(shape):
        shape = tuple(shape) + array
        if kind in "iubf":
            return numbers(rng, shape, memory)
        if kind == "c":
            return (numbers(rng, shape, "f4") + 1j).astype(memory)
        return np.full(shape, b"ab", memory)

    written = str(rng.choice(["all", "all", "all", "parts", "nothing"]))
    if written == "all":
        x = values(shape)
        if odd:
            d.id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(x))
        else:
            d[...] = x
    elif written == "parts" and rank and not odd:
        for _ in range(3):
            start = [int(rng.integers(0, k)) for k in shape]
            part = tuple(slice(s, min(k, s + 1 + int(rng.integers(0, max(1, k // 3))))) for s, k in zip(start, shape))
            d[part] = values([p.stop - p.start for p in part])
    if layout == "chunked" and written != "nothing" and not array and kind in "iuf" and rng.random() < 0.25:
        # a chunk stored without its filters: the mask says which; bits of no filter mean nothing
        x = np.ascontiguousarray(numbers(rng, chunk, memory).astype(d.dtype if odd else memory))
        if x.nbytes == int(np.prod(chunk)) * stored.get_size() and not odd:
            mask = (1 << len(filters)) - 1
            d.id.write_direct_chunk((0,) * rank, x.tobytes(), filter_mask=mask | (int(rng.integers(0, 2**32)) & ~mask))
            written += "+direct"
    if layout == "chunked" and rng.random() < 0.3:
        d.resize(tuple(max(0, k + int(rng.integers(-k // 2, 9))) if m == h5py.h5s.UNLIMITED else k for k, m in zip(shape, maxshape)))
        written += "+resized"
    return f"{memory} {shape}{array} {layout} {chunk} {'+'.join(filters)} {written}{' odd' if odd else ''}"


def write_file(rng, path):
    low = str(rng.choice(LIBVERS))
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    if rng.random() < 0.3:
        fcpl.set_userblock(512 << int(rng.integers(0, 6)))
    if low == "earliest" and rng.random() < 0.3:
        size = int(rng.choice([4, 8]))
        fcpl.set_sizes(size, size)
    if rng.random() < 0.2:
        call("H5Pset_istore_k", ctypes.c_int64(fcpl.id), ctypes.c_uint(int(rng.integers(1, 40))))
    if rng.random() < 0.2:
        fcpl.set_link_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    versions = {"earliest": h5py.h5f.LIBVER_EARLIEST, "v108": h5py.h5f.LIBVER_V18, "v110": h5py.h5f.LIBVER_V110,
                "v112": h5py.h5f.LIBVER_V112, "v114": h5py.h5f.LIBVER_V114, "v200": h5py.h5f.LIBVER_V200, "latest": h5py.h5f.LIBVER_LATEST}
    fapl.set_libver_bounds(versions[low], h5py.h5f.LIBVER_LATEST)
    about = {}
    with h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, fcpl, fapl)) as f:
        for i in range(int(rng.integers(1, 12))):
            name = f"d{i}"
            try:
                about[name] = f"{low} {write_dataset(rng, f, name)}"
            except (OSError, ValueError, TypeError, RuntimeError) as e:
                if name in f:
                    del f[name]
                about["failed " + str(e)[:60]] = None
    if rng.random() < 0.1:  # bytes put before the file
        with open(path, "rb") as r:
            b = r.read()
        with open(path, "wb") as w:
            w.write(bytes(512 << int(rng.integers(0, 6))) + b if b[:8] == b"\x89HDF\r\n\x1a\n" else b)
    return about


def as_float64(x):
    """The values as float64, or what they are instead."""
    x = np.asarray(x)
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        y = x.astype("<f8")
        if any(int(a) != int(b) for a, b in zip(x.ravel(), y.ravel())):
            return None, "integers beyond float64"
        return y, None
    if x.dtype.kind not in "iubf":
        return None, str(x.dtype)
    with np.errstate(all="ignore"):
        return x.astype("<f8"), None


def digest(y):
    y = np.ascontiguousarray(y)
    bits = y.view("<u8").copy()
    bits[np.isnan(y)] = 0x7FF8000000000000
    return hashlib.sha256(bits.tobytes()).hexdigest()


def reference(path, name):
    """What h5py reads: shape, digest and first values, or why there are none."""
    try:
        with h5py.File(path, "r") as f:
            y, why = as_float64(f[name][()])
    except (OSError, TypeError, ValueError) as e:
        return {"why": f"h5py: {str(e)[:80]}"}
    if y is None:
        return {"why": why}
    return {"shape": list(y.shape), "sha256": digest(y), "values": [repr(float(v)) for v in y.ravel()[:6]]}


def in_child(function, *args):
    """The function's value, which JSON can hold, from a process of its own; None if that crashed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        with os.fdopen(write, "w") as w:
            json.dump(function(*args), w)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as r:
        text = r.read()
    return json.loads(text) if os.waitpid(child, 0)[1] == 0 else None


def make(seed, i, path):
    return [[name, what, what and reference(path, name)] for name, what in write_file(np.random.default_rng([seed, i]), path).items()]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--files", type=int, default=1000)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--keep", help="a folder for the files, which stay there")
    p.add_argument("--dump", help="tools/formats/dump, built; go run otherwise")
    a = p.parse_args()
    folder = a.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    cases, failed = {}, collections.Counter()
    for i in range(a.files):
        path = os.path.join(folder, f"r{a.seed}_{i}.h5")
        made = in_child(make, a.seed, i, path)
        if made is None:
            failed["the library crashed, the file is left out"] += 1
            continue
        for name, what, ref in made:
            if what is None:
                failed[name] += 1
            else:
                cases[f"{path}:{name}"] = what, ref
    command = [a.dump] if a.dump else ["go", "run", "./tools/formats/dump"]
    got = subprocess.run(command, input="\n".join(cases) + "\n", capture_output=True, text=True)
    lines = [json.loads(s) for s in got.stdout.splitlines()]
    if len(lines) != len(cases):
        sys.exit(f"{len(lines)} answers for {len(cases)} datasets: {got.stderr[-2000:]}")
    same, both, alone, different, crashes, refused = 0, 0, 0, [], [], collections.defaultdict(list)
    for (key, (what, ref)), line in zip(cases.items(), lines):
        error, name = line["error"], key.rsplit(":", 1)[1]
        if error.startswith("PANIC"):
            crashes.append((key, what, error))
        elif error and "why" in ref:
            both += 1
        elif error:
            refused[re.sub(r"\d+", "N", error.split(f"{name}: ", 1)[-1])[:120]].append((key, what, error))
        elif ref.get("why", "").startswith("h5py:"):
            alone += 1  # what the library fails on
        elif "why" in ref:
            different.append((key, what, f"{ref['why']}; Percept {line['shape']} {line['values'][:6]}"))
        elif ref["shape"] != line["shape"] or ref["sha256"] != line["sha256"]:
            different.append((key, what, f"h5py {ref['shape']} {ref['values']}, Percept {line['shape']} {line['values'][:6]}"))
        else:
            same += 1
    for kind, found in (("different", different), ("crash", crashes)):
        for case in found[:20]:
            print(f"{kind}:", *case)
    for why, n in failed.most_common(10):
        print(f"not written {n}: {why}")
    print(f"{a.files} files, {len(cases)} datasets: {same} the same, {len(different)} different, {len(crashes)} crashes, "
          f"{both} refused by both or not real numbers, {alone} read by Percept alone")
    for why, found in sorted(refused.items(), key=lambda r: -len(r[1])):
        print(f"refused {len(found)}: {why}; as {' '.join(found[0][:2])}")
    sys.exit(bool(different or crashes))


if __name__ == "__main__":
    main()
