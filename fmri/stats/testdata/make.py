"""Writes library.safetensors: what scipy, statsmodels and numpy return for what package stats computes."""
import itertools
import sys

import numpy as np
import pandas
import scipy
import statsmodels
from safetensors.numpy import save_file
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import acf

rng = np.random.default_rng(11)
out = {}

# Correlations and their p-values; down to 1e-250.
r, n = [], []
for count in (3, 4, 12, 96, 982, 1452, 100000):
    for value in (-.999, -.3, -1e-6, 0, 1e-6, .01, .05, .2, .5, .7, .9, .999):
        if stats.t.sf(value * np.sqrt((count - 2) / (1 - value**2)), count - 2) > 1e-250:
            r.append(value), n.append(count)
r, n = np.array(r), np.array(n)
p = stats.t.sf(r * np.sqrt((n - 2) / ((1 - r) * (1 + r))), n - 2)
x = rng.standard_normal((2, 30))
q = stats.pearsonr(x[0], x[1], alternative="greater")
out |= {"corr.r": np.append(r, q.statistic), "corr.n": np.append(n, 30), "corr.p": np.append(p, q.pvalue)}
p, n = [v.ravel() for v in np.meshgrid([1e-12, 1e-6, .001, .05, .3, .5, .9], [3, 4, 12, 96, 982, 100000])]
t = stats.t.isf(p, n - 2)
out |= {"crit.p": p, "crit.n": n, "crit.r": t / np.sqrt(n - 2 + t**2)}

# False discovery rates: ties, zeros and ones.
p = np.concatenate([[0, 0, 1, 1, .05, .05, .05, 1e-300], rng.uniform(size=40), rng.uniform(size=25) ** 6])
for name, method in ("bh", "fdr_bh"), ("by", "fdr_by"):
    adjusted = multipletests(p, .05, method)[1]
    assert abs(adjusted - stats.false_discovery_control(p, method=name)).max() < 1e-15
    out[f"fdr.{name}"] = adjusted
out["fdr.p"] = p

# Intervals of a mean.
v = rng.standard_normal(12) * .1 + .6
out["mean.values"] = v
for level in (.5, .95, .999):
    out[f"mean.t{level}"] = np.array(stats.t.interval(level, 11, v.mean(), stats.sem(v)))
few = np.array([.1, .9, .4, .75, .3])
draws = np.array(list(itertools.product(few, repeat=5))).mean(1)  # all resamples there are
out["boot.values"], out["boot.quantiles"] = few, np.quantile(draws, [.025, .975, .25, .75])
out["quantile.x"] = np.sort(v)
out["quantile.q"] = np.array([0, .001, .025, .1, .25, .5, .9, .975, 1])
out["quantile.value"] = np.quantile(v, out["quantile.q"])

# A permutation test with all pairings.
x, y = rng.standard_normal((2, 6))
y += x
exact = stats.permutation_test((y,), lambda v: (x * v).sum(), permutation_type="pairings", alternative="greater",
                               n_resamples=np.inf)
out |= {"perm.x": x, "perm.y": y, "perm.p": np.array([exact.pvalue]), "perm.null": np.sort(exact.null_distribution)}

# Effective samples.
run = np.repeat([4, 2, 9], [50, 41, 60])
a = scipy.signal.lfilter([1], [1, -.7], rng.standard_normal(151))
b = scipy.signal.lfilter([1], [1, -.5], rng.standard_normal(151)) + run
lags = 12
one = [acf(s[:50], nlags=lags, adjusted=False, fft=False) for s in (a, b)]
k = np.arange(1, lags + 1)
out["eff.one_run"] = np.array([50 / (1 + 2 * ((1 - k / 50) * one[0][1:] * one[1][1:]).sum())])
rho = []
for s in (a, b):
    d = np.concatenate([s[run == g] - s[run == g].mean() for g in (4, 2, 9)])
    rho.append(np.array([sum((d[run == g][j:] * d[run == g][:(run == g).sum() - j]).sum() for g in (4, 2, 9)) for j in range(lags + 1)]))
    rho[-1] /= rho[-1][0]
out["eff.runs"] = np.array([151 / (1 + 2 * ((1 - k / 151) * rho[0][1:] * rho[1][1:]).sum())])
out |= {"eff.run": run, "eff.x": a, "eff.y": b}

# Signal and noise by analysis of variance, all items as often and not.
for name, item in ("balanced", np.tile(np.arange(7), 4)), ("unbalanced", np.repeat(np.arange(6), [1, 2, 3, 4, 5, 9])):
    x = (rng.standard_normal((len(item), 8)) + rng.standard_normal((7, 8))[item] * np.linspace(0, 2, 8) + 100).astype("f4")
    ratio = []
    for column in x.T.astype("f8"):
        table = anova_lm(ols("y ~ C(item)", pandas.DataFrame({"y": column, "item": item})).fit())
        between, within = table["mean_sq"].iloc[:2]
        c = np.bincount(item)
        repeats = (len(item) - (c**2).sum() / len(item)) / (len(c) - 1)
        ratio.append(np.sqrt(max(0, (between - within) / repeats) / within))
    out |= {f"snr.{name}.x": x, f"snr.{name}.item": item, f"snr.{name}": np.array(ratio)}

save_file({key: np.ascontiguousarray(v.astype("i8") if v.dtype.kind == "i" else v) for key, v in out.items()}, sys.argv[1],
          {"by": f"numpy {np.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}"})
