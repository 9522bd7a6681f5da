"""Writes grouped.safetensors: himalaya's RidgeCV where features outnumber samples, targets are
raw, features are standardised outside and the folds keep the images together; and the same with
scikit-learn's StandardScaler and Ridge fitted anew to the other rows of every fold."""
import sys

import himalaya
import numpy as np
import sklearn
from himalaya.ridge import RidgeCV
from himalaya.scoring import r2_score
from safetensors.numpy import save_file
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.RandomState(0)
n, p, t, images = 60, 90, 7, 23
X = rng.randn(n, p).astype("f4")
W = rng.randn(p, t)
Y = (X @ W * np.array([1, .3, .1, .03, .01, 0, 1]) + 3 * rng.randn(n, t) + 5).astype("f4")
groups = np.arange(n) % images


class GroupFolds:
    def split(self, X=None, y=None, groups_=None):
        for _, held in KFold(5).split(np.arange(images)):
            out = np.isin(groups, held)
            yield np.flatnonzero(~out), np.flatnonzero(out)

    def get_n_splits(self, *args):
        return 5


alphas = np.logspace(-1, 5, 13)
x = X.astype(float)
x = (x - x.mean(0)) / x.std(0)
m = RidgeCV(alphas=alphas, fit_intercept=True, cv=GroupFolds(), solver_params=dict(score_func=r2_score, warn=False))
m.fit(x, Y.astype(float))
table = np.zeros((len(alphas), t))
for train, held in GroupFolds().split():
    for a, alpha in enumerate(alphas):
        f = make_pipeline(StandardScaler(), Ridge(alpha, solver="cholesky")).fit(X[train].astype(float), Y[train].astype(float))
        table[a] += r2_score(Y[held].astype(float), f.predict(X[held].astype(float))) / 5
save_file(dict(table_by_fold=table, X=X, Y=Y, groups=groups.astype("i4"), alphas=alphas, best_alphas=m.best_alphas_, cv_scores=m.cv_scores_,
               coef=m.coef_, intercept=m.intercept_), sys.argv[1], metadata={"himalaya": himalaya.__version__, "sklearn": sklearn.__version__})
