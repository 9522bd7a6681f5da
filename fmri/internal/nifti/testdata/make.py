"""Writes all.zip with nibabel: images of every number type, of NIfTI-1 and NIfTI-2, in both byte orders, as one file and as
a pair, compressed or not, with extensions, with odd scalings; and beside each what nibabel reads, as float64 in file order.

    python make.py      (numpy 2.4.6, nibabel 5.4.2)
"""
import io
import os
import struct
import tempfile
import zipfile

import numpy as np
import nibabel as nib

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(0)
c, s = np.cos(0.4), np.sin(0.4)
affine = np.array([[-2 * c, 2 * s, 0, 30.5], [2 * s, 2 * c, 0, -40], [0, 0, 3, 7.25], [0, 0, 0, 1]])
tmp = tempfile.mkdtemp()
z = zipfile.ZipFile("all.zip", "w", zipfile.ZIP_DEFLATED)


def put(name, data):
    info = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    z.writestr(info, data)


def add(names):
    """Packs the files of an image and what nibabel reads from the first of them."""
    for n in names:
        with open(os.path.join(tmp, n), "rb") as f:
            put(n, f.read())
    img = nib.load(os.path.join(tmp, names[0]))
    x = np.asanyarray(img.dataobj)
    put(names[0] + ".want", struct.pack("<i", x.ndim) + struct.pack(f"<{x.ndim}i", *x.shape) + img.affine.astype("<f8").tobytes()
        + x.astype("<f8").tobytes("F"))


def save(name, data, cls, endian="<", change=None, extension=None):
    h = cls.header_class(endianness=endian)
    h.set_data_dtype(data.dtype)
    img = cls(data, affine, h)
    if extension:
        img.header.extensions.append(nib.nifti1.Nifti1Extension(6, extension))
    nib.save(img, os.path.join(tmp, name))
    if change:
        with open(os.path.join(tmp, name), "r+b") as f:
            change(f)
    pair = isinstance(img, nib.nifti1.Nifti1Pair) and not isinstance(img, nib.Nifti1Image) or isinstance(img, nib.nifti2.Nifti2Pair) and not isinstance(img, nib.Nifti2Image)
    add([name, name.replace(".hdr", ".img")] if pair else [name])


pairs = {1: nib.nifti1.Nifti1Pair, 2: nib.nifti2.Nifti2Pair}
singles = {1: nib.Nifti1Image, 2: nib.Nifti2Image}
for t in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"):
    d = np.dtype(t)
    if d.kind == "f":
        x = rng.standard_normal((3, 4, 2, 2)).astype(d)
    else:
        info = np.iinfo(d)
        bound = 2**52 if d.itemsize == 8 else info.max
        x = rng.integers(0 if d.kind == "u" else -bound, bound, (3, 4, 2, 2), endpoint=True).astype(d)
    for v in (1, 2):
        for e in "<>":
            save(f"{t}_v{v}_{'be' if e == '>' else 'le'}.nii", x, singles[v], e)
x = rng.integers(-3000, 3000, (3, 4, 2, 2)).astype("i2")
for v in (1, 2):
    for e in "<>":
        save(f"pair_v{v}_{'be' if e == '>' else 'le'}.hdr", x, pairs[v], e)
    save(f"pair_v{v}_gz.hdr.gz", x, pairs[v])
    save(f"zip_v{v}.nii.gz", x, singles[v])
    save(f"extension_v{v}.nii", x, singles[v], extension=b"x" * 2600)
    save(f"extension_v{v}.nii.gz", x, singles[v], ">", extension=b"y" * 2600)
    for name, slope, inter in [("half", 0.5, 3.0), ("neg", -2.25, 1.0), ("zero", 0.0, 5.0), ("nan", np.nan, 2.0), ("inf", np.inf, 0.0), ("one", 1.0, 0.0),
                               ("onlyinter", 1.0, 10.0), ("tiny", 1e-30, 0.0)]:
        for e in "<>":
            def change(f, e=e, slope=slope, inter=inter):
                f.seek(112 if v == 1 else 176)
                f.write(struct.pack(e + ("ff" if v == 1 else "dd"), slope, inter))
            save(f"scale_{name}_v{v}_{'be' if e == '>' else 'le'}.nii", x, singles[v], e, change)
for shape in ((5,), (5, 2), (2, 1, 3), (2, 3, 1, 2, 2), (1, 1, 1, 1, 1, 1, 2)):
    save(f"shape_{len(shape)}.nii", rng.standard_normal(shape).astype("f4"), singles[1])
z.close()
