#!/usr/bin/env python3
"""Writes fmri/internal/hdf5/testdata/bool_bytes.h5: truth values whose stored bytes are others than 0 and 1.

    python3 -m venv env && env/bin/pip install numpy==2.4.6 h5py==3.16.0
    env/bin/python tools/formats/make_bool.py

h5py stores numpy.bool as an enumeration of FALSE 0 and TRUE 1, and takes any other byte for true. "enum" has the same bytes under
other names, which are numbers. The printed values are what h5py reads.
"""
import os
import h5py
import numpy as np

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fmri/internal/hdf5/testdata/bool_bytes.h5")
raw = np.array([0, 1, 7, -31, -1, 0], "i1")
with h5py.File(path, "w") as f:
    f.create_dataset("bool", data=raw != 0)
    f.create_dataset("enum", data=raw, dtype=h5py.enum_dtype({"OFF": 0, "ON": 1}, "i1"))
    at = f["bool"].id.get_offset()
with open(path, "r+b") as f:
    f.seek(at)
    f.write(raw.tobytes())
with h5py.File(path) as f:
    print("bool", f["bool"][()].astype(float).tolist())
    print("enum", f["enum"][()].astype(float).tolist())
