#!/bin/sh
# nibabel 5.4.2: an MGH file without directions (goodRASFlag 0) gets FreeSurfer's default ones transposed.
#
# Where the flag is 0, FreeSurfer takes the directions of its conformed volumes: x runs to the left, y down, z forward (x_ras -1 0 0,
# y_ras 0 0 -1, z_ras 0 1 0), as every orig.mgz has them. The same three vectors written as rows or as columns of a matrix are
# two different rotations. One would guess that nibabel, which reads orig.mgz right, has the same default.
#
# Seen: y runs up and z backward. The volume stands on its head, turned by 180 degrees about the x axis, without a warning.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 nibabel==5.4.2
cd "$dir"
"$dir/env/bin/python" - <<'PY'
import nibabel as nib
import numpy as np
from nibabel.freesurfer import MGHImage

assert nib.__version__ == "5.4.2"
conformed = np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0]], float)  # columns: where x, y and z run, in R, A, S
affine = np.eye(4)
affine[:3, :3] = conformed
nib.save(MGHImage(np.zeros((6, 5, 4), "f4"), affine), "said.mgh")
b = bytearray(open("said.mgh", "rb").read())
b[28:30] = b"\0\0"  # goodRASFlag: the directions that follow do not count
open("unsaid.mgh", "wb").write(b)
said, unsaid = (nib.load(f).affine[:3, :3] for f in ("said.mgh", "unsaid.mgh"))
print("FreeSurfer's directions, said:", said.T.tolist())
print("left to the default:          ", unsaid.T.tolist())
assert (said == conformed).all()
assert (unsaid == conformed.T).all() and (unsaid != said).any()
print("as described")
PY
