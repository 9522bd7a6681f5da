"""Writes the same variables as MATLAB files of version 5 (by scipy, plain and compressed; by hand big-endian) and of
version 7.3 (by h5py in the layout of MATLAB's own files, plain and compressed), and what scipy reads from the first of them
as expected.json. No MATLAB was used.

    python make.py      (scipy 1.17.1, h5py 3.16.0, numpy 2.4.6)
"""
import json
import os
import struct

import h5py
import numpy as np
import scipy.io
import scipy.sparse

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(0)
INTS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def cell(shape, *items):
    c = np.empty(shape, object)
    for i, x in enumerate(items):
        c[np.unravel_index(i, shape, order="F")] = x
    return c


def records(shape, **fields):
    s = np.empty(shape, [(k, object) for k in fields])
    for k, items in fields.items():
        for i, x in enumerate(items):
            s[k][np.unravel_index(i, shape, order="F")] = x
    return s


v = {}
for t in INTS:
    info = np.iinfo(t)
    x = rng.integers(info.min, info.max, (2, 3, 2), dtype=t, endpoint=True)
    x[0, 0, 0], x[1, 2, 1] = info.min, info.max
    v[t + "s"] = x
v["doubles"] = np.array([[1.5, np.nan, -0.0], [np.inf, 1e-310, -np.inf]])
v["wholes"] = np.arange(12.0).reshape(3, 4) * 1000
v["singles"] = rng.standard_normal((4, 3)).astype("f4")
v["complexes"] = rng.standard_normal((3, 2)) + 1j * rng.standard_normal((3, 2))
v["complexsingles"] = v["complexes"].astype("c8")
v["logicals"] = np.array([[True, False, True], [False, False, True]])
v["text"] = np.array(["plain text"])
v["rows"] = np.array(["abc", "xyz"])
v["letters"] = np.array(["grün µV 脳"])
v["notext"] = np.zeros((0, 0), "U1")
v["none"] = np.zeros((0, 3))
v["nocell"] = np.empty((0, 0), object)
v["scalar"] = np.array([[2.25]])
v["nd"] = np.arange(24.0).reshape(2, 3, 4)
v["cells"] = cell((2, 2), v["scalar"], v["text"], cell((1, 2), v["logicals"], np.zeros((0, 0))), v["int64s"])
v["one"] = records((1, 1), alpha=[v["singles"]], b=[v["text"]], c=[records((1, 1), deep=[v["cells"]])])
v["many"] = records((1, 3), x=[v["scalar"], v["doubles"], np.zeros((0, 0))], name=[v["text"], v["letters"], v["text"]])
v["grid"] = records((2, 2), y=[np.array([[float(i)]]) for i in range(4)])
v["sparse"] = scipy.sparse.csc_matrix(np.diag([1.0, 0, 2]))
scipy.io.savemat("all_v5.mat", v, oned_as="row")
scipy.io.savemat("all_v5z.mat", v, do_compression=True, oned_as="row")


# ---- what scipy reads
def describe(x):
    d = {"dims": list(x.shape)}
    if scipy.sparse.issparse(x):
        return {"class": "sparse", "dims": list(x.shape)}
    flat = x.ravel(order="F")
    if x.dtype.names:
        d |= {"class": "struct", "fields": list(x.dtype.names), "cells": [describe(e[k]) for e in flat for k in x.dtype.names]}
    elif x.dtype == object:
        d |= {"class": "cell", "cells": [describe(e) for e in flat]}
    elif x.dtype.kind == "U":  # scipy joins the letters of a row
        d |= {"class": "char", "text": "\n".join(str(r) for r in flat)}
        d["dims"] = list(x.shape[:-1]) + [x.shape[-1] and len(flat[0])] if x.ndim > 1 else [len(flat), len(flat[0]) if len(flat) else 0]
    elif x.dtype == bool:
        d |= {"class": "uint8", "logical": True, "re": [repr(int(e)) for e in flat]}
    elif x.dtype.kind in "iu":
        d |= {"class": x.dtype.name, "re": [repr(int(e)) for e in flat]}
    else:
        d |= {"class": "single" if x.dtype.itemsize == (8 if x.dtype.kind == "c" else 4) else "double",
              "re": [repr(float(e)) for e in flat.real]}
        if x.dtype.kind == "c":
            d["im"] = [repr(float(e)) for e in flat.imag]
    return d


