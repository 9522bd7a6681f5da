"""Writes the test files of kinds_*.h5.gz with h5py and hdf5plugin, and what h5py reads from them, in kinds.json.gz.

    python tools/formats/make_hdf5.py [FOLDER]     (default: fmri/internal/hdf5/testdata)

h5py 3.16.0 (HDF5 2.0.0), hdf5plugin 7.1.0, numpy 2.4.6. For each dataset kinds.json.gz has the shape, the first 16 digits of the
sha256 of the values as little-endian float64 in C order (every NaN as 0x7ff8000000000000) and the first values; or null where
h5py reads no real numbers.
"""
import ctypes
import glob
import gzip
import hashlib
import json
import os
import signal
import sys
import zlib

import h5py
import hdf5plugin
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../fmri/internal/hdf5/testdata"))

# The library that h5py uses, for settings that h5py does not offer.
lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))[0])


def call(name, *args):
    if getattr(lib, name)(*args) < 0:
        sys.exit(f"{name} failed")


def ramp(shape, dtype):
    """Small numbers that are told apart and compress somewhat, of either sign where the type has them."""
    i = (np.arange(np.prod(shape, dtype=int)) * 37 + 11) % 101
    d = np.dtype(dtype)
    return (i / 8 - 5 if d.kind == "f" else i - 50 if d.kind == "i" else i).astype(d).reshape(shape)


def create(f, name, dtype, shape, data=None, maxshape=None, space=None, **settings):
    """A dataset through the low-level interface; settings are methods of the creation property list."""
    dcpl = h5p.create(h5p.DATASET_CREATE)
    for method, value in settings.items():
        getattr(dcpl, method)(*(value if isinstance(value, list) else [value]))
    t = dtype if isinstance(dtype, h5t.TypeID) else h5t.py_create(np.dtype(dtype), logical=True)
    d = h5py.Dataset(h5d.create(f.id, name.encode(), t, space or h5s.create_simple(shape, maxshape), dcpl))
    if data is not None:
        d[...] = data
    return d


def places(f):
    """Places that were never written: every fill time, allocation time, kind of fill value and layout."""
    times = {"never": h5d.FILL_TIME_NEVER, "ifset": h5d.FILL_TIME_IFSET, "alloc": h5d.FILL_TIME_ALLOC}
    allocations = {"early": h5d.ALLOC_TIME_EARLY, "late": h5d.ALLOC_TIME_LATE, "incr": h5d.ALLOC_TIME_INCR}
    for time, t in times.items():
        for allocation, a in allocations.items():
            for layout in ("chunked", "contiguous", "gzip", "single", "growing"):
                if layout == "contiguous" and allocation == "incr":
                    continue
                for fill in ("seven", "default", "none"):
                    if fill == "none" and time == "alloc":
                        continue  # the library refuses
                    for written in ("part", "nothing"):
                        s = {"set_fill_time": t, "set_alloc_time": a}
                        if layout != "contiguous":
                            s["set_chunk"] = (10,) if layout == "single" else (4,)
                        if layout == "gzip":
                            s["set_deflate"] = 4
                        if fill == "seven":
                            s["set_fill_value"] = np.array(7, "i2")
                        name = f"{time}.{allocation}.{layout}.{fill}.{written}"
                        space = h5s.create_simple((10,), (h5s.UNLIMITED,) if layout == "growing" else None)
                        dcpl = h5p.create(h5p.DATASET_CREATE)
                        for method, value in s.items():
                            getattr(dcpl, method)(value)
                        if fill == "none":
                            call("H5Pset_fill_value", ctypes.c_int64(dcpl.id), ctypes.c_int64(h5t.STD_I16LE.id), None)
                        d = h5py.Dataset(h5d.create(f.id, name.encode(), h5t.STD_I16LE, space, dcpl))
                        if written == "part" and layout != "contiguous":
                            d[0:2] = 1
    create(f, "compact", "<i2", (3,), set_layout=h5d.COMPACT, set_fill_value=np.array(7, "i2"))
    d = create(f, "grown", "<f4", (3, 3), ramp((3, 3), "<f4"), (h5s.UNLIMITED, 5), set_chunk=(2, 2), set_fill_value=np.array(9, "f4"),
               set_fill_time=h5d.FILL_TIME_NEVER)
    d.resize((6, 5))


