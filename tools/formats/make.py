"""Writes files that only some programs write, and what the reference libraries read from them, to fmri/array/testdata.

    python make.py      (Python 3.11, numpy 2.4.6, nibabel 5.4.2, scipy 1.17.1, h5py 3.16.0, mat73 0.65, backports.zstd 1.8.0)

The values are those that a library reads; where none reads the file (FreeSurfer's one newline, numbers that FreeSurfer's own
code or nifti1_io.c defines), the values that were written.
"""
import bz2
import gzip
import json
import os
import struct
import warnings
import zlib

import h5py
import mat73
import nibabel as nib
import numpy as np
import scipy.io as sio
from backports import zstd
from nibabel import cifti2 as ci, freesurfer as fs, gifti as gg

warnings.simplefilter("ignore")
here = os.path.dirname(os.path.abspath(__file__))
from common import described  # noqa: E402

os.chdir(os.path.join(here, "..", "..", "fmri", "array", "testdata"))
for old in os.listdir("."):
    os.remove(old)
rng = np.random.default_rng(0)
E = np.eye(4)
expected = []


def want(path, x, name="", affine=None):
    e = {"path": path, "name": name, **described(x, 2)}
    if affine is not None:
        e["affine"] = np.asarray(affine, float).ravel().tolist()
    expected.append(e)


def image(path, affine=True):
    img = nib.load(path)
    want(path, np.asanyarray(img.dataobj), affine=img.affine if affine else None)


def write(path, b):
    with open(path, "wb") as f:
        f.write(b)


def read(path):
    with open(path, "rb") as f:
        return f.read()