def load(name):  # mat_dtype tells logicals from bytes and drops imaginary parts
    typed, plain = scipy.io.loadmat(name, mat_dtype=True), scipy.io.loadmat(name)
    return {k: describe(plain[k] if k.startswith("complex") else typed[k]) for k in v}


want = load("all_v5.mat")
json.dump(want, open("expected.json", "w"), ensure_ascii=False, separators=(",", ":"), indent=None)


# ---- version 5, big-endian, field by field
MI = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9, "i8": 12, "u8": 13}
MX = {"double": 6, "single": 7} | {t: 8 + i for i, t in enumerate(INTS)}


def element(kind, data):
    if 0 < len(data) <= 4:
        return struct.pack(">HH", len(data), kind) + data.ljust(4, b"\0")
    return struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def numbers(x):
    x = x.astype(x.dtype.newbyteorder(">"))
    return element(MI[x.dtype.str[1:]], x.tobytes("F"))


def matrix(name, x):
    flags, body = 0, b""
    shape = x.shape
    if scipy.sparse.issparse(x):
        cls, flags = 5, len(x.data)
        body = numbers(x.indices.astype("i4")) + numbers(x.indptr.astype("i4")) + numbers(x.data)
        head = struct.pack(">II", cls, flags)
        return element(14, element(6, head) + numbers(np.array(shape, "i4")) + element(1, name.encode()) + body)
    if x.dtype.names:
        cls = 2
        body = numbers(np.array([32], "i4")) + element(1, b"".join(n.encode().ljust(32, b"\0") for n in x.dtype.names))
        body += b"".join(matrix("", e[n]) for e in x.ravel("F") for n in x.dtype.names)
    elif x.dtype == object:
        cls, body = 1, b"".join(matrix("", e) for e in x.ravel("F"))
    elif x.dtype.kind == "U":
        cls = 4
        rows = [list(r) for r in x.ravel()] if x.size else []
        codes = np.array([[ord(c) for c in r] for r in rows], "u2") if rows else np.zeros((0, 0), "u2")
        shape, body = codes.shape, element(17 if codes.size else 4, codes.astype(">u2").tobytes("F"))
    elif x.dtype == bool:
        cls, flags, body = MX["uint8"], 0x0200, numbers(x.astype("u1"))
    elif x.dtype.kind == "c":
        cls, flags = MX["double" if x.dtype.itemsize == 16 else "single"], 0x0800
        body = numbers(x.real.copy()) + numbers(x.imag.copy())
    else:
        cls = MX[{"float64": "double", "float32": "single"}.get(x.dtype.name, x.dtype.name)]
        small = x.dtype == float and x.size and np.all(x == np.trunc(x)) and np.all((x >= 0) & (x < 65536)) and not np.signbit(x).any()
        body = numbers(x.astype("u2") if small else x)  # as MATLAB stores whole doubles
    return element(14, element(6, struct.pack(">II", flags | cls, 0)) + numbers(np.array(shape, "i4")) + element(1, name.encode()) + body)


with open("all_v5be.mat", "wb") as f:
    f.write(b"MATLAB 5.0 MAT-file, by hand, big-endian".ljust(116) + b"\0" * 8 + struct.pack(">H", 0x0100) + b"MI")
    for k, x in v.items():
        f.write(matrix(k, x))
assert load("all_v5be.mat") == want == load("all_v5z.mat")