def floating(size, fields, bias, precision=None, order=h5t.ORDER_LE):
    t = (h5t.IEEE_F32LE if size <= 4 else h5t.IEEE_F64LE).copy()
    t.set_fields(*fields)
    t.set_precision(precision or 8 * size)
    t.set_size(size)
    t.set_ebias(bias)
    t.set_order(order)
    return t


def integer(base, precision, offset=0, order=h5t.ORDER_LE):
    t = h5t.py_create(np.dtype(base)).copy()
    t.set_precision(precision)
    t.set_offset(offset)
    t.set_order(order)
    return t


def stored(f, name, t, raw, **settings):
    """A dataset of elements given as they are stored."""
    x = np.frombuffer(raw, f"V{t.get_size()}").copy()
    dcpl = h5p.create(h5p.DATASET_CREATE)
    for method, value in settings.items():
        getattr(dcpl, method)(value)
    h5d.create(f.id, name.encode(), t, h5s.create_simple((len(x),)), dcpl).write(h5s.ALL, h5s.ALL, x, t)


def types(f):
    every = np.arange(0, 65536, 97, "<u2").tobytes()
    stored(f, "bfloat16", floating(2, (15, 7, 8, 0, 7), 127), every)
    stored(f, "bfloat16_be", floating(2, (15, 7, 8, 0, 7), 127, order=h5t.ORDER_BE), every)
    stored(f, "float8_e4m3", floating(1, (7, 3, 4, 0, 3), 7), bytes(range(256)))
    stored(f, "float8_e5m2", floating(1, (7, 2, 5, 0, 2), 15), bytes(range(256)))
    wide = np.arange(0, 2**32 - 1, 2**32 // 150, "<u4")
    stored(f, "float20_at3", floating(4, (22, 16, 6, 3, 13), 31, 23), wide.tobytes())
    stored(f, "float20_at3_be", floating(4, (22, 16, 6, 3, 13), 31, 23, h5t.ORDER_BE), wide.astype(">u4").tobytes())
    stored(f, "bias100", floating(4, (31, 23, 8, 0, 23), 100), wide.tobytes())
    f["longdouble"] = np.concatenate([np.array([1, 0, -2.5, np.inf, np.nan], np.longdouble), 1 / np.arange(3, 40, dtype=np.longdouble)])
    for base, precision, offset, order in (("<i2", 12, 0, "le"), ("<i2", 12, 3, "be"), ("<u4", 20, 7, "le"), ("<i8", 50, 9, "be"),
                                           ("<u1", 5, 2, "le"), ("<i8", 33, 0, "le")):
        t = integer(base, precision, offset, h5t.ORDER_BE if order == "be" else h5t.ORDER_LE)
        size = np.dtype(base).itemsize
        raw = ((np.arange(40 * size) * 89 + 7) % 256).astype("u1").tobytes()
        stored(f, f"int_{base[1:]}_{precision}_{offset}_{order}", t, raw)
    for bits, order in ((8, "LE"), (16, "BE"), (32, "LE"), (64, "LE")):
        raw = np.arange(40) % (9 if bits == 64 else 3) % 8 * (np.arange(40) % 8 < 6)
        stored(f, f"bitfield{bits}", getattr(h5t, f"STD_B{bits}{order}"), raw.astype("u1").tobytes())
    for base in ("<i8", ">u8", "<u2", "i1"):
        t = h5py.enum_dtype({"A": 0, "B": 1, "C": 5}, basetype=base)
        f.create_dataset(f"enum_{base[-2:]}", data=np.array([0, 1, 5, 5], base), dtype=t)
    f["int64_even"] = np.array([2**60, -(2**62), 5], "<i8")
    f["int64_odd"] = np.array([5, 2**53 + 1], "<i8")
    f["uint64_most"] = np.array([2**64 - 2**11], "<u8")
    t = np.dtype(("<i2", (2, 3)))
    create(f, "array", t, (4,), ramp((4, 2, 3), "<i2"))
    create(f, "array_chunked", np.dtype((">f4", (3,))), (5, 4), ramp((5, 4, 3), ">f4"), (h5s.UNLIMITED, 4), set_chunk=(2, 3),
           set_shuffle=[], set_deflate=4)
    create(f, "array_scalar", t, None, ramp((2, 3), "<i2"), space=h5s.create(h5s.SCALAR))
    create(f, "array_nested", h5t.array_create(h5t.array_create(h5t.STD_I8LE, (2,)), (3,)), (2,))
    d = create(f, "array_part", t, (9,), None, (h5s.UNLIMITED,), set_chunk=(2,))
    d[3:5] = ramp((2, 2, 3), "<i2")
    f["compound_complex"] = np.array([1 + 2j, -3], "<c8")
    stored(f, "native_complex", h5t.COMPLEX_IEEE_F64LE, np.array([1 + 2j, -3], "<c16").tobytes())
    f["text"] = np.array([b"ab", b"c"])
    f["compound"] = np.array([(1, 2.5)], [("a", "<i2"), ("b", "<f4")])
    f["opaque"] = np.array([b"ab"], "V2")
    f.create_dataset("sequences", (2,), dtype=h5py.vlen_dtype(np.dtype("<i4")))
    f["null"] = h5py.Empty("<f4")
    f["scalar"] = np.float32(2.5)


FILTERS = {
    "lzf": [(h5z.FILTER_LZF, ())], "shuffle_lzf": [(h5z.FILTER_SHUFFLE, ()), (h5z.FILTER_LZF, ())],
    "szip_nn": "szip", "szip_ec": "szip", "scaleoffset": "scaleoffset", "nbit": "nbit",
    "fletcher_zstd": [(h5z.FILTER_FLETCHER32, ()), hdf5plugin.Zstd()], "zstd": [hdf5plugin.Zstd(clevel=3)],
    "lz4": [hdf5plugin.LZ4()], "lz4_small": [hdf5plugin.LZ4(nbytes=64)], "bzip2": [hdf5plugin.BZip2()],
    **{f"bitshuffle_{c}": [hdf5plugin.Bitshuffle(cname=c)] for c in ("none", "lz4", "zstd")},
    "bitshuffle_8": [hdf5plugin.Bitshuffle(nelems=8, cname="lz4")],
    **{f"blosc_{c}_{s}": [hdf5plugin.Blosc(cname=c, shuffle=s, clevel=5)] for c in ("blosclz", "lz4", "zlib", "zstd") for s in (0, 1, 2)},
    **{f"blosc2_{c}_{s}": [hdf5plugin.Blosc2(cname=c, filters=s, clevel=5)] for c in ("blosclz", "lz4", "zlib", "zstd") for s in (0, 1, 2)},
    "blosc2_delta": [hdf5plugin.Blosc2(cname="lz4", filters=3)], "blosc2_trunc": [hdf5plugin.Blosc2(cname="zstd", filters=4)],
    "blosc_0": [hdf5plugin.Blosc(clevel=0)], "gzip_blosc": [(h5z.FILTER_DEFLATE, (3,)), hdf5plugin.Blosc()],
}


def pipeline(dcpl, name, dtype, values):
    filters = FILTERS[name]
    if filters == "szip":
        dcpl.set_szip(h5z.SZIP_NN_OPTION_MASK if name == "szip_nn" else h5z.SZIP_EC_OPTION_MASK, 8)
    elif filters == "scaleoffset":
        dcpl.set_scaleoffset(*((h5z.SO_FLOAT_DSCALE, 2) if np.dtype(dtype).kind == "f" else (h5z.SO_INT, 0)))
        if values == "filled":
            dcpl.set_fill_value(np.array(3, dtype))
    elif filters == "nbit":
        call("H5Pset_nbit", ctypes.c_int64(dcpl.id))
    else:
        for fl in filters:
            number, options = fl if isinstance(fl, tuple) else (fl.filter_id, fl.filter_options)
            dcpl.set_filter(number, h5z.FLAG_OPTIONAL, options)


def filters(f, dtype, names=FILTERS, shape=(7, 20), chunk=(4, 12), kinds=("ramp", "equal", "filled")):
    for name in names:
        for values in kinds:
            if values == "filled" and name != "scaleoffset":
                continue
            dcpl = h5p.create(h5p.DATASET_CREATE)
            dcpl.set_chunk(chunk)
            pipeline(dcpl, name, dtype, values)
            x = {"ramp": ramp(shape, dtype), "equal": np.full(shape, 3, dtype), "filled": ramp(shape, dtype),
                 "smooth": (np.arange(np.prod(shape)).reshape(shape) // 90).astype(dtype)}[values]
            if values == "filled":
                x[2:4, 3:18] = 3
            d = h5d.create(f.id, f"{name}.{values}".encode(), h5t.py_create(np.dtype(dtype)), h5s.create_simple(shape), dcpl)
            d.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(x))


def blocks(f):
    """Chunks of several blocks, and of streams for each byte of an element."""
    filters(f, "<f8", [n for n in FILTERS if n.startswith(("blosc", "lz4", "bitshuffle", "szip"))], (44, 90), (40, 80), ("smooth",))


def nbit(f):
    for dtype in ("<i2", ">f4"):  # n-bit where bits are left out, of numbers, arrays and compounds
        for kind in ("int12", "float20", "array"):
            t = {"int12": integer("<i2", 12, 2, h5t.ORDER_BE if dtype[0] == ">" else h5t.ORDER_LE),
                 "float20": floating(4, (22, 16, 6, 3, 13), 31, 23, h5t.ORDER_BE if dtype[0] == ">" else h5t.ORDER_LE),
                 "array": h5t.array_create(integer("<i4", 17, 0), (3,))}[kind]
            dcpl = h5p.create(h5p.DATASET_CREATE)
            dcpl.set_chunk((7,))
            call("H5Pset_nbit", ctypes.c_int64(dcpl.id))
            d = h5d.create(f.id, f"nbit_{kind}.{dtype[1:]}".encode(), t, h5s.create_simple((20,)), dcpl)
            x = ramp((20, 3) if kind == "array" else (20,), "<f8" if kind == "float20" else "<i4")
            d.write(h5s.ALL, h5s.ALL, x, h5t.array_create(h5t.NATIVE_INT32, (3,)) if kind == "array" else None)


def masks(f):
    a = ramp((4, 4), "<i4")
    for m in (0xFFFFFFFF, 3, 0xFFFF0001, 0xFFFFFFFE):
        for index, maxshape in {"fixed": (4, 8), "extend": (None, 8), "btree2": (None, None), "single": (4, 4)}.items():
            d = f.create_dataset(f"gzip.{m:x}.{index}", (4, 4 if index == "single" else 8), "<i4", chunks=(4, 4), compression="gzip",
                                 maxshape=maxshape)
            if index != "single":
                d[:, 4:] = a
            if m & 1:
                d.id.write_direct_chunk((0, 0), a.tobytes(), filter_mask=m)
            else:
                d.id.write_direct_chunk((0, 0), zlib.compress(a.tobytes()), filter_mask=m)
        d = f.create_dataset(f"none.{m:x}", (4, 8), "<i4", chunks=(4, 4))
        d.id.write_direct_chunk((0, 4), a.tobytes(), filter_mask=m)
    for name, more in {"lzf": {"compression": "lzf"}, "szip": {"compression": "szip"}, "zstd": dict(hdf5plugin.Zstd()),
                       "blosc": dict(hdf5plugin.Blosc())}.items():
        d = f.create_dataset(f"{name}.left_out", (4, 8), "<i4", chunks=(4, 4), shuffle=True, **more)
        d[...] = np.tile(a, (1, 2))
        d.id.write_direct_chunk((0, 0), a.tobytes(), filter_mask=0b11)
    x = np.random.default_rng(1).integers(0, 256, (6, 6), "u1")
    f.create_dataset("lzf.noise", data=x, chunks=(3, 3), compression="lzf")  # which does not shrink: the library leaves LZF out


def sparse(f):
    """Many chunks, of which few were written, in trees; the indexes of the newer versions have files of their own."""
    d = f.create_dataset("btree", (300, 400), "<i1", chunks=(1, 7), maxshape=(None, None), fillvalue=3)
    d[290, 390:] = 4
    d[np.arange(0, 300, 41), 5] = np.arange(8)
    d = f.create_dataset("middle", (3, 9000, 2), "<i2", chunks=(1, 1, 2), maxshape=(5, None, 4), fillvalue=1)
    d[1, 8888] = 6


def one(name, shape, dtype, chunks, maxshape, at, **more):
    """A dataset of two written places, alone in its file, which is smaller than the index has chunks."""
    def write(f):
        d = f.create_dataset(name, shape, dtype, chunks=chunks, maxshape=maxshape, fillvalue=2, **more)
        for place in at:
            d[place] = 5
    return write


SPARSE = {"extend": one("x", (20000, 4), "<f4", (1, 4), (None, 4), [19000]),
          "extend_far": one("x", (90_000,), "<i2", (3,), (None,), [77, slice(89_990, None)]),
          "extend_gzip": one("x", (20000, 4), "<f4", (1, 4), (None, 4), [19000], compression="gzip"),
          "fixed": one("x", (20000, 4), "<f4", (1, 4), None, [19000]),
          "fixed_far": one("x", (60_000,), "<i2", (2,), (400_000,), [2077, slice(59_990, None)])}


def named(f):
    for name, fl in {"zfp": hdf5plugin.Zfp(reversible=True), "sz3": hdf5plugin.SZ3(), "sperr": hdf5plugin.Sperr()}.items():
        settings = {"set_chunk": (4, 4), "set_filter": [fl.filter_id, h5z.FLAG_OPTIONAL, fl.filter_options]}
        create(f, name, "<f4", (8, 4), ramp((8, 4), "<f4"), **settings)
        create(f, f"{name}_unwritten", "<f4", (8, 4), **settings)
        d = create(f, f"{name}_left_out", "<f4", (8, 4), **settings)
        d.id.write_direct_chunk((4, 0), ramp((4, 4), "<f4").tobytes(), filter_mask=1)
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_external(b"elsewhere.bin", 0, 12)
    h5d.create(f.id, b"external", h5t.STD_I32LE, h5s.create_simple((3,)), dcpl)
    layout = h5py.VirtualLayout((3,), "<i4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (3,))
    f.create_virtual_dataset("virtual", layout)
    f["text"] = np.array([b"ab", b"c"])
    f["plain"] = ramp((4, 4), "<i4")


def virtual(f):
    """Datasets made of parts of others, in this file and in kinds_beside.h5."""
    f["a"], f["b"] = ramp((6, 8), "<i4"), -ramp((6, 8), "<i4")
    f.create_dataset("gz", data=ramp((5, 4, 3), ">f8"), chunks=(2, 2, 2), compression="gzip")

    def make(name, shape, dtype, parts, fill=None):
        layout = h5py.VirtualLayout(shape, dtype)
        for to, file, source, source_shape, part in parts:
            layout[to] = h5py.VirtualSource(file, source, source_shape)[part]
        f.create_virtual_dataset(name, layout, fillvalue=fill)

    s = np.s_
    make("stacked", (12, 8), "<i4", [(s[:6], ".", "a", (6, 8), s[:]), (s[6:], ".", "b", (6, 8), s[:])])
    make("columns", (6, 16), "<i4", [(s[:, :8], ".", "a", (6, 8), s[:]), (s[:, 8:], ".", "b", (6, 8), s[:])])
    make("interleaved", (6, 16), "<i4", [(s[:, ::2], ".", "a", (6, 8), s[:]), (s[:, 1::2], ".", "b", (6, 8), s[:])])
    make("every_third", (2, 3), "<i4", [(s[:], ".", "a", (6, 8), s[1::3, ::3])])
    make("gaps", (8, 9), "<i4", [(s[1:7:2, 2:6], ".", "a", (6, 8), s[:3, 4:8])], fill=-4)
    make("whole", (5, 4, 3), ">f8", [(s[:], ".", "gz", (5, 4, 3), s[:])])
    make("turned", (4, 15), ">f8", [(s[:], ".", "gz", (5, 4, 3), s[:])])
    make("layers", (2, 5, 4), ">f8", [(s[0], ".", "gz", (5, 4, 3), s[:, :, 0]), (s[1], ".", "gz", (5, 4, 3), s[:, :, 2])])
    make("nested", (12, 8), "<i4", [(s[:], ".", "stacked", (12, 8), s[:])])
    make("beside", (6, 8), "<i4", [(s[1:5, 2:6], "kinds_beside.h5", "x", (4, 4), s[:])], fill=7)
    long = "a dataset whose name is so long that parts share it"
    f[long] = ramp((4, 4), "<i4")
    far = [(s[2 * i:2 * i + 2], "kinds_beside.h5", long, (4, 4), s[i:i + 2]) for i in range(3)]
    make("names", (8, 4), "<i4", [*far, (s[6:], ".", long, (4, 4), s[2:])])
    make("missing", (6, 8), "<i4", [(s[1:5, 2:6], "nowhere.h5", "x", (4, 4), s[:])], fill=7)


def digest(x):
    """Shape, start of the sha256 and first values as float64; None where they are no real numbers."""
    x = np.asarray(x)
    if x.dtype.kind not in "iubf":
        return None
    with np.errstate(all="ignore"):
        y = np.ascontiguousarray(x.astype("<f8"))
    bits = y.reshape(-1).view("<u8").copy()
    bits[np.isnan(y.reshape(-1))] = 0x7FF8000000000000
    return {"shape": list(x.shape), "sha256": hashlib.sha256(bits.tobytes()).hexdigest()[:16],
            "first": [repr(float(v)) for v in y.ravel()[:3]]}


def unfinished(path, swmr):
    """A file whose writer ended without closing it."""
    child = os.fork()
    if child == 0:
        f = h5py.File(path, "w", libver="latest")
        d = f.create_dataset("x", (10,), "<i4", chunks=(4,), maxshape=(None,))
        f.flush()
        if swmr:
            f.swmr_mode = True
        d[:] = 7
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def finish(path, expected):
    """Notes what h5py reads, and compresses the file."""
    name = os.path.basename(path)
    expected[name] = {}
    try:
        with h5py.File(path, "r") as f:
            for n in f:
                try:
                    expected[name][n] = digest(f[n][()])
                except (OSError, TypeError, ValueError) as e:
                    print(f"{name}: {n}: h5py: {str(e)[:100]}")
                    expected[name][n] = None
    except OSError as e:
        print(f"{name}: h5py: {str(e)[:100]}")
        expected[name] = None
    with open(path, "rb") as a, gzip.GzipFile(path + ".gz", "wb", 9, mtime=0) as b:
        b.write(a.read())
    os.remove(path)


def main():
    expected = {}
    every = ("earliest", "v110", "latest")
    with h5py.File("kinds_beside.h5", "w") as f:
        f["x"] = ramp((4, 4), "<i4")
        f["a dataset whose name is so long that parts share it"] = -ramp((4, 4), "<i4")
    for kind, libvers, write in (("places", every, places), ("types", ("earliest", "latest"), types), ("masks", every, masks),
                                 ("sparse", ("earliest", "latest"), sparse),
                                 *((f"sparse_{n}", ("latest",), write) for n, write in SPARSE.items()), ("named", ("latest",), named),
                                 ("virtual", ("v110", "latest"), virtual), ("blocks", ("latest",), blocks),
                                 ("filters_i2", ("latest",), lambda f: filters(f, "<i2")),
                                 ("filters_u4be", ("latest",), lambda f: filters(f, ">u4")),
                                 ("filters_f4", ("v110",), lambda f: filters(f, "<f4")),
                                 ("filters_f8be", ("earliest",), lambda f: filters(f, ">f8", shape=(5, 16), chunk=(3, 10))),
                                 ("nbit", ("earliest", "latest"), nbit)):
        for libver in libvers:
            path = f"kinds_{kind}_{libver}.h5"
            with h5py.File(path, "w", libver=(libver, "latest")) as f:
                write(f)
            finish(path, expected)
    finish("kinds_beside.h5", expected)
    for size in (512, 1024, 4096, 8192, 1 << 16):
        path = f"kinds_userblock{size}.h5"
        with h5py.File(path, "w", userblock_size=size, libver="latest" if size == 8192 else None) as f:
            f["x"] = ramp((4, 4), "<i4")
        finish(path, expected)
    with h5py.File("plain.h5", "w") as f:
        f["x"] = ramp((4, 4), "<i4")
    with open("plain.h5", "rb") as f:
        b = f.read()
    os.remove("plain.h5")
    with open("kinds_before4096.h5", "wb") as f:
        f.write(bytes(4096) + b)
    finish("kinds_before4096.h5", expected)
    for swmr in (False, True):
        path = f"kinds_unclosed{'_swmr' if swmr else ''}.h5"
        unfinished(path, swmr)
        finish(path, expected)
    with gzip.GzipFile("kinds.json.gz", "wb", 9, mtime=0) as f:
        f.write(json.dumps(expected, separators=(",", ":")).encode())


if __name__ == "__main__":
    main()
