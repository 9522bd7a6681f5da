#!/usr/bin/env python3
"""Writes ties.json: the penalties that himalaya chooses for the same targets in several units.

    python3 -m venv env && env/bin/pip install numpy==2.4.6 himalaya==0.4.11 scikit-learn==1.9.1 packaging
    env/bin/python ties.py > ties.json

himalaya adds 1e-10 ln(alpha) to a score in whatever units the targets have. "alphas" are its choices for Y as it is, with a
variance of about 1, where that changes nothing; "small" those for Y times 1e-6; "r2" those for Y times 1e-6 by R2 scores.
"""
import json
import numpy as np
from himalaya.ridge import RidgeCV
from himalaya.scoring import r2_score
from sklearn.model_selection import KFold

rng = np.random.default_rng(5)
n, p, t = 60, 12, 8
x = rng.standard_normal((n, p)).astype("f4")
w = rng.standard_normal((p, t))
y = x @ w / np.sqrt(p)
y += rng.standard_normal((n, t)) * np.logspace(-2, 1.3, t)
y = (y / y.std(0)).astype("f4")
alphas = np.logspace(-3, 5, 17)
small = (y * np.float32(1e-6)).astype("f4")


def chosen(targets, **params):
    m = RidgeCV(alphas=alphas, cv=KFold(5), fit_intercept=True, solver_params=params)
    return [float(f"{a:.9g}") for a in m.fit(x.astype("f8"), targets.astype("f8")).best_alphas_]


print(json.dumps({
    "x": x.ravel().tolist(), "y": y.ravel().tolist(), "rows": n, "features": p, "targets": t,
    "grid": alphas.tolist(), "alphas": chosen(y), "small": chosen(small), "r2": chosen(small, score_func=r2_score),
}))
