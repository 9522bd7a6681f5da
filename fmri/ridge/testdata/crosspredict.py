"""Writes crosspredict.safetensors: nested leave-one-run-out predictions by himalaya's RidgeCV, with a penalty for each target
and with one for all, and by scikit-learn's Ridge where X is standardised anew in every fold of both loops."""
import sys

import himalaya
import numpy as np
import sklearn
from himalaya.ridge import RidgeCV
from safetensors.numpy import save_file
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(3)
run = np.repeat([4, 0, 7, 2, 5], [9, 8, 9, 7, 9])
n, p, t = len(run), 30, 6
X = (rng.standard_normal((n, p)) * np.geomspace(.5, 2, p)).astype("f4")
Y = (X @ rng.standard_normal((p, t)) * [1, .3, .1, .03, 0, .5] + 3 * rng.standard_normal((n, t)) + 2).astype("f4")
alphas = np.logspace(-1, 4, 11)
x, y = X.astype("f8"), Y.astype("f8")
out = {"X": X, "Y": Y, "run": run, "alphas": alphas}


def inner(rows):
    return [(tr, te) for tr, te in LeaveOneGroupOut().split(rows, groups=run[rows])]


folds = [(np.flatnonzero(run != r), np.flatnonzero(run == r)) for r in dict.fromkeys(run)]
for name, local in ("each", True), ("global", False):
    predicted, chosen = np.zeros((n, t)), []
    for rest, held in folds:
        m = RidgeCV(alphas=alphas, fit_intercept=True, cv=inner(rest), solver_params={"local_alpha": local})
        m.fit(x[rest], y[rest])
        predicted[held] = m.predict(x[held])
        chosen.append(np.broadcast_to(m.best_alphas_, t))
    out |= {f"{name}.predicted": predicted, f"{name}.alphas": np.array(chosen)}

predicted, chosen = np.zeros((n, t)), []
for rest, held in folds:  # standardised, penalties shared by targets 0, 2, 5 and by 1, 3; 4 by itself
    score = np.array([np.mean([-((y[rest][te] - make_pipeline(StandardScaler(), Ridge(a)).fit(x[rest][tr], y[rest][tr])
                                 .predict(x[rest][te])) ** 2).mean(0) for tr, te in inner(rest)], axis=0) for a in alphas])
    best = np.zeros(t, int)
    for s in [0, 2, 5], [1, 3], [4]:
        best[s] = score[:, s].mean(1).argmax()
    for j in range(t):
        m = make_pipeline(StandardScaler(), Ridge(alphas[best[j]])).fit(x[rest], y[rest, j])
        predicted[held, j] = m.predict(x[held])
    chosen.append(alphas[best])
out |= {"sets.predicted": predicted, "sets.alphas": np.array(chosen)}
save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, sys.argv[1],
          {"by": f"himalaya {himalaya.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}"})
