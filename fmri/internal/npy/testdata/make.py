"""Writes all.npz with numpy: every number type in both byte orders and both axis orders, in three versions of the format,
and what a reader has to refuse. Values follow from a member's name and are computed again by the test.

    python make.py      (numpy 2.4.6)
"""
import io
import os
import zipfile

import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def values(shape, dtype):
    """Value i of n is (i·7919 + 13) mod 4001 − 2000, in sixteenths for floats, brought into the range of integers."""
    i = (np.arange(np.prod(shape, dtype=int), dtype=np.int64) * 7919 + 13) % 4001 - 2000
    d = np.dtype(dtype)
    if d.kind == "b":
        x = i % 3 == 0
    elif d.kind == "f":
        x = i / 16
    elif d.kind == "u":
        x = i % 2 ** min(20, 8 * d.itemsize)
    else:
        x = (i + 128) % 256 - 128 if d.itemsize == 1 else i
    return x.astype(d).reshape(shape)


with zipfile.ZipFile("all.npz", "w", zipfile.ZIP_DEFLATED) as z:
    def put(name, x, version=None):
        b = io.BytesIO()
        np.lib.format.write_array(b, x, version=version, allow_pickle=True)
        info = zipfile.ZipInfo(name + ".npy", (2000, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        z.writestr(info, b.getvalue())

    for t in ["b1", "i1", "u1"] + [k + str(n) for n in (2, 4, 8) for k in "iuf"]:
        for e in "<>" if t[1] != "1" else "|":
            for order in "CF":
                for k, shape in enumerate([(), (7,), (3, 4), (2, 3, 5), (2, 0, 3)]):
                    x = np.asarray(values(shape, e.replace("|", "") + t), order=order)
                    put(f"{t}.{'be' if e == '>' else 'le'}.{order}.{k}", x, [(1, 0), (2, 0), (3, 0), None, None][k])
    put("refused.c8", np.ones(3, "c8"))
    put("refused.U3", np.array(["abc"]))
    put("refused.S3", np.array([b"abc"]))
    put("refused.M8", np.array(["2000-01-01"], "M8[D]"))
    put("refused.O", np.array([None, 1], object))
    put("refused.V", np.zeros(2, [("a", "<f4"), ("b", "<i2")]))
    put("refused.f16", np.ones(2, np.longdouble))
    put("refused.i8", np.array([2**60 + 1]))
