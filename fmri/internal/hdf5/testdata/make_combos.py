"""Writes combos_*.h5.gz with h5py: every stored number type, layout, chunk index and filter in every version of the
format, and what a reader has to refuse. Values follow from a dataset's name and are computed again by the test.

    python make_combos.py      (h5py 3.16.0, HDF5 2.0, numpy 2.4.6)
"""
import ctypes
import glob
import gzip
import itertools
import os
import sys

import h5py
import numpy as np

# The library that h5py uses, for settings that h5py does not offer.
lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))[0])


def call(name, *args):
    if getattr(lib, name)(*args) < 0:
        sys.exit(f"{name} failed")


os.chdir(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))


def values(shape, dtype):
    """Value i of n is (i·7919 + 13) mod 4001 − 2000, in sixteenths for floats, brought into the range of integers."""
    i = (np.arange(np.prod(shape, dtype=int), dtype=np.int64) * 7919 + 13) % 4001 - 2000
    d = np.dtype(dtype)
    if d.kind == "f":
        x = i / 16
    elif d.kind == "u":
        x = i % 2 ** min(62, 8 * d.itemsize)
    else:
        x = (i + 128) % 256 - 128 if d.itemsize == 1 else i
    return x.astype(d).reshape(shape)


TYPES = [e + k + str(n) for n in (1, 2, 4, 8) for k in "iu" for e in ("<" if n == 1 else "<>")] + [e + f"f{n}" for n in (2, 4, 8) for e in "<>"]
FILTERS = {"none": {}, "gz": {"compression": "gzip"}, "sh": {"shuffle": True}, "fl": {"fletcher32": True},
           "shgz": {"shuffle": True, "compression": "gzip", "compression_opts": 9},
           "all": {"shuffle": True, "compression": "gzip", "fletcher32": True}}
INDEXES = {  # shape, chunks, maxshape: which index that gives in the newer versions of the format
    "single": ((5, 7), (5, 7), None),
    "fixed": ((5, 7), (2, 3), None),
    "fixedmax": ((5, 7), (2, 3), (9, 11)),
    "extend0": ((5, 7), (2, 3), (None, 7)),
    "extend1": ((5, 7), (2, 3), (5, None)),
    "extendmid": ((3, 4, 5), (2, 3, 2), (3, None, 8)),
    "btree2": ((5, 7), (2, 3), (None, None)),
    "btree2wide": ((3, 4, 5), (2, 3, 2), (None, 4, None)),
}


