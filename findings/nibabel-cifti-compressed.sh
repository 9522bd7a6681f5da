#!/bin/sh
# nibabel 5.4.2: the same CIFTI-2 file, compressed, is a volume of six dimensions.
#
# nibabel reads .nii and .nii.gz alike, and CIFTI-2 is marked by its intent and its header extension. One would guess that
# x.dtseries.nii.gz is a Cifti2Image as x.dtseries.nii is, or an error.
#
# Seen: x.dtseries.nii is a Cifti2Image of 3 maps by 100 grayordinates, x.dtseries.nii.gz with the same bytes inside a Nifti2Image of
# shape (1, 1, 1, 1, 3, 100), without a warning. Code that takes shape[:3] for the volume goes on with one voxel.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 nibabel==5.4.2
cd "$dir"
"$dir/env/bin/python" -W error - <<'PY'
import gzip
import nibabel as nib
import numpy as np
from nibabel import cifti2

assert nib.__version__ == "5.4.2"
grey = cifti2.BrainModelAxis.from_mask(np.ones(100, bool), name="CORTEX_LEFT")
x = np.random.default_rng(0).random((3, 100), dtype="f4")
nib.save(cifti2.Cifti2Image(x, (cifti2.SeriesAxis(0, 1, 3), grey)), "x.dtseries.nii")
with gzip.open("x.dtseries.nii.gz", "wb") as f:
    f.write(open("x.dtseries.nii", "rb").read())
seen = {}
for name in ("x.dtseries.nii", "x.dtseries.nii.gz"):
    image = nib.load(name)
    seen[name] = (type(image).__name__, image.shape)
    assert (np.asarray(image.dataobj).reshape(3, 100) == x).all()
    print(name, *seen[name])
assert seen["x.dtseries.nii"] == ("Cifti2Image", (3, 100)), seen
assert seen["x.dtseries.nii.gz"] == ("Nifti2Image", (1, 1, 1, 1, 3, 100)), seen
print("as described")
PY
