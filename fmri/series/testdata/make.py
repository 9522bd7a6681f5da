"""Writes series.safetensors: detrended and z-scored series by numpy, scipy and scikit-learn."""
import sys

import numpy as np
import scipy
import sklearn
from safetensors.numpy import save_file
from scipy.signal import detrend
from scipy.stats import zscore
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(7)
lengths, cols = [20, 13, 31], 5
n = sum(lengths)
run = np.repeat(np.arange(3), lengths)
t = np.arange(n)[:, None]
x = (1400 + 40 * rng.standard_normal((n, cols)) + 3 * t - .05 * t**2 + 200 * run[:, None]).astype("f4")
x[:, 3] = 812.5  # does not vary

line, cubic, z = x.astype("f8"), x.astype("f8"), np.zeros((n, cols))
for r in range(3):
    i = run == r
    line[i] = detrend(x[i].astype("f8"), axis=0, type="linear")
    u = np.arange(i.sum())
    cubic[i] = x[i] - np.stack([np.polyval(np.polyfit(u, x[i, j].astype("f8"), 3), u) for j in range(cols)], 1)
    v = x[i][:, [0, 1, 2, 4]].astype("f8")
    z[np.ix_(i, [0, 1, 2, 4])] = zscore(v, axis=0)
    assert abs(StandardScaler().fit_transform(v) - zscore(v, axis=0)).max() < 1e-12
save_file({"run": run.astype("i8"), "x": x, "line": line, "cubic": cubic, "zscore": z},
          sys.argv[1], {"by": f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"})
