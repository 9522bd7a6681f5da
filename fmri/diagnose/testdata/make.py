"""Reference values of a diagnosis, by numpy and scipy in the plainest way: writes diagnose_{wide,tall}.safetensors.

    python make.py      (numpy 2.4.6, scipy 1.17.1, safetensors)

Rows of train are images 100, 101, ...; rows of truth and decoded are images 0, 1, ...
"""
import numpy as np
from scipy import stats
from safetensors.numpy import save_file


def r(a, b):
    a, b = a - a.mean(), b - b.mean()
    d = np.sqrt((a @ a) * (b @ b))
    return 0.0 if d < 1e-20 else a @ b / d


def spectrum(m):
    s = np.linalg.svd(m - m.mean(0), compute_uv=False)
    v = s**2
    return s, v.sum() ** 2 / (v**2).sum(), np.argmax(np.cumsum(v) / v.sum() >= 0.9) + 1


def jackknife(f, n):
    left = np.array([f(np.delete(np.arange(n), i)) for i in range(n)])
    half = stats.norm.ppf(0.975) * np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    m = f(np.arange(n))
    return np.array([m, m - half, m + half])


def make(name, n, t, k, seed):
    g = np.random.default_rng(seed)
    mix = g.normal(size=(6, t))
    source = g.normal(size=(n, 6))
    truth = (source @ mix + 0.5 * g.normal(size=(n, t)) + 3).astype(np.float32)
    decoded = (0.6 * (source + 0.7 * g.normal(size=(n, 6))) @ mix + 3).astype(np.float32)
    train = (g.normal(size=(k, 6)) @ mix + 3).astype(np.float32)
    truth[:, 2] = 1.25  # a constant target, as c's first token is
    decoded[:, 5] = 0.75  # one that the decoder always predicts the same
    y, p, z = (m.astype(np.float64) for m in (truth, decoded, train))
    used = [j for j in range(t) if j != 2]

    def correlation(rows):
        return np.mean([r(y[rows, j], p[rows, j]) for j in used])

    def r2(rows):
        return np.mean([1 - ((y[rows, j] - p[rows, j]) ** 2).sum() / ((y[rows, j] - y[rows, j].mean()) ** 2).sum() for j in used])

    all_r = np.array([[r(a, b) for b in p] for a in y])
    own = np.diag(all_r).copy()
    centred = np.array([r(a, b) for a, b in zip(y - y.mean(0), p - p.mean(0))])
    fix_true = np.mean([[all_r[i, i] > all_r[i, j] for j in range(n) if j != i] for i in range(n)])
    fix_decoded = np.mean([[all_r[i, i] > all_r[j, i] for j in range(n) if j != i] for i in range(n)])
    target_r = np.array([r(y[:, j], p[:, j]) for j in used])
    target_r2 = np.array([1 - ((y[:, j] - p[:, j]) ** 2).sum() / ((y[:, j] - y[:, j].mean()) ** 2).sum() for j in used])
    pvalue = [1.0 if abs(v) < 1e-12 else stats.pearsonr(y[:, j], p[:, j], alternative="greater").pvalue for v, j in zip(target_r, used)]
    q = [0.05, 0.25, 0.5, 0.75, 0.95]
    near = np.array([[r(a, b) for b in z] for a in p])
    st, pt, nt = spectrum(y)
    sp, pp, np_ = spectrum(p)
    save_file({
        "truth": truth, "decoded": decoded, "train": train,
        "pattern": own, "centred": centred,
        "identification": np.array([fix_true, fix_decoded]),
        "target": jackknife(correlation, n), "r2": jackknife(r2, n),
        "target.quantiles": np.quantile(target_r, q), "r2.quantiles": np.quantile(target_r2, q), "pattern.quantiles": np.quantile(own, q),
        "significant": np.array([(stats.false_discovery_control(pvalue) <= 0.05).sum()], np.int32),
        "variance": np.r_[p.var(0).sum() / y.var(0).sum(), np.quantile(p.var(0)[used] / y.var(0)[used], q)],
        "true.singular": st, "decoded.singular": sp,
        "participation": np.array([pt, pp]), "ninety": np.array([nt, np_], np.int32),
        "nearest": (100 + near.argmax(1)).astype(np.int32), "nearest.r": near.max(1), "closer": (near > own[:, None]).sum(1).astype(np.int32),
    }, f"diagnose_{name}.safetensors", {"numpy": np.__version__, "made_by": "make.py"})


make("wide", 12, 40, 300, 1)
make("tall", 37, 9, 20, 2)