def fill_file(f, many):
    g = f.create_group("types")
    for t in TYPES:
        name = t.replace("<", "le_").replace(">", "be_")
        for layout in ("contig", "chunk", "compact"):
            x = values((3, 5), t)
            if layout == "compact":
                dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                dcpl.set_layout(h5py.h5d.COMPACT)
                space = h5py.h5s.create_simple(x.shape)
                d = h5py.h5d.create(g.id, f"{name}.compact".encode(), h5py.h5t.py_create(x.dtype), space, dcpl)
                d.write(h5py.h5s.ALL, h5py.h5s.ALL, x)
            else:
                more = {"chunks": (2, 2), "shuffle": True, "compression": "gzip"} if layout == "chunk" else {}
                g.create_dataset(f"{name}.{layout}", data=x, **more)
        g.create_dataset(f"{name}.scalar", data=values((), t))
    g = f.create_group("index")
    for (ix, (shape, chunks, maxshape)), (fl, opts) in itertools.product(INDEXES.items(), FILTERS.items()):
        g.create_dataset(f"{ix}.{fl}", data=values(shape, "<i4"), chunks=chunks, maxshape=maxshape, **opts)
    # space for all chunks at once: the implicit index where nothing is filtered
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_chunk((2, 3))
    dcpl.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    x = values((5, 7), "<i4")
    d = h5py.h5d.create(g.id, b"implicit.none", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((5, 7), (9, 11)), dcpl)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, x)
    # many chunks: paged fixed arrays, super blocks, deep trees; written in parts, so that chunks are missing
    if many:
        for ix, (n, maxshape) in {"fixed": (5000, None), "extend": (5000, (None,)), "wide": (2500, None)}.items():
            d = g.create_dataset(f"many_{ix}.none", (n,), "<i2", chunks=(1 if ix != "wide" else 2,), maxshape=maxshape, fillvalue=-7)
            d[:10] = values((n,), "<i2")[:10]
            d[n // 2 : n // 2 + 300] = values((n,), "<i2")[n // 2 : n // 2 + 300]
            d[n - 3 :] = values((n,), "<i2")[n - 3 :]
        d = g.create_dataset("many_btree2.none", (40, 60), "<i2", chunks=(1, 1), maxshape=(None, None), fillvalue=-7)
        d[:, 10:40] = values((40, 60), "<i2")[:, 10:40]
    # grown and shrunk
    d = g.create_dataset("resized.none", data=values((9, 9), "<i4"), chunks=(2, 3), maxshape=(None, 9))
    d.resize((4, 7))
    # chunks written without their filters: the mask says which
    d = g.create_dataset("mask.shgz", (4, 6), "<i4", chunks=(2, 3), shuffle=True, compression="gzip")
    x = values((4, 6), "<i4")
    d[:] = x
    d.id.write_direct_chunk((0, 3), np.ascontiguousarray(x[:2, 3:]).tobytes(), filter_mask=3)
    # chunks that reach beyond the end are not filtered
    if f.libver[0] not in ("earliest", "v108"):
        for ix, maxshape in {"fixed": None, "extend": (None, 7), "btree2": (None, None)}.items():
            dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            dcpl.set_chunk((2, 3))
            dcpl.set_deflate(6)
            call("H5Pset_chunk_opts", ctypes.c_int64(dcpl.id), ctypes.c_uint(2))
            space = h5py.h5s.create_simple((5, 7), maxshape and tuple(h5py.h5s.UNLIMITED if m is None else m for m in maxshape))
            d = h5py.h5d.create(g.id, f"plainedge_{ix}.gz".encode(), h5py.h5t.NATIVE_INT32, space, dcpl)
            d.write(h5py.h5s.ALL, h5py.h5s.ALL, values((5, 7), "<i4"))
    # fill values of either byte order, and none at all
    g = f.create_group("fill")
    for t in ("<i2", ">i2", "<f4", ">f8", "<f2"):
        name = t.replace("<", "le_").replace(">", "be_")
        g.create_dataset(f"{name}.contig", (2, 3), t, fillvalue=-3)
        g.create_dataset(f"{name}.chunk", (2, 3), t, fillvalue=-3, chunks=(1, 2))
        g.create_dataset(f"{name}.zero", (2, 3), t, chunks=(1, 2))
    # groups: many names, in order of creation or not, deep, linked
    g = f.create_group("many")
    for i in range(40):
        g[f"n{i}"] = np.int32(i)
    g = f.create_group("tracked", track_order=True)
    for i in range(20):
        g[f"z{20 - i}"] = np.int32(i)
    f["deep/er/and/deeper/x"] = np.float32(1.5)
    f["soft"] = h5py.SoftLink("/deep/er/and/deeper/x")
    f["softrel"] = h5py.SoftLink("deep/er/and/deeper/x")
    f["external"] = h5py.ExternalLink("elsewhere.h5", "/x")
    f["hard"] = f["deep/er/and/deeper/x"]
    f["empty"] = np.zeros((0, 3), "<f4")
    f["null"] = h5py.Empty("<f4")
    # a committed type, booleans and other enumerations
    f["mytype"] = np.dtype("<i2")
    f.create_dataset("committed", data=values((5,), "<i2"), dtype=f["mytype"])
    f["bool"] = np.array([True, False, True])
    f.create_dataset("enum", data=np.array([2, 0, 5], ">i2"), dtype=h5py.enum_dtype({"A": 0, "B": 2, "C": 5}, basetype=">i2"))
    # strings, compounds, arrays, references, attributes
    s = f.create_group("rich")
    s["fixed_str"] = np.array([b"ab", b"cde", b""], "S3")
    s["var_str"] = np.array(["one", "", "zwölf"], dtype=h5py.string_dtype())
    s.create_dataset("sequences", (3,), dtype=h5py.vlen_dtype(np.dtype("<i4")))
    for i in range(3):
        s["sequences"][i] = np.arange(i, dtype="<i4")
    s.create_dataset("complex", data=np.array([1 + 2j, -3.5j, 4], "<c16"))
    s.create_dataset("complex_chunk", data=np.array([1 + 2j, -3.5j, 4], ">c8"), chunks=(2,), compression="gzip")
    s.create_dataset("compound", data=np.array([(1, 2.5, b"xy"), (-3, 0.25, b"z")], [("n", "<i2"), ("v", ">f4"), ("s", "S2")]))
    s.create_dataset("arrays", data=np.zeros(2, [("a", "<i4", (2, 3)), ("b", "u1")]))
    s.create_dataset("opaque", data=np.array([b"ab"], "V2"))
    ref = s.create_dataset("refs", (3,), dtype=h5py.ref_dtype)
    ref[0], ref[1] = f["deep/er/and/deeper/x"].ref, f["many"].ref
    for k, v in {"int": np.int32(7), "floats": np.array([1.5, -2], ">f4"), "fixed": np.bytes_(b"double"), "text": "grün",
                 "names": np.array(["a", "bc"], dtype=h5py.string_dtype()), "nothing": h5py.Empty("<f4"), "ref": f["hard"].ref}.items():
        s.attrs[k] = v
    letters = np.empty(2, dtype=h5py.vlen_dtype(np.dtype("S1")))
    letters[0], letters[1] = np.array([b"a", b"b"], "S1"), np.array([b"x"], "S1")
    s.attrs.create("fields", letters, dtype=h5py.vlen_dtype(np.dtype("S1")))
    d = s.create_dataset("attributes", data=np.int8(1))
    for i in range(20):  # more than eight are kept in a heap of their own in the newer versions
        d.attrs[f"a{i}"] = np.arange(i, dtype="<i2")
    if f.libver[0] != "earliest":  # too large for a block of that heap
        d.attrs["large"] = np.arange(3000, dtype="<i2")
    # what has to be refused
    r = f.create_group("refused")
    r.create_dataset("lzf", data=values((8, 8), "<i4"), chunks=(4, 4), compression="lzf")
    r.create_dataset("scaleoffset", data=values((8, 8), "<i4"), chunks=(4, 4), scaleoffset=0)
    t = h5py.h5t.IEEE_F32LE.copy()
    t.set_ebias(100)
    h5py.h5d.create(r.id, b"floatbias", t, h5py.h5s.create_simple((3,)))
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_chunk((3,))
    call("H5Pset_nbit", ctypes.c_int64(dcpl.id))
    h5py.h5d.create(r.id, b"nbit", h5py.h5t.STD_I32LE, h5py.h5s.create_simple((3,)), dcpl)
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    dcpl.set_external(b"elsewhere.bin", 0, 12)
    h5py.h5d.create(r.id, b"external", h5py.h5t.STD_I32LE, h5py.h5s.create_simple((3,)), dcpl)
    if f.libver[1] != "earliest" and f.libver[0] not in ("earliest", "v108"):
        layout = h5py.VirtualLayout((3,), "<i4")
        layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (3,))
        r.create_virtual_dataset("virtual", layout)


