"""Writes random files with nibabel, scipy, hdf5storage and numpy over their options and compares what Percept reads from them
with what the libraries read, value by value.

    python random_files.py [files [seed]]      (1500 files; Python 3.11, numpy 2.4.6, nibabel 5.4.2, scipy 1.17.1, mat73 0.65,
                                                hdf5storage 0.2.2, h5py 3.16.0, backports.zstd 1.8.0)

Prints how many arrays are equal, differ, crashed, and those that Percept refuses by reason. Exit status 1 if one differs or
crashed. PERCEPT_DUMP names a built tools/formats/dump.
"""
import collections
import os
import re
import struct
import sys
import tempfile
import warnings

import h5py
import hdf5storage
import mat73
import nibabel as nib
import numpy as np
import scipy.io as sio
from nibabel import cifti2 as ci, freesurfer as fs, gifti as gg

from common import percept, printable, sha256

warnings.simplefilter("ignore")
nib.imageglobals.logger.setLevel(50)
count = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
folder = tempfile.mkdtemp(prefix="percept-formats-")
wanted = []  # path, name, array, affine or None

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]


def pick(*choices):
    return choices[rng.integers(len(choices))]


def shape(least, most, largest=6):
    return tuple(int(rng.integers(1, largest)) for _ in range(rng.integers(least, most + 1)))


def values(shape, dtype):
    """Values all over the type; one array in ten of 64-bit integers beyond what float64 holds."""
    d = np.dtype(dtype)
    if d.kind in "iu":
        info = np.iinfo(d)
        lo, hi = info.min, info.max
        if d.itemsize == 8 and rng.random() < 0.9:
            lo, hi = max(lo, -(2**53)), 2**53
        return rng.integers(lo, hi, shape, dtype=np.dtype(d.kind + str(d.itemsize)), endpoint=True).astype(d)
    x = rng.standard_normal(shape) * 10.0 ** rng.integers(-5, 5)
    if d.itemsize > 2 and rng.random() < 0.2 and x.size:
        x.flat[rng.integers(x.size)] = pick(np.nan, np.inf, -np.inf)
    return x.astype(d)


def affine():
    q = rng.standard_normal(4)
    w, x, y, z = q / np.linalg.norm(q)
    r = np.array([[w*w+x*x-y*y-z*z, 2*(x*y-w*z), 2*(x*z+w*y)], [2*(x*y+w*z), w*w+y*y-x*x-z*z, 2*(y*z-w*x)],
                  [2*(x*z-w*y), 2*(y*z+w*x), w*w+z*z-x*x-y*y]])
    a = np.eye(4)
    a[:3, :3] = r * rng.uniform(0.5, 4, 3) * pick(1, [-1, 1, 1])
    a[:3, 3] = rng.uniform(-99, 99, 3)
    return a


def nifti(path):
    single, pair = pick((nib.Nifti1Image, nib.nifti1.Nifti1Pair), (nib.Nifti2Image, nib.nifti2.Nifti2Pair))
    is_pair = rng.random() < 0.25
    dtype = pick(*INTEGERS, "f4", "f8")
    x = values(shape(1, 7, 5) if rng.random() < 0.8 else (40000, 1, 1) + shape(0, 1), dtype)
    cls = pair if is_pair else single
    h = cls.header_class(endianness=pick("<", ">"))
    h.set_data_dtype(x.dtype)
    img = cls(x, affine(), h)
    qcode, scode = int(rng.integers(0, 5)), int(rng.integers(0, 5))
    img.set_qform(img.affine, qcode)
    img.set_sform(img.affine, scode)
    for _ in range(rng.integers(0, 3)):
        img.header.extensions.append(nib.nifti1.Nifti1Extension(int(pick(0, 4, 6)), bytes(rng.integers(32, 127, rng.integers(1, 99)).astype("u1"))))
    path += pick(".img", ".hdr") if is_pair else ".nii"
    path += pick("", "", ".gz", ".bz2", ".zst")
    try:
        nib.save(img, path)
    except Exception as e:  # nibabel's own limits: dimensions of NIfTI-1
        return "not written: " + type(e).__name__
    if rng.random() < 0.5 and not path.endswith((".gz", ".bz2", ".zst")):  # scaling, put in as it is
        header = path.replace(".img", ".hdr")
        form, at = ("ff", 112) if isinstance(img, nib.nifti1.Nifti1Pair) and not isinstance(img, nib.nifti2.Nifti2Pair) else ("dd", 176)
        with open(header, "r+b") as f:
            f.seek(at)
            f.write(struct.pack(h.endianness + form, pick(0.0, 1.0, 0.5, -2.25, 1e-3, float(np.float32(rng.uniform(0, 9)))),
                                pick(0.0, 1.5, float(np.float32(rng.uniform(-9, 9))))))
    back = nib.load(path)
    wanted.append((path, "", np.asanyarray(back.dataobj), back.affine))