# --- NIfTI: dimensions that do not fit, and what FreeSurfer stores in their place
bands = (np.arange(163842) // 1000 - 50).astype("i2")  # in bands, so that it compresses
nib.save(nib.Nifti1Image(bands.reshape(163842, 1, 1), E), "ico7.nii.gz")
nib.save(nib.Nifti1Image(np.stack([bands, 200 - bands], -1).reshape(163842, 1, 1, 2), E), "ico7x2.nii.gz")
nib.save(nib.Nifti1Image((np.arange(150000) // 700 % 251).astype("u1").reshape((50000, 1, 1, 3), order="F"), E), "long.nii.gz")
nib.save(nib.nifti1.Nifti1Pair((np.arange(40000) // 321).astype("u1").reshape(40000, 1, 1), E), "long.img.gz")
v2 = nib.Nifti2Image((np.arange(163842) // 2000).astype("u1").reshape(27307, 1, 6), E)
nib.save(v2, "ico7_2.nii.gz")  # stays what it is
for path in ("ico7.nii.gz", "ico7x2.nii.gz", "long.nii.gz", "long.img.gz", "ico7_2.nii.gz"):
    image(path)

# --- NIfTI: affines
x = rng.integers(-9, 9, (3, 4, 2)).astype("i2")


def changed(path, *changes, shape=None, cls=nib.Nifti1Image):
    nib.save(cls(x if shape is None else x.ravel()[: np.prod(shape)].reshape(shape), np.diag([2, 3, 4, 1.0])), path)
    b = bytearray(read(path))
    for form, at, *values in changes:
        struct.pack_into(form, b, at, *values)
    write(path, b)


no_codes = ("<hh", 252, 0, 0)
changed("codes0.nii", no_codes)
changed("codes0_2d.nii", no_codes, shape=(6, 4))
changed("codes0_1d.nii", no_codes, shape=(7,))
changed("codes0_pixdim.nii", no_codes, ("<fff", 80, -2, 0, 1.5))
changed("codes0_nii2.nii", ("<ii", 344, 0, 0), cls=nib.Nifti2Image)
changed("bitpix.nii", ("<h", 72, 0))
for path in ("codes0.nii", "codes0_2d.nii", "codes0_1d.nii", "codes0_pixdim.nii", "codes0_nii2.nii", "bitpix.nii"):
    image(path)
changed("quaternion_rounded.nii", ("<hh", 252, 1, 0), ("<fff", 256, 0.6, 0.8, 0), ("<fff", 268, 1, 2, 3))
image("quaternion_rounded.nii")
changed("quaternion_long.nii", ("<hh", 252, 1, 0), ("<fff", 256, 1.01, 0, 0), ("<fff", 268, 1, 2, 3))
want("quaternion_long.nii", x, affine=[[2, 0, 0, 1], [0, -3, 0, 2], [0, 0, -4, 3], [0, 0, 0, 1]])  # nifti1_io.c
changed("quaternion_oblique.nii", ("<hh", 252, 1, 0), ("<ffff", 76, -1, 2, 3, 4), ("<fff", 256, 1.2, 1.2, 0), ("<fff", 268, 0, 0, 0))
want("quaternion_oblique.nii", x, affine=[[0, 3, 0, 0], [2, 0, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]])  # nifti1_io.c, qfac -1

# --- NIfTI: scalings that mean none, pairs, compressions
for name, slope, inter in (("0", 0, 5), ("nan", np.nan, 5), ("inf", np.inf, 5), ("minus", -0.5, 3), ("one", 1, -7)):
    changed(f"slope_{name}.nii", ("<ff", 112, slope, inter))
    image(f"slope_{name}.nii")
big = nib.nifti1.Nifti1Header(endianness=">")
big.set_data_dtype("i4")
nib.save(nib.nifti1.Nifti1Pair(x.astype("i4"), E, big), "big.img")
nib.save(nib.nifti1.Nifti1Pair(x, E), "packed.hdr.gz")
nib.save(nib.nifti1.Nifti1Pair(x, E), "packed2.img.bz2")
nib.save(nib.Nifti1Image(x, E), "b.nii.bz2")
nib.save(nib.Nifti1Image(x, E), "z.nii.zst")
for path in ("big.img", "big.hdr", "packed.hdr.gz", "packed2.img.bz2", "b.nii.bz2", "z.nii.zst"):
    image(path)


def member(b, flags=0, fields=b""):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"\x1f\x8b\x08" + bytes([flags]) + b"\0" * 6 + fields + c.compress(b) + c.flush() + struct.pack("<II", zlib.crc32(b), len(b))


nib.save(nib.Nifti1Image(x, E), "plain.nii")
plain = read("plain.nii")
head = b"\x1f\x8b\x08\x02" + b"\0" * 6
for name, b in {
    "name600": member(plain, 8, b"n" * 600 + b"\0"),
    "comment5000": member(plain, 16, b"c" * 5000 + b"\0"),
    "all": member(plain, 4 | 8 | 16, struct.pack("<H", 700) + b"e" * 700 + b"n" * 513 + b"\0" + b"c" * 513 + b"\0"),
    "headersum": head + struct.pack("<H", zlib.crc32(head) & 0xFFFF) + member(plain)[10:],
    "padded1": member(plain) + b"\0",
    "padded512": member(plain) + b"\0" * 512,
    "members": member(plain[:100]) + member(b"") + member(plain[100:360], 8, b"m" * 900 + b"\0") + b"\0" * 3 + member(plain[360:]),
}.items():
    write(name + ".nii.gz", b)
    image(name + ".nii.gz")
write("streams.nii.bz2", bz2.compress(plain[:77]) + bz2.compress(b"") + bz2.compress(plain[77:]))
write("padded.nii.bz2", bz2.compress(plain) + b"\0" * 700)
write("padded1.nii.bz2", bz2.compress(plain) + b"\0")
options = {zstd.CompressionParameter.checksum_flag: 1, zstd.CompressionParameter.content_size_flag: 0}
skipped = struct.pack("<II", 0x184D2A53, 5) + b"hello"
write("frames.nii.zst", skipped + zstd.compress(plain[:77], options=options) + skipped + zstd.compress(plain[77:], 19))
write("padded.nii.zst", zstd.compress(plain) + b"\0" * 700)
write("padded1.nii.zst", zstd.compress(plain) + b"\0")
for path in ("streams.nii.bz2", "padded.nii.bz2", "padded1.nii.bz2", "frames.nii.zst"):
    image(path)
for path in ("padded.nii.zst", "padded1.nii.zst"):  # which nibabel refuses
    want(path, x)

# --- CIFTI-2
brain = ci.BrainModelAxis.from_mask(np.ones(100, bool), name="CORTEX_LEFT")
small = ci.BrainModelAxis.from_mask(np.array([1, 0, 1, 1, 0, 1], bool), name="CORTEX_RIGHT")
parcels = ci.ParcelsAxis.from_brain_models([("one", brain[:40]), ("two", brain[40:])])
scalars, series = ci.ScalarAxis(["a", "b", "c"]), ci.SeriesAxis(0, 1, 3)
labels = ci.LabelAxis(["l"], [{0: ("?", (0, 0, 0, 0)), 3: ("V1", (1, 0, 0, 1))}])
for path, axes, dtype in (
    ("x.dscalar.nii", (scalars, brain), "f4"), ("x.dtseries.nii", (series, brain), "f4"), ("x.dconn.nii", (small, small), "f4"),
    ("x.ptseries.nii", (series, parcels), "f8"), ("x.pscalar.nii", (scalars, parcels), "f4"), ("x.pconn.nii", (parcels, parcels), "f4"),
    ("x.dlabel.nii", (labels, brain), "i4"), ("x.dpconn.nii", (small, parcels), "f4"), ("x.pdconn.nii", (parcels, small), "f4"),
):
    shape = tuple(len(a) for a in axes)
    v = rng.integers(0, 4, shape) if dtype[0] == "i" else rng.standard_normal(shape)
    img = ci.Cifti2Image(v.astype(dtype), axes)
    img.nifti_header.set_data_dtype(dtype)
    intent = {"dscalar": "ConnDenseScalar", "dtseries": "ConnDenseSeries", "dconn": "ConnDense", "ptseries": "ConnParcelSries",
              "pscalar": "ConnParcelScalr", "pconn": "ConnParcels", "dlabel": "ConnDenseLabel", "dpconn": "ConnDenseParcel",
              "pdconn": "ConnParcelDense"}[path.split(".")[1]]
    img.nifti_header.set_intent({"ConnDenseScalar": 3006, "ConnDenseSeries": 3002, "ConnDense": 3001, "ConnParcelSries": 3004,
                                 "ConnParcelScalr": 3008, "ConnParcels": 3003, "ConnDenseLabel": 3007, "ConnDenseParcel": 3010,
                                 "ConnParcelDense": 3009}[intent], name=intent)
    nib.save(img, path)
    back = nib.load(path)
    assert isinstance(back, ci.Cifti2Image), path
    want(path, back.get_fdata())
img = ci.Cifti2Image(rng.integers(-999, 999, (3, 100)).astype("i2"), (scalars, brain))
img.nifti_header.set_data_dtype("i2")
img.nifti_header.set_slope_inter(0.25, -3)
nib.save(img, "scaled.dscalar.nii")
b = bytearray(read("scaled.dscalar.nii"))
struct.pack_into("<dd", b, 176, 0.25, -3)
write("scaled.dscalar.nii", b)
want("scaled.dscalar.nii", nib.load("scaled.dscalar.nii").get_fdata())

# --- MGH of unsigned integers of 16 bits
u16 = fs.MGHImage(rng.integers(0, 65536, (6, 1, 1, 2)).astype("u2"), E)
nib.save(u16, "u16.mgz")
image("u16.mgz")

# --- FreeSurfer: one newline behind the comment, counts that end in a newline's code, quadrangles, old curv
for n in (4, 10, 266):  # 10 and 266 end in 0x0a
    xyz = rng.standard_normal((n, 3)).astype("f4")
    tri = rng.integers(0, n, (10 if n == 4 else 2 * n - 4, 3)).astype("i4")
    fs.write_geometry("lh.two", xyz, tri, create_stamp="created by make.py")
    two = read("lh.two")
    at = two.index(b"\n\n")
    files = {"two": two, "one": two[: at + 1] + two[at + 2 :], "three": two[: at + 1] + b"\n" + two[at + 1 :]}
    if n == 10:
        files["lines"] = two[: at + 1] + b"a second line" + two[at + 1 :]
        files["tags"] = files["one"] + struct.pack(">iq", 3, 5) + b"hello"
    os.remove("lh.two")
    for kind, b in files.items():
        write(f"lh.{kind}{n}", b)
        want(f"lh.{kind}{n}", xyz, "vertices")
        want(f"lh.{kind}{n}", tri, "faces")
    write("check", two)
    v, f = fs.read_geometry("check")
    os.remove("check")
    assert np.array_equal(v, xyz) and np.array_equal(f, tri)
u3 = lambda n: int(n).to_bytes(3, "big")  # noqa: E731
points = rng.uniform(-90, 90, (9, 3))
quads = [[0, 1, 3, 2], [4, 5, 7, 6], [1, 0, 4, 5], [3, 2, 6, 8], [7, 0, 6, 2]]
corners = b"".join(u3(k) for q in quads for k in q)
write("lh.quad", u3(16777213) + u3(9) + u3(5) + points.astype(">f4").tobytes() + corners)
write("lh.quad_old", u3(16777215) + u3(9) + u3(5) + np.round(points * 100).astype(">i2").tobytes() + corners)
for path in ("lh.quad", "lh.quad_old"):
    v, f = fs.read_geometry(path)
    want(path, v, "vertices")
    want(path, f, "faces")
write("lh.curv_old", u3(7) + u3(10) + np.array([50, -25, 100, 37, -32768, 32767, 1], ">i2").tobytes())
want("lh.curv_old", fs.read_morph_data("lh.curv_old"))

# --- GIFTI
v = np.arange(7, dtype="f4") / 4


def gifti(path, *arrays, change=()):
    nib.save(gg.GiftiImage(darrays=[gg.GiftiDataArray(a, intent="NIFTI_INTENT_SHAPE", datatype=t, encoding=e) for a, t, e in arrays]), path)
    s = read(path)
    for old, new in change:
        assert old in s, old
        s = s.replace(old, new)
    write(path, s)
    for i, a in enumerate(nib.load(path).darrays):
        want(path, a.data, "shape" if i == 0 else f"shape.{i}")


b64, text = "GIFTI_ENCODING_B64GZ", "GIFTI_ENCODING_ASCII"
gifti("endian_little.gii", (v, "NIFTI_TYPE_FLOAT32", b64), change=[(b'"LittleEndian"', b'"GIFTI_ENDIAN_LITTLE"')])
gifti("endian_big.gii", (v.byteswap(), "NIFTI_TYPE_FLOAT32", b64), change=[(b'"LittleEndian"', b'"GIFTI_ENDIAN_BIG"')])
gifti("endian_none.gii", (v, "NIFTI_TYPE_FLOAT32", b64), change=[(b' Endian="LittleEndian"', b"")])
gifti("spellings.gii", (v, "NIFTI_TYPE_FLOAT32", b64),
      change=[(b'"LittleEndian"', b'"little"'), (b'"GZipBase64Binary"', b'"GIFTI_ENCODING_B64GZ"'), (b'"NIFTI_TYPE_FLOAT32"', b'"float32"'),
              (b' ArrayIndexingOrder="RowMajorOrder"', b"")])
gifti("column_text.gii", (v[:6].reshape(6, 1), "NIFTI_TYPE_FLOAT32", text), (v[:6].reshape(1, 6), "NIFTI_TYPE_FLOAT32", text),
      (v, "NIFTI_TYPE_FLOAT32", text), change=[(b'"RowMajorOrder"', b'"ColumnMajorOrder"')])
gifti("column_binary.gii", (np.arange(24, dtype="i4").reshape(2, 3, 4), "NIFTI_TYPE_INT32", b64),
      change=[(b'"RowMajorOrder"', b'"ColumnMajorOrder"')])
gifti("none.gii", (np.zeros((0, 3), "f4"), "NIFTI_TYPE_FLOAT32", b64), (v, "NIFTI_TYPE_FLOAT32", b64))
gifti("scalar.gii", (v[:1], "NIFTI_TYPE_FLOAT32", b64), change=[(b'Dimensionality="1"', b'Dimensionality="0"')])
write("external.dat", b"...." + np.arange(6, dtype=">f4").tobytes())
gifti("external.gii", (v[:6].reshape(2, 3), "NIFTI_TYPE_FLOAT32", "GIFTI_ENCODING_B64BIN"),
      change=[(b'"LittleEndian"', b'"BigEndian"'), (b'"Base64Binary"', b'"ExternalFileBinary"'), (b'ExternalFileName=""', b'ExternalFileName="external.dat"'),
              (b'ExternalFileOffset="0"', b'ExternalFileOffset="4"')])

# --- MATLAB 5 of other writers, MATLAB 4, HDF5 with MATLAB's attributes but not its header
doubles = np.arange(6.0).reshape(2, 3)
for kind in (5, 12, 13, 2):
    sio.savemat("f.mat", {"x": doubles})
    b = bytearray(read("f.mat"))
    b[:116] = b"MATLAB 5.0 MAT-file".ljust(116)  # without the time
    b[136] = kind
    write(f"flags{kind}.mat", b)
    want(f"flags{kind}.mat", sio.loadmat(f"flags{kind}.mat")["x"], "x")
sio.savemat("f.mat", {"s": {"a": doubles, "b": np.float32([1.5, 2])}})
b = bytearray(read("f.mat"))
b[:116] = b"MATLAB 5.0 MAT-file".ljust(116)
for at in range(128, len(b) - 8, 8):  # every field's flags
    if struct.unpack_from("<II", b, at) == (6, 8):
        b[at] = 5
write("flags_struct.mat", b)
s = sio.loadmat("flags_struct.mat", squeeze_me=False)["s"][0, 0]
want("flags_struct.mat", s["a"], "s.a")
want("flags_struct.mat", s["b"], "s.b")
os.remove("f.mat")
v4 = {"d": doubles, "f": np.float32([[1.5, -2]]), "i": np.arange(4, dtype="i2"), "l": np.int32([[-5], [6]]), "u": np.uint16([65535, 3]),
      "b": np.uint8([[1, 2], [3, 255]]), "e": np.zeros((0, 3)), "text": "hello"}
sio.savemat("v4.mat", v4, format="4")
back = sio.loadmat("v4.mat")
for name in "dfilube":
    want("v4.mat", back[name], name)
b = b""
for name, a in (("d", doubles), ("i", np.int16([[1, -2, 300]]))):  # of a big-endian machine
    b += struct.pack(">5i", 1000 + {"d": 0, "i": 30}[name], *a.shape, 0, 2) + name.encode() + b"\0" + a.astype(a.dtype.newbyteorder(">")).tobytes("F")
write("v4_big.mat", b)
back = sio.loadmat("v4_big.mat")
want("v4_big.mat", back["d"], "d")
want("v4_big.mat", back["i"], "i")
with h5py.File("noheader.mat", "w") as f:
    d = f.create_dataset("x", data=doubles.T)
    d.attrs["MATLAB_class"] = np.bytes_("double")
    g = f.create_group("s")
    g.attrs["MATLAB_class"] = np.bytes_("struct")
    g.create_dataset("y", data=np.arange(24, dtype="i2").reshape(4, 3, 2)).attrs["MATLAB_class"] = np.bytes_("int16")
back = mat73.loadmat("noheader.mat")
want("noheader.mat", back["x"], "x")
want("noheader.mat", back["s"]["y"], "s.y")
with h5py.File("field.mat", "w") as f:  # the class is that of a field alone
    f["a"] = h5py.SoftLink("/nowhere")
    f.create_dataset("s/y", data=doubles.T).attrs["MATLAB_class"] = np.bytes_("double")
want("field.mat", doubles, "s.y")  # mat73 fails on the link, and reads this without it
with h5py.File("plain_hdf5.mat", "w") as f:  # no attributes: nobody's axes but HDF5's
    f["x"] = doubles.T
want("plain_hdf5.mat", doubles.T, "x")

# --- npy: types without a byte order
for i, descr in enumerate(("f4", "=f4", "|f4", "i8", "=i2", "u2", "d", "h", "e", "float32", "int16", "?", "B", ">d", ">l", "<b", "bool")):
    a = np.array([0, 1, 2, 3, 250, 7]).astype(np.dtype(descr))
    h = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (6,), }}"
    h = h + " " * (63 - (10 + len(h)) % 64) + "\n"
    write(f"order{i}.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(h)) + h.encode() + a.tobytes())
    want(f"order{i}.npy", np.load(f"order{i}.npy"))

with open("expected.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(e, separators=(",", ":")) for e in expected) + "\n]\n")
print(len(expected), "arrays,", sum(os.path.getsize(p) for p in os.listdir(".")), "bytes, largest",
      max((os.path.getsize(p), p) for p in os.listdir(".")))
