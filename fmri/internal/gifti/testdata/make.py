"""Writes the files of this folder with nibabel, and their contents as nibabel reads them back to expected.safetensors.

    python make.py      (numpy 2.4.6, nibabel 5.4.2, safetensors 0.8.0)
"""
import base64
import gzip
import os
import zlib

import numpy as np
import nibabel as nib
from nibabel import gifti
from safetensors.numpy import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(0)
want = {}
v = (rng.standard_normal((12, 3)) * 40).astype(np.float32)
f = np.array([rng.choice(12, 3, replace=False) for _ in range(20)], np.int32)
shape = rng.standard_normal(12).astype(np.float32)
labels = rng.integers(0, 3, 12).astype(np.int32)


def table():
    t = gifti.GiftiLabelTable()
    for key, name, c in [(0, "???", (1, 1, 1, 0)), (1, "V1 & V2", (1, 0, 0.25, 1)), (2, "café", (0, 0.5, 0, 1))]:
        label = gifti.GiftiLabel(key, *c)
        label.label = name
        t.labels.append(label)
    return t


def array(data, intent, encoding, **more):
    return gifti.GiftiDataArray(data, intent=intent, encoding=encoding, datatype=nib.nifti1.data_type_codes[data.dtype], **more)


for encoding in ("ASCII", "B64BIN", "B64GZ"):
    space = gifti.GiftiCoordSystem("NIFTI_XFORM_UNKNOWN", "NIFTI_XFORM_TALAIRACH", np.diag([1.0, 2, 3, 1]))
    img = gifti.GiftiImage(darrays=[
        array(v, "NIFTI_INTENT_POINTSET", encoding, coordsys=space, meta=gifti.GiftiMetaData({"AnatomicalStructurePrimary": "CortexLeft"})),
        array(f, "NIFTI_INTENT_TRIANGLE", encoding),
        array(shape, "NIFTI_INTENT_SHAPE", encoding),
        array(labels, "NIFTI_INTENT_LABEL", encoding),
        array(rng.integers(0, 256, (3, 8)).astype(np.uint8), "NIFTI_INTENT_NONE", encoding,
              ordering="C" if encoding == "ASCII" else "F"),
    ], labeltable=table(), meta=gifti.GiftiMetaData({"made": "by <nibabel>"}))
    nib.save(img, encoding + ".gii")
    for i, a in enumerate(nib.load(encoding + ".gii").darrays):
        want[f"{encoding}.{i}"] = np.ascontiguousarray(a.data.astype(np.float64))
with open("B64GZ.gii", "rb") as g, gzip.GzipFile("B64GZ.gii.gz", "wb", mtime=0) as z:
    z.write(g.read())

# What nibabel does not write: big-endian data, column order, a gzip stream in the base64, other number types, CDATA and
# comments within the data, elements this reader does not know.
types = {"UINT8": "u1", "INT8": "i1", "UINT16": "u2", "INT16": "i2", "UINT32": "u4", "INT32": "i4", "UINT64": "u8", "INT64": "i8",
         "FLOAT32": "f4", "FLOAT64": "f8"}
xml = ['<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE GIFTI SYSTEM "gifti.dtd">\n<!-- made by hand -->\n'
       '<GIFTI Version="1.0" NumberOfDataArrays="%d">\n<Unknown><Deeper/>text</Unknown>\n' % (4 * len(types))]
k = 0
for endian in ("Little", "Big"):
    for order in ("RowMajorOrder", "ColumnMajorOrder"):
        for name, code in types.items():
            d = np.dtype(("<" if endian == "Little" else ">") + code)
            if d.kind == "f":
                x = rng.standard_normal((2, 3)).astype(d)
            else:
                info = np.iinfo(d)
                bound = 2**53 if d.itemsize == 8 else info.max
                x = rng.integers(0 if d.kind == "u" else -bound, bound, (2, 3), endpoint=True).astype(d)
            want[f"hand.{k}"] = x.astype(np.float64)
            raw = x.tobytes("C" if order[0] == "R" else "F")
            text = base64.b64encode([zlib.compress(raw), gzip.compress(raw, mtime=0)][k % 2]).decode()
            xml.append(f'<DataArray Intent="NIFTI_INTENT_NONE" DataType="NIFTI_TYPE_{name}" ArrayIndexingOrder="{order}" '
                       f'Dimensionality="2" Dim0="2" Dim1="3" Encoding="GZipBase64Binary" Endian="{endian}Endian">'
                       f'<Data>\n\t{text[:8]}<!-- cut -->\n{text[8:12]}<![CDATA[{text[12:]}]]>\n</Data></DataArray>\n')
            k += 1
xml.append("</GIFTI>\n")
open("hand.gii", "w").write("".join(xml))
save_file(want, "expected.safetensors")
os.chmod("expected.safetensors", 0o644)