def mgh(path):
    dims = shape(3, 4)
    x = values(dims[:3] if dims[3:] == (1,) else dims, pick("u1", "i2", "i4", "f4", "u2"))  # nibabel writes no single frame as four axes
    img = fs.MGHImage(x, affine())
    path += pick(".mgh", ".mgz")
    nib.save(img, path)
    back = nib.load(path)
    wanted.append((path, "", np.asanyarray(back.dataobj), back.affine))


def gifti(path):
    arrays, orders = [], []
    encoding = pick("GIFTI_ENCODING_ASCII", "GIFTI_ENCODING_B64BIN", "GIFTI_ENCODING_B64GZ")
    big = encoding != "GIFTI_ENCODING_ASCII" and rng.random() < 0.4
    for _ in range(rng.integers(1, 5)):
        dtype = pick("u1", "i4", "f4", "i2", "f8", "u2", "i8")
        x = values(shape(1, 2 if encoding == "GIFTI_ENCODING_ASCII" else 4), dtype)
        if big:
            x = x.byteswap()
        arrays.append(gg.GiftiDataArray(x, intent=pick("NIFTI_INTENT_SHAPE", "NIFTI_INTENT_TIME_SERIES", "NIFTI_INTENT_NONE", "NIFTI_INTENT_ZSCORE"),
                                        datatype=x.dtype, encoding=encoding, ordering=pick("C", "F") if encoding != "GIFTI_ENCODING_ASCII" else "C"))
    path += ".gii" + pick("", "", ".gz")
    gg.GiftiImage(darrays=arrays).to_filename(path, mode="force")  # also types beyond the three of the format
    if big and not path.endswith(".gz"):
        with open(path, "rb") as f:
            s = f.read()
        with open(path, "wb") as f:
            f.write(s.replace(b'"LittleEndian"', pick(b'"BigEndian"', b'"GIFTI_ENDIAN_BIG"')))
    have = collections.Counter()
    for a in nib.load(path).darrays:
        name = nib.nifti1.intent_codes.niistring[a.intent].removeprefix("NIFTI_INTENT_").lower()
        wanted.append((path, name + (f".{have[name]}" if have[name] else ""), a.data, None))
        have[name] += 1


def cifti(path):
    n = int(rng.integers(4, 40))
    brain = ci.BrainModelAxis.from_mask(rng.random(n) < 0.7, name=pick("CORTEX_LEFT", "CORTEX_RIGHT")) \
        if rng.random() < 0.6 else ci.BrainModelAxis.from_mask(np.ones((2, 2, 3), bool), affine=np.eye(4), name="THALAMUS_LEFT")
    if len(brain) == 0:
        return "not written: no vertices"
    parcels = ci.ParcelsAxis.from_brain_models([(f"p{i}", brain[i :: 2]) for i in range(min(2, len(brain)))])
    m = int(rng.integers(1, 6))
    scalars, series = ci.ScalarAxis([f"s{i}" for i in range(m)]), ci.SeriesAxis(0, 0.5, m)
    label = ci.LabelAxis(["l"] * m, [{0: ("?", (0, 0, 0, 0))}] * m)
    kind, code, axes = pick(("dscalar", 3006, (scalars, brain)), ("dtseries", 3002, (series, brain)), ("dconn", 3001, (brain, brain)),
                            ("ptseries", 3004, (series, parcels)), ("pscalar", 3008, (scalars, parcels)), ("pconn", 3003, (parcels, parcels)),
                            ("dlabel", 3007, (label, brain)), ("dpconn", 3010, (brain, parcels)), ("pdconn", 3009, (parcels, brain)),
                            ("pconnscalar", 3012, (parcels, parcels, scalars)))
    dtype = pick("f4", "f8", "i2", "i4", "u1")
    img = ci.Cifti2Image(values(tuple(len(a) for a in axes), dtype), axes)
    img.nifti_header.set_data_dtype(dtype)
    img.nifti_header.set_intent(code)
    path += f".{kind}.nii"
    nib.save(img, path)
    if rng.random() < 0.4:
        with open(path, "r+b") as f:
            f.seek(176)
            f.write(struct.pack("<dd", pick(0.5, 2.0, -1.25), pick(0.0, 3.5)))
    back = nib.load(path)
    assert isinstance(back, ci.Cifti2Image)
    wanted.append((path, "", back.get_fdata(), None))


def variables(classes, depth=0):
    """Arrays of a MATLAB file, some in structs of one element."""
    out = {}
    for i in range(rng.integers(1, 5)):
        if depth < 2 and rng.random() < 0.2:
            out[f"s{i}"] = variables(classes, depth + 1)
            continue
        dtype = pick(*classes)
        dims = shape(2, 4 if depth >= 0 else 2)
        if rng.random() < 0.1:
            dims = (0,) + dims[1:]
        x = values(dims, "f8" if dtype == "whole" else dtype) if dtype != "?" else rng.random(dims) < 0.5
        out[f"x{i}"] = np.round(np.nan_to_num(x, posinf=0, neginf=0)) if dtype == "whole" else x
    return out


