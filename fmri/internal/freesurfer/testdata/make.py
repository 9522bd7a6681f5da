"""Writes the files of this folder with nibabel, and their contents as nibabel reads them back to expected.safetensors.

nibabel writes no labels, patches and annotations of the old format: those are written here field by field, labels are
read back by nibabel.

    python make.py      (numpy 2.4.6, nibabel 5.4.2, safetensors 0.8.0)
"""
import os
import struct

import numpy as np
import nibabel as nib
from nibabel import freesurfer as fs
from safetensors.numpy import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(0)
want = {}

# MGH in all types; an oblique affine; a footer with tags
c, s = np.cos(0.3), np.sin(0.3)
affine = np.array([[-1.2 * c, 0.8 * s, 0, 10.5], [1.2 * s, 0.8 * c, 0, -20.25], [0, 0, 2.5, 7], [0, 0, 0, 1]])
for name, dtype, data in [
    ("u8.mgz", np.uint8, rng.integers(0, 256, (3, 4, 5, 2))),
    ("i16.mgh", np.int16, rng.integers(-32768, 32768, (3, 4, 5, 2))),
    ("i32.mgh", np.int32, rng.integers(-2**31, 2**31, (3, 4, 5))),
    ("f32.mgh", np.float32, rng.standard_normal((3, 4, 5, 7))),
    ("f32.mgz", np.float32, rng.standard_normal((40, 1, 1, 6))),
]:
    img = fs.MGHImage(data.astype(dtype), affine)
    h = img.header
    h["tr"], h["flip_angle"], h["te"], h["ti"], h["fov"] = 1600, 0.5, 22, 900, 1
    h["dof"] = 12
    nib.save(img, name)
    back = nib.load(name)
    x = np.asanyarray(back.dataobj)
    x = x.reshape(x.shape + (1,) * (4 - x.ndim))
    key = name.replace(".", "_")
    want[key] = np.ascontiguousarray(x.T.ravel().astype(np.float64))  # file order
    want[key + ".affine"] = back.affine.astype(np.float64)
    want[key + ".tkr"] = back.header.get_vox2ras_tkr().astype(np.float64)
with open("f32.mgh", "ab") as f:  # TAG_CMDLINE with its length and text
    f.write(struct.pack(">iq", 3, 12) + b"mri_convert\0")

# a surface: an octahedron, each edge halved once, at uneven radii
v = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
f = [(4, 0, 2), (4, 2, 1), (4, 1, 3), (4, 3, 0), (5, 2, 0), (5, 1, 2), (5, 3, 1), (5, 0, 3)]
mid, faces = {}, []
for t in f:
    m = []
    for a, b in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0])):
        k = (min(a, b), max(a, b))
        if k not in mid:
            mid[k] = len(v)
            v.append(tuple((np.array(v[a]) + np.array(v[b])) / 2))
        m.append(mid[k])
    faces += [(t[0], m[0], m[2]), (t[1], m[1], m[0]), (t[2], m[2], m[1]), tuple(m)]
v = (np.array(v) * (30 + rng.standard_normal((len(v), 1)))).astype(np.float32)
faces = np.array(faces, np.int32)
info = {"head": np.array([2, 0, 20]), "valid": "1  # volume info valid", "filename": "../mri/filled.mgz",
        "volume": np.array([256, 256, 256]), "voxelsize": np.array([1.0, 1, 1]), "xras": np.array([-1.0, 0, 0]),
        "yras": np.array([0.0, 0, -1]), "zras": np.array([0.0, 1, 0]), "cras": np.array([5.3997, 18.0, -0.25])}
fs.write_geometry("lh.white", v, faces, create_stamp="created by make.py", volume_info=info)
fs.write_geometry("lh.plain", v, faces, create_stamp="created by make.py")
want["vertices"], want["faces"] = [x.copy() for x in fs.read_geometry("lh.white")]
want["vertices"], want["faces"] = want["vertices"].astype(np.float32), want["faces"].astype(np.int32)
n = len(v)

fs.write_morph_data("lh.curv", rng.standard_normal(n).astype(np.float32), fnum=len(faces))
want["curv"] = fs.read_morph_data("lh.curv").astype(np.float32)

# annotations
names = ["Unknown", "V1", "V2 dorsal", "café"]
ctab = np.array([[25, 5, 25, 0], [255, 0, 0, 0], [0, 255, 0, 128], [1, 2, 255, 255]])
regions = rng.integers(0, 4, n)
fs.write_annot("lh.parts.annot", regions, ctab, names)
labels, table, _ = fs.read_annot("lh.parts.annot")
want["annot.regions"], want["annot.table"] = labels.astype(np.int32), np.ascontiguousarray(table).astype(np.int32)
code = lambda i: ctab[i, 0] + ctab[i, 1] * 256 + ctab[i, 2] * 65536
order = rng.permutation(n)  # the format allows any order of vertices
for old in (True, False):
    with open("lh.old.annot" if old else "lh.shuffled.annot", "wb") as f:
        f.write(struct.pack(">i", n))
        for k in order:
            f.write(struct.pack(">ii", k, 77 if k == 3 else code(regions[k])))  # vertex 3 has a colour that is not listed
        f.write(struct.pack(">i", 1))
        f.write(struct.pack(">i", 4) if old else struct.pack(">ii", -2, 9))
        f.write(struct.pack(">i", 4) + b"tab\0")
        if not old:
            f.write(struct.pack(">i", 4))
        for i, name in enumerate(names):
            b = name.encode() + b"\0"
            f.write((b"" if old else struct.pack(">i", 2 * i)) + struct.pack(">i", len(b)) + b + struct.pack(">4i", *ctab[i]))

# a label; nibabel reads indices and values
ids = np.sort(rng.choice(n, 7, replace=False))
with open("lh.V1.label", "w") as f:
    f.write("#!ascii label  , from subject fsaverage vox2ras=TkReg\n%d\n" % len(ids))
    for k in ids:
        f.write("%d  %2.3f  %2.3f  %2.3f %10.10f\n" % (k, *v[k], rng.standard_normal()))
a, b = fs.read_label("lh.V1.label", read_scalars=True)
want["label.index"], want["label.values"] = a.astype(np.int32), b.astype(np.float32)

# a flat patch of all vertices above z = -5
keep = np.where(v[:, 2] > -5)[0]
border = v[keep, 2] < 5
with open("lh.flat.patch.3d", "wb") as f:
    f.write(struct.pack(">ii", -1, len(keep)))
    for k, edge in zip(keep, border):
        f.write(struct.pack(">ifff", -(k + 1) if edge else k + 1, v[k, 0] * 2, v[k, 1] * 2, 0))
want["patch.index"], want["patch.border"] = keep.astype(np.int32), border.astype(np.uint8)
want["patch.xyz"] = np.stack([v[keep, 0] * 2, v[keep, 1] * 2, 0 * v[keep, 0]], 1).astype(np.float32)
kept = set(keep.tolist())
want["patch.faces"] = np.array([t for t in faces.tolist() if kept.issuperset(t)], np.int32)
save_file({k: np.ascontiguousarray(x) for k, x in want.items()}, "expected.safetensors")