for libver in ("earliest", "v108", "v110", "v112", "latest"):
    name = f"combos_{libver}.h5"
    with h5py.File(name, "w", libver=(libver, "latest"), userblock_size=512 if libver == "v110" else 0) as f:
        fill_file(f, libver in ("earliest", "latest"))
# other widths of addresses and lengths; superblock version 1, from another width of chunk B-trees; shared messages
for name, sizes, istore, shared in (("small4", (4, 4), 0, False), ("istore", (8, 8), 3, False), ("shared", (8, 8), 0, True)):
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    fcpl.set_sizes(*sizes)
    if istore:
        call("H5Pset_istore_k", ctypes.c_int64(fcpl.id), ctypes.c_uint(istore))
        call("H5Pset_sym_k", ctypes.c_int64(fcpl.id), ctypes.c_uint(2), ctypes.c_uint(2))
    if shared:  # types and fill values of 40 bytes and more
        call("H5Pset_shared_mesg_nindexes", ctypes.c_int64(fcpl.id), ctypes.c_uint(1))
        call("H5Pset_shared_mesg_index", ctypes.c_int64(fcpl.id), ctypes.c_uint(0), ctypes.c_uint(0x182A), ctypes.c_uint(8))
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    fapl.set_libver_bounds(h5py.h5f.LIBVER_V18 if shared else h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)
    with h5py.File(h5py.h5f.create(f"combos_{name}.h5".encode(), h5py.h5f.ACC_TRUNC, fcpl, fapl)) as f:
        if shared:
            for i in range(3):
                f[f"x{i}"] = values((3, 5), "<i4")
        else:
            fill_file(f, False)
for name in sorted(n for n in os.listdir(".") if n.startswith("combos_") and n.endswith(".h5")):
    with open(name, "rb") as a, gzip.GzipFile(name + ".gz", "wb", 9, mtime=0) as b:
        b.write(a.read())
    os.remove(name)
