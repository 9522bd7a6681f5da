#!/bin/sh
# HDF5 2.0.0 (h5py 3.16.0): n-bit behind shuffle, with gzip after it, loses the data of full-precision floats without an error.
#
# The n-bit filter packs away bits that a type does not use. A float64 uses all of its 64, so one would guess that the filter has
# nothing to do and that the pipeline is as lossless as each of its members is alone; all three are filters of the library itself.
#
# Seen: shuffle + n-bit + gzip gives other values back than were written, in writing and reading without an error; each of the three
# alone, and n-bit + gzip without shuffle, give back the bits that were written.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 h5py==3.16.0
cd "$dir"
"$dir/env/bin/python" - <<'PY'
import h5py
import numpy as np

print("h5py", h5py.version.version, "HDF5", h5py.version.hdf5_version)
assert (h5py.version.version, h5py.version.hdf5_version) == ("3.16.0", "2.0.0")
x = np.random.default_rng(0).standard_normal(1000)


def back(*filters):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((100,))
    for f in filters:
        if f == "shuffle":
            plist.set_shuffle()
        elif f == "nbit":
            plist.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_MANDATORY)
        else:
            plist.set_deflate(4)
    name = "-".join(filters) + ".h5"
    with h5py.File(name, "w") as f:
        h5py.h5d.create(f.id, b"x", h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((1000,)), plist).write(h5py.h5s.ALL, h5py.h5s.ALL, x)
    with h5py.File(name) as f:
        return int((f["x"][()] != x).sum())


seen = {}
for filters in (("shuffle",), ("nbit",), ("gzip",), ("nbit", "gzip"), ("shuffle", "gzip"), ("shuffle", "nbit"), ("shuffle", "nbit", "gzip")):
    seen[filters] = back(*filters)
    print(" + ".join(filters), "->", seen[filters], "of 1000 values differ")
for filters in (("shuffle",), ("nbit",), ("gzip",), ("nbit", "gzip"), ("shuffle", "gzip")):
    assert seen[filters] == 0, seen
assert seen[("shuffle", "nbit", "gzip")] > 500, seen
print("as described")
PY