def leaves(saved, path, prefix, back):
    for name, v in saved.items():
        got = back[name]
        if isinstance(v, dict):
            leaves(v, path, prefix + name + ".", got if isinstance(got, dict) else {k: got[k][0, 0] for k in v})
        else:
            wanted.append((path, prefix + name, got, None))


def mat5(path):
    v = variables(["f8", "f4", "whole", "?", *INTEGERS])
    path += ".mat"
    sio.savemat(path, v, do_compression=bool(rng.integers(2)))
    leaves(v, path, "", sio.loadmat(path))


def mat4(path):
    v = {f"x{i}": values(shape(2, 2), pick("f8", "f4", "i4", "i2", "u2", "u1")) for i in range(rng.integers(1, 5))}
    path += ".mat"
    sio.savemat(path, v, format="4")
    leaves(v, path, "", sio.loadmat(path))


def mat73_file(path):
    v = variables(["f8", "f4", "?", *INTEGERS])
    path += ".mat"
    hdf5storage.savemat(path, v, appendmat=False, oned_as="row", store_python_metadata=False, compress=bool(rng.integers(2)),
                        compress_size_threshold=64)
    if rng.random() < 0.3:  # without MATLAB's header: another program's
        with h5py.File(path + "x", "w") as to, h5py.File(path) as of:
            for name in of:
                of.copy(name, to)
        os.replace(path + "x", path)

    def compare(v, prefix, group):  # the values as saved: mat73 squeezes
        for name, x in v.items():
            if isinstance(x, dict):
                compare(x, prefix + name + ".", group[name])
            else:
                assert np.array_equal(np.asarray(group[name]).ravel(), np.squeeze(x).ravel(), equal_nan=x.dtype.kind == "f") or x.size == 0
                wanted.append((path, prefix + name, x, None))

    compare(v, "", mat73.loadmat(path))


def npy(path):
    dtype = pick("f2", "f4", "f8", "?", *INTEGERS)
    x = values(shape(0, 5), dtype) if dtype != "?" else rng.random(shape(0, 5)) < 0.5
    if rng.random() < 0.1 and x.ndim:
        x = x[:0]
    x = x.astype(x.dtype.newbyteorder(pick("<", ">")))
    if rng.random() < 0.4:
        x = np.asfortranarray(x)
    if rng.random() < 0.3:
        np_arrays = {"a": x, "b": values((3,), "f4")}
        pick(np.savez, np.savez_compressed)(path + ".npz", **np_arrays)
        for name, a in np_arrays.items():
            wanted.append((path + ".npz", name, a, None))
        return
    path += ".npy"
    with open(path, "wb") as f:
        np.lib.format.write_array(f, x, version=pick((1, 0), (2, 0), (3, 0)))
    wanted.append((path, "", np.load(path), None))


kinds = {"NIfTI": nifti, "MGH": mgh, "GIFTI": gifti, "CIFTI-2": cifti, "MATLAB 5": mat5, "MATLAB 4": mat4, "MATLAB 7.3": mat73_file, "npy": npy}
files, owner, left_out = collections.Counter(), {}, collections.Counter()
while sum(files.values()) < count:
    kind = list(kinds)[sum(files.values()) % len(kinds)]
    before = len(wanted)
    why = kinds[kind](os.path.join(folder, f"f{sum(files.values())}_{sum(left_out.values())}"))
    if why:
        left_out[why] += 1
        continue
    files[kind] += 1
    for w in wanted[before:]:
        owner[w[0]] = kind

got = percept([p if not name else f"{p}:{name}" for p, name, _, _ in wanted])
equal, different, crashed, refused = 0, [], [], collections.Counter()
for (path, name, x, a), line in zip(wanted, got):
    if line["error"].startswith("PANIC"):
        crashed.append((owner[path], path, name, line["error"]))
    elif line["error"]:
        reason = re.sub(r"[-+]?\d[\d.e+]*", "N", line["error"].removeprefix(path).split(": ")[-1])
        refused[(owner[path], reason)] += 1
    elif line["shape"] != list(np.shape(x)) or line["sha256"] != sha256(x):
        different.append((owner[path], path, name, line["shape"], line["values"][:4], list(np.shape(x)), [printable(v) for v in np.ravel(x)[:4]]))
    elif a is not None and not np.allclose(np.reshape(line["affine"], (4, 4)), a, rtol=1e-6, atol=1e-5):
        different.append((owner[path], path, "affine", line["affine"], a.ravel().tolist()))
    else:
        equal += 1
print(f"{sum(files.values())} files ({', '.join(f'{k} {n}' for k, n in files.items())}), {len(wanted)} arrays in {folder}")
for why, n in left_out.items():
    print(f"  {n} times {why}")
for d in different[:20]:
    print("different:", *d)
for c in crashed[:20]:
    print("crashed:", *c)
print(f"{equal} equal, {len(different)} different, {len(crashed)} crashes, {sum(refused.values())} refused")
for (kind, reason), n in refused.most_common():
    print(f"  {n} {kind}: {reason}")
sys.exit(bool(different or crashed))
