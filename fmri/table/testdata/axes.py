#!/usr/bin/env python3
"""Writes axes/: the same responses in formats with an order of axes of their own, and rows as numpy and nibabel see them.

    python3 -m venv env && env/bin/pip install numpy==2.4.6 nibabel==5.4.2
    env/bin/python axes.py
"""
import os
import nibabel as nib
import numpy as np
from nibabel import cifti2, freesurfer, gifti

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "axes"))
affine = np.diag([1.8, 1.8, 1.8, 1.0])
rng = np.random.default_rng(4)
x = rng.standard_normal((4, 3, 2, 8)).astype("f4")
rows = x.reshape(-1, 8).T  # z fastest
np.save("rows.npy", rows)
nib.save(nib.Nifti1Image(x, affine), "x.nii.gz")
nib.save(nib.Nifti2Image(x.reshape(4, 3, 2, 1, 8), affine), "fifth.nii.gz")  # as vectors are stored
nib.save(nib.Nifti1Image(x[..., 5], affine), "one.nii.gz")
nib.save(nib.Nifti1Image(x.reshape(4, 3, 2, 2, 4), affine), "both.nii.gz")
nib.save(freesurfer.MGHImage(rows.T.reshape(24, 1, 1, 8).copy(), affine), "x.mgh")
maps = [gifti.GiftiDataArray(r.copy(), intent="NIFTI_INTENT_TIME_SERIES", datatype="NIFTI_TYPE_FLOAT32") for r in rows]
nib.save(gifti.GiftiImage(darrays=maps), "x.func.gii")
mesh = [gifti.GiftiDataArray(np.eye(3, dtype="f4"), intent="NIFTI_INTENT_POINTSET", datatype="NIFTI_TYPE_FLOAT32"),
        gifti.GiftiDataArray(np.array([[0, 1, 2]], "i4"), intent="NIFTI_INTENT_TRIANGLE", datatype="NIFTI_TYPE_INT32")]
nib.save(gifti.GiftiImage(darrays=mesh), "mesh.surf.gii")
grey = cifti2.BrainModelAxis.from_mask(np.ones(24, bool), name="CORTEX_LEFT")
nib.save(cifti2.Cifti2Image(rows, (cifti2.SeriesAxis(0, 1, 8), grey)), "x.dtseries.nii")
mask = np.zeros((4, 3, 2), "u1")
mask[1:3, :, 1] = 1
mask[0, 2, 0] = 7
nib.save(nib.Nifti1Image(mask, affine), "mask.nii.gz")
nib.save(nib.Nifti1Image(mask[..., None], affine * 1.0001), "moved.nii.gz")
nib.save(nib.Nifti1Image(mask.transpose(1, 0, 2).copy(), affine), "turned.nii.gz")
np.save("mask.npy", mask.reshape(-1))
np.save("masked.npy", rows[:, mask.reshape(-1) != 0])
np.save("places.npy", np.argwhere(mask).astype("i4"))
