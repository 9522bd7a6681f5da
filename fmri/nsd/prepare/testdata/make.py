"""Expected responses, computed by pandas, h5py, nibabel, scipy and numpy from a simulated tree.

    go test ./fmri/nsd/prepare -run TestAgainstPython -tree DIR     writes the tree to DIR and stops
    python make.py DIR expected.safetensors

Made with numpy 2.4.6, pandas 3.1.1, h5py 3.16.0, nibabel 5.4.2, scipy 1.17.1, safetensors 0.8.0.
"""
import sys
import h5py
import nibabel
import numpy as np
import pandas as pd
from safetensors.numpy import save_file
from scipy.io import loadmat

root, target = sys.argv[1:]
base = f"{root}/nsddata/ppdata/subj01/func1pt8mm"
betas_dir = f"{root}/nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"
out = {}

tsv = pd.read_csv(f"{root}/nsddata/ppdata/subj01/behav/responses.tsv", sep="\t")
shared = loadmat(f"{root}/nsddata/experiments/nsd/nsd_expdesign.mat")["sharedix"].ravel() - 1
streams = np.asarray(nibabel.load(f"{base}/roi/streams.nii.gz").dataobj)
ncsnr = np.asarray(nibabel.load(f"{betas_dir}/ncsnr.nii.gz").dataobj)


def session(n):
    with h5py.File(f"{betas_dir}/betas_session{n:02}.hdf5") as f:
        return f["betas"][:]  # trials, z, y, x


def keep(name, x):
    out[name] = np.ascontiguousarray(x)


# As the published preparation does it: concatenate, boolean masks in the file's order, means in order of first presentation.
sessions = [1, 2, 3]
df = pd.concat([tsv[tsv.SESSION == n] for n in sessions])
stims = df["73KID"].to_numpy() - 1
unique = pd.unique(stims)
volume = np.concatenate([session(n) for n in sessions])
atlas = streams.transpose(2, 1, 0)
for value, name in [(1, "early"), (5, "ventral")]:
    v = volume[:, atlas == value]
    test = np.isin(stims, shared)
    keep(f"takagi.{name}.betas_tr", v[~test])
    keep(f"takagi.{name}.betas_te", v[test])
    mean = np.stack([np.mean(v[stims == s], axis=0) for s in unique])
    keep(f"takagi.{name}.betas_ave_tr", mean[~np.isin(unique, shared)])
    keep(f"takagi.{name}.betas_ave_te", mean[np.isin(unique, shared)])
    assert mean.dtype == np.float64 and v.dtype == np.int16
keep("takagi.stims", stims.astype(np.int32))
keep("takagi.stims_ave", unique.astype(np.int32))

# Percent signal change, z-scored by session, repeats averaged; voxels in C order of (x, y, z).
for label, sessions in [("all", [1, 2, 3]), ("two", [1, 3])]:
    df = pd.concat([tsv[tsv.SESSION == n] for n in sessions])
    stims = df["73KID"].to_numpy() - 1
    unique = pd.unique(stims)
    mask = np.isin(streams, [1, 5, 6])
    if label == "two":
        mask &= ncsnr >= 0.3
    z, number = [], []
    for n in sessions:
        x = session(n).transpose(3, 2, 1, 0)[mask].T / 300.0  # trials, voxels
        s = x.std(axis=0)
        z.append(np.divide(x - x.mean(axis=0), s, out=np.zeros_like(x), where=s > 0))
        number += [n] * len(x)
    z, number = np.concatenate(z), np.array(number)
    for side, ids in [("train", unique[~np.isin(unique, shared)]), ("test", unique[np.isin(unique, shared)])]:
        p = f"{label}.{side}."
        rows = [np.flatnonzero(stims == s) for s in ids]
        counts = np.array([len(r) for r in rows])
        keep(p + "X", np.stack([z[r].mean(axis=0) for r in rows]))
        keep(p + "images", ids.astype(np.int32))
        keep(p + "counts", counts.astype(np.int32))
        padded = np.zeros((len(rows), counts.max()), np.int32)
        for i, r in enumerate(rows):
            padded[i, : len(r)] = number[r]
        keep(p + "sessions", padded)
        s2 = ncsnr[mask].astype(np.float64) ** 2
        keep(p + "ceiling", np.where(np.isnan(s2), np.nan, s2 / (s2 + np.mean(1 / counts))))
        if side == "train":
            within = sum(((z[r] - z[r].mean(axis=0)) ** 2).sum(axis=0) for r in rows if len(r) > 1)
            free = sum(len(r) - 1 for r in rows if len(r) > 1)
            total = z[np.concatenate([r for r in rows if len(r) > 1])].var(axis=0)
            ev = np.full(len(total), np.nan)
            np.divide(within / free, total, out=ev, where=total > 0)
            keep(label + ".explainable", 1 - ev)
    keep(label + ".voxels", np.argwhere(mask).astype(np.int32))
    keep(label + ".ncsnr", ncsnr[mask])

# The estimator against the textbook form for equally many repeats: EV - (1-EV)/(n-1).
rng = np.random.default_rng(0)
y = rng.standard_normal((3, 50, 7)) + rng.standard_normal((50, 7))
y = (y - y.mean(axis=1, keepdims=True)) / y.std(axis=1, keepdims=True)
ev = y.mean(axis=0).var(axis=0) / y.var(axis=1).mean(axis=0)
book = ev - (1 - ev) / 2
ours = 1 - ((y - y.mean(axis=0)) ** 2).sum(axis=(0, 1)) / 100 / y.reshape(150, 7).var(axis=0)
assert np.allclose(book, ours, atol=1e-12)

save_file(out, target)