# ---- version 7.3
def v73(name, chunks):
    with h5py.File(name, "w", userblock_size=512, libver=("earliest", "v110")) as f:
        def attrs(o, **more):
            for k, a in more.items():
                o.attrs[k] = a

        def ref(x):
            refs = f.require_group("#refs#")
            return put(refs, f"r{len(refs)}", x).ref

        def put(g, key, x):
            if scipy.sparse.issparse(x):
                s = g.create_group(key)
                s["data"], s["ir"], s["jc"] = x.data, x.indices.astype("u8"), x.indptr.astype("u8")
                attrs(s, MATLAB_class=np.bytes_("double"), MATLAB_sparse=np.uint64(x.shape[0]))
                return s
            kind = x.dtype.kind
            if x.dtype.names:
                s = g.create_group(key)
                attrs(s, MATLAB_class=np.bytes_("struct"))
                if len(x.dtype.names) > 1:  # MATLAB leaves the list out where there is one field
                    names = np.empty(len(x.dtype.names), object)
                    for i, n in enumerate(x.dtype.names):
                        names[i] = np.array([c.encode() for c in n], "S1")
                    s.attrs.create("MATLAB_fields", names, dtype=h5py.vlen_dtype(np.dtype("S1")))
                for n in x.dtype.names:
                    if x.size == 1:
                        put(s, n, x[n].ravel()[0])
                    else:
                        d = s.create_dataset(n, x.shape[::-1], h5py.ref_dtype)
                        for i, e in enumerate(x[n].ravel("F")):
                            d[np.unravel_index(i, x.shape[::-1])] = ref(e)
                return s
            cls = {"U": "char", "b": "logical", "O": "cell"}.get(kind)
            if kind == "U":
                x = np.array([[ord(c) for c in r] for r in x.ravel()], "u2") if x.size else np.zeros((0, 0), "u2")
            elif kind == "b":
                x = x.astype("u1")
            if cls is None:
                cls = {"float64": "double", "float32": "single", "complex128": "double", "complex64": "single"}.get(x.dtype.name, x.dtype.name)
            if x.size == 0:
                d = g.create_dataset(key, data=np.array(x.shape, "u8"))
                attrs(d, MATLAB_class=np.bytes_(cls), MATLAB_empty=np.uint8(1))
            elif kind == "O":
                d = g.create_dataset(key, x.shape[::-1], h5py.ref_dtype)
                for i, e in enumerate(x.ravel("F")):
                    d[np.unravel_index(i, x.shape[::-1])] = ref(e)
                attrs(d, MATLAB_class=np.bytes_(cls))
            else:
                if kind == "c":
                    half = "<f8" if x.dtype.itemsize == 16 else "<f4"
                    c = np.empty(x.shape, [("real", half), ("imag", half)])
                    c["real"], c["imag"] = x.real, x.imag
                    x = c
                more = {"chunks": tuple(min(2, n) for n in x.shape[::-1]), "compression": "gzip", "compression_opts": 3} if key in chunks else {}
                d = g.create_dataset(key, data=np.ascontiguousarray(x.T), **more)
                attrs(d, MATLAB_class=np.bytes_(cls))
                if cls in ("char", "logical"):
                    attrs(d, MATLAB_int_decode=np.int32(2 if cls == "char" else 1))
            return d

        for k, x in v.items():
            put(f, k, x)
        # what MATLAB writes for empty structs, for the value of a cell that was never set, and for objects
        d = f.create_dataset("nostruct", data=np.array([0, 0], "u8"))
        attrs(d, MATLAB_class=np.bytes_("struct"), MATLAB_empty=np.uint8(1))
        d = f["#refs#"].create_dataset("a", data=np.array([0, 0], "u8"))
        attrs(d, MATLAB_class=np.bytes_("canonical empty"), MATLAB_empty=np.uint8(1))
        d = f.create_dataset("unset", (1, 1), h5py.ref_dtype)
        d[0, 0] = f["#refs#/a"].ref
        attrs(d, MATLAB_class=np.bytes_("cell"))
        d = f.create_dataset("object", data=np.zeros((1, 6), "u4"))
        attrs(d, MATLAB_class=np.bytes_("datetime"), MATLAB_object_decode=np.int32(3))
        f.create_group("#subsystem#")
    with open(name, "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file, by h5py in MATLAB's layout".ljust(116) + b"\0" * 8 + struct.pack("<H", 0x0200) + b"IM")


v73("all_v73.mat", [])
v73("all_v73z.mat", ["doubles", "int16s", "complexes", "logicals", "text", "nd"])
