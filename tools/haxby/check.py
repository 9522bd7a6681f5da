"""Repeats what tools/haxby computes with other libraries and prints how far the results lie apart.

    python tools/haxby/check.py --data FOLDER --results FOLDER

The results folder is that of `go run ./tools/haxby`. Nothing is taken from it but the random orders and what is compared: the
series is read by nibabel, prepared by scipy, fitted by himalaya and scikit-learn (and by a closed formula), all in float64.
Needs nibabel, scipy, scikit-learn, himalaya, statsmodels.
"""
import argparse
import csv
import itertools
import json
import os

import himalaya
import nibabel
import numpy as np
import scipy
import scipy.signal
import scipy.stats
import sklearn
import statsmodels
from himalaya.ridge import RidgeCV
from sklearn.linear_model import Ridge
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

args = argparse.ArgumentParser()
args.add_argument("--data", required=True)
args.add_argument("--results", required=True)
args.add_argument("--quick", action="store_true", help="leave out single volumes, which take most of the time")
args = args.parse_args()
got = json.load(open(os.path.join(args.results, "results.json")))
orders = json.load(open(os.path.join(args.results, "permutations.json")))
voxels = list(csv.DictReader(open(os.path.join(args.results, "voxels.tsv")), delimiter="\t"))
per_voxel = {k: np.array([float(v[k]) for v in voxels]) for k in voxels[0] if k != "preferred"}
alphas, settings = np.array(got["Settings"]["Alphas"]), got["Settings"]
failed = 0


def report(what, figure, ok):
    global failed
    failed += not ok
    print(f"| {what} | {figure} |" + ("" if ok else " DIFFERS"), flush=True)


def same(what, a, b, tolerance, kind="largest difference"):
    d = np.abs(np.asarray(a, float) - np.asarray(b, float)).max()
    report(what, f"{kind} {d:.1e}", d <= tolerance)


def differ(what, a, b, allowed=0):
    a, b = np.asarray(a), np.asarray(b)
    n = int((a != b).sum())
    report(what, f"{n} of {a.size} differ", n <= allowed)


# The series.
bold = nibabel.load(os.path.join(args.data, "bold.nii.gz")).get_fdata()
mask = nibabel.load(os.path.join(args.data, "mask.nii.gz")).get_fdata() > 0
lines = [line.split() for line in open(os.path.join(args.data, "attributes_literal.txt"))]
names, run = np.array([x[0] for x in lines]), np.array([int(x[1]) for x in lines])
categories = sorted(set(names) - {"rest"})
label = np.array([categories.index(x) if x != "rest" else -1 for x in names])
raw = bold[mask].T
trend, z = np.zeros_like(raw), np.zeros_like(raw)
for r in np.unique(run):
    trend[run == r] = scipy.signal.detrend(raw[run == r], axis=0)
    z[run == r] = scipy.stats.zscore(trend[run == r], axis=0)
onset = [i for i in range(len(run)) if label[i] >= 0 and (i == 0 or label[i] != label[i - 1] or run[i] != run[i - 1])]
length = [next(k for k in range(1, 99) if label[i + k] != label[i] or run[i + k] != run[i]) for i in onset]
block_label, block_run = label[onset], run[onset]
assert got["Categories"] == categories and got["Voxels"] == mask.sum()


def samples(x, delay, single):
    rows = [np.arange(i + delay, i + delay + n) for i, n in zip(onset, length)]
    if single:
        block = np.repeat(np.arange(len(onset)), length)
        return x[np.concatenate(rows)], block
    return np.array([x[r].mean(0) for r in rows]), np.arange(len(onset))


def loo(groups):
    return list(LeaveOneGroupOut().split(groups, groups=groups))


def nested(x, y, groups, local):
    """himalaya: penalties chosen within the training runs."""
    out, chosen = np.zeros(y.shape), []
    for rest, held in loo(groups):
        m = RidgeCV(alphas=alphas, fit_intercept=True, cv=loo(groups[rest]), solver_params={"local_alpha": local, "warn": False})
        out[held] = m.fit(x[rest], y[rest]).predict(x[held])
        chosen.append(np.broadcast_to(m.best_alphas_, y.shape[1]).astype(float))
    return out, np.array(chosen)


class Path:
    """Ridge for any penalty and targets, by the eigenvectors of the smaller Gram matrix of training rows."""

    def __init__(self, x):
        self.mean, x = x.mean(0), x - x.mean(0)
        self.primal = x.shape[0] > x.shape[1]
        self.values, self.vectors = np.linalg.eigh(x.T @ x if self.primal else x @ x.T)
        self.left = x @ self.vectors if self.primal else x.T @ self.vectors

    def fit(self, y):
        mean, y = y.mean(0), y - y.mean(0)
        right = (self.left if self.primal else self.vectors).T @ y
        coef = self.vectors if self.primal else self.left
        return lambda x, alpha: ((x - self.mean) @ coef / (self.values + alpha)) @ right + mean


def paths(x, groups):
    """A Path without any two runs; which of them is decoded and which chooses the penalty makes no difference."""
    made = {}

    def without(a, b):
        key = frozenset((a, b))
        if key not in made:
            made[key] = Path(x[(groups != a) & (groups != b)])
        return made[key]
    return without


def nested_path(x, y, groups, without):
    """Penalties by eigenvectors (himalaya's decomposition takes minutes here), predictions by scikit-learn's Ridge."""
    out, chosen = np.zeros(y.shape), []
    for a in dict.fromkeys(groups):
        loss = np.zeros(len(alphas))
        for b in dict.fromkeys(groups[groups != a]):
            tr, te = (groups != a) & (groups != b), groups == b
            predict = without(a, b).fit(y[tr])
            loss += [((predict(x[te], alpha) - y[te]) ** 2).mean() for alpha in alphas]
        alpha = alphas[loss.argmin()]
        out[groups == a] = Ridge(alpha).fit(x[groups != a], y[groups != a]).predict(x[groups == a])
        chosen.append(alpha)
    return out, np.array(chosen)[:, None]


def nested_scaled(x, y, groups):
    """scikit-learn: voxels scaled by the training runs of each fold of both loops."""
    out, chosen = np.zeros(y.shape), []
    for rest, held in loo(groups):
        xr, yr = x[rest], y[rest]
        loss = [np.mean([((make_pipeline(StandardScaler(), Ridge(a)).fit(xr[tr], yr[tr]).predict(xr[te]) - yr[te]) ** 2).mean()
                         for tr, te in loo(groups[rest])]) for a in alphas]
        a = alphas[np.argmin(loss)]
        out[held] = make_pipeline(StandardScaler(), Ridge(a)).fit(xr, yr).predict(x[held])
        chosen.append(a)
    return out, np.array(chosen)[:, None]


print(f"nibabel {nibabel.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, "
      f"himalaya {himalaya.__version__}, statsmodels {statsmodels.__version__}, numpy {np.__version__}\n")
print("| figure | agreement |\n|---|---|")

# Decoding.
ways = {"block averages": (z, 1, False), "single volumes": (z, 1, True)}
ways |= {f"{'single volumes' if s else 'block averages'}, delay {d}": (z, d, s) for d in (0, 2, 3) for s in (False, True)}
scaled = {"block averages, scaled by the training runs as well": (z, 1, False),
          "block averages, scaled by the training runs alone": (trend, 1, False)}
if args.quick:
    got["Decoding"] = [d for d in got["Decoding"] if not d["Name"].startswith("single")]
for d in got["Decoding"]:
    name = d["Name"]
    x, block = samples(*(ways | scaled)[name])
    truth, groups = block_label[block], block_run[block]
    if name in scaled:
        scores, chosen = nested_scaled(x, np.eye(8)[truth], groups)
    elif name == "block averages":
        scores, chosen = nested(x, np.eye(8)[truth], groups, False)
    else:
        without = paths(x, groups)
        scores, chosen = nested_path(x, np.eye(8)[truth], groups, without)
        if name == "single volumes":
            volume_paths = without
    decoded = scores.argmax(1)
    per_run = np.array([(decoded == truth)[groups == r].mean() for r in dict.fromkeys(groups)])
    same(f"{name}: accuracy of each run", d["PerRun"], per_run, 1e-12)
    same(f"{name}: penalties (relative)", np.array(d["Alphas"]) / chosen[:, 0], 1, 1e-9)
    differ(f"{name}: confusion matrix", d["Confusion"], confusion_matrix(truth, decoded))
    if "Scores" in d and d["Scores"]:
        same(f"{name}: scores of {scores.size} held-out samples and categories", d["Scores"], scores, 2e-5)
    t = scipy.stats.t.interval(.95, len(per_run) - 1, per_run.mean(), scipy.stats.sem(per_run))
    same(f"{name}: 95 % interval", [d["Interval"]["Low"], d["Interval"]["High"]], t, 1e-12)
    if name in ("block averages", "single volumes"):
        b = scipy.stats.bootstrap((per_run,), np.mean, method="percentile", n_resamples=20000, random_state=1).confidence_interval
        same(f"{name}: bootstrap over runs (other random numbers)", [d["Bootstrap"]["Low"], d["Bootstrap"]["High"]], b, .011)


def permuted_accuracies(x, block, perms, without):
    """All permutations as targets; himalaya's rule for ties of penalties, and predictions in float32 as Percept's, as those of
    large penalties are so nearly constant that the largest of eight can depend on it."""
    truth = block_label[np.array(perms)][:, block]  # [permutations, samples]
    y = np.eye(8)[truth].transpose(1, 0, 2).reshape(len(block), -1)
    groups, right = block_run[block], np.zeros(len(perms))
    for a in dict.fromkeys(groups):
        loss, held = np.zeros((len(alphas), len(perms))), groups == a
        for b in dict.fromkeys(groups[~held]):
            tr, te = ~held & (groups != b), groups == b
            predict = without(a, b).fit(y[tr])
            for k, alpha in enumerate(alphas):
                loss[k] += ((predict(x[te], alpha) - y[te]) ** 2).reshape(te.sum(), -1, 8).mean((0, 2))
        predict, best = Path(x[~held]).fit(y[~held]), (loss / 11 - 1e-10 * np.log(alphas)[:, None]).argmin(0)
        for k in np.unique(best):
            p = predict(x[held], alphas[k]).astype("f4").reshape(held.sum(), -1, 8).argmax(2)
            right += np.where(best == k, (p == truth[:, held].T).sum(0), 0)
    return right / len(block)


for d, most in zip([d for d in got["Decoding"] if d.get("Null")], (10**6, 100)):
    x, block = samples(*ways[d["Name"]])
    n = min(d["Null"]["Permutations"], most)
    without = paths(x, block_run[block]) if d["Name"] == "block averages" else volume_paths
    null = np.concatenate([permuted_accuracies(x, block, orders["Blocks"][i:min(i + 250, n)], without) for i in range(0, n, 250)])
    differ(f"{d['Name']}: accuracy under {n} permutations of labels", np.round(d["Null"]["Accuracies"][:n], 9), np.round(null, 9))
    all_null = np.array(d["Null"]["Accuracies"])
    same(f"{d['Name']}: p and 95 % interval of the null from all {len(all_null)}",
         [d["Null"]["P"], d["Null"]["Interval"]["Low"], d["Null"]["Interval"]["High"]],
         [(1 + (all_null >= d["Accuracy"] - 1e-12).sum()) / (1 + len(all_null)), *np.quantile(all_null, [.025, .975])], 1e-12)

# Odd against even runs.
x, _ = samples(z, 1, False)
patterns = [np.array([x[(block_label == c) & (block_run % 2 == h)].mean(0) for c in range(8)]) for h in (0, 1)]
patterns = [p - p.mean(0) for p in patterns]
like = np.corrcoef(*patterns)[:8, 8:]
won = lambda m, pairs: np.mean([m[i, pairs[i]] > m[i, k] for i in range(8) for k in range(8) if k != pairs[i]])
both = lambda pairs: (won(like, pairs) + won(like.T, np.argsort(pairs))) / 2
same("odd and even runs: accuracy", got["SplitHalf"]["Accuracy"], both(np.arange(8)), 1e-12)
same("odd and even runs: correlations within and between",
     [got["SplitHalf"]["Within"], got["SplitHalf"]["Between"]], [np.diag(like).mean(), like[~np.eye(8, dtype=bool)].mean()], 1e-6)
table = np.array([[[like[i, j] > like[i, k] for k in range(8)] for j in range(8)] for i in range(8)]).sum(2)
table = (table + np.array([[[like[i, j] > like[k, j] for k in range(8)] for j in range(8)] for i in range(8)]).sum(2)) / 14
every = np.array([table[range(8), list(p)].mean() for p in itertools.permutations(range(8))])
exact = (every >= got["SplitHalf"]["Accuracy"] - 1e-12).mean()
report("odd and even runs: p over random pairings, and over all 40320", f"{got['SplitHalf']['P']:.1e} and {exact:.1e}",
       abs(got["SplitHalf"]["P"] - exact) < 2e-4)

# Encoding of series.
indicator = np.where(label[:, None] == np.arange(8), 1., 0.)


def delayed(delays):
    parts = []
    for d in delays:
        p = np.zeros_like(indicator)
        for i in range(len(run)):
            if i - d >= 0 and run[i - d] == run[i]:
                p[i] = indicator[i - d]
        parts.append(p)
    return np.hstack(parts)


def correlate(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    return (a * b).sum(0) / np.sqrt((a**2).sum(0) * (b**2).sum(0))


def counts(p):
    return int((p <= .05).sum()), int((multipletests(p, .05, "fdr_bh")[0]).sum())


def effective(a, b, lags):
    def acf(x):
        sums = np.zeros((lags + 1, x.shape[1]))
        for r in np.unique(run):
            d = x[run == r] - x[run == r].mean(0)
            sums += [(d[k:] * d[:len(d) - k]).sum(0) for k in range(lags + 1)]
        return sums / sums[0]
    k = np.arange(1, lags + 1)[:, None]
    return len(a) / np.maximum(1, 1 + 2 * ((1 - k / len(a)) * acf(a)[1:] * acf(b)[1:]).sum(0))


for e in got["Encoding"]:
    predicted, chosen = nested(delayed(e["Delays"]), z, run, True)
    r = correlate(z, predicted)
    same(f"encoding, delays {e['Delays']}: mean r", e["MeanR"], r.mean(), 1e-5)
    n_eff = effective(z, predicted, settings["Lags"])
    p_independent = scipy.stats.pearsonr(z, predicted, axis=0, alternative="greater").pvalue
    t = r * np.sqrt((n_eff.astype(int) - 2) / (1 - r**2))
    p_effective = scipy.stats.t.sf(t, n_eff.astype(int) - 2)
    if "shifts" not in str([x["Name"] for x in e["Tests"]]) and len(e["Tests"]) == 2:
        differ(f"encoding, delays {e['Delays']}: numbers of voxels", [[t["Uncorrected"], t["FDR"]] for t in e["Tests"]],
               [counts(p_independent), counts(p_effective)])
        continue
    same("encoding: r of each voxel", per_voxel["r"], r, 2e-4)
    visible = r > .1
    same(f"encoding: r of the {visible.sum()} voxels above 0.1", per_voxel["r"][visible], r[visible], 2e-5)
    same("encoding: effective volumes (relative)", per_voxel["samples"][visible] / n_eff[visible], 1, 1e-4)
    unit = lambda m: (m - m.mean(0)) / np.linalg.norm(m - m.mean(0), axis=0)
    a, b = unit(z), unit(predicted)
    size, starts = settings["TimeBlock"], np.flatnonzero(np.r_[True, run[1:] != run[:-1]])
    cut = [np.arange(i, min(i + size, len(run))) for i in range(0, len(run), size)]
    ends = np.r_[starts[1:], len(run)]

    def p_of(rows):
        above, largest = np.zeros(len(r)), []
        for index in rows:
            null = np.einsum("ij,ij->j", a[index], b)
            above += null >= r - 1e-12
            largest.append(null.max())
        n = len(largest)
        return (1 + above) / (1 + n), (1 + (np.array(largest)[:, None] >= r - 1e-12).sum(0)) / (1 + n)

    p_blocks, fwe_blocks = p_of(np.concatenate([cut[k] for k in o]) for o in orders["TimeBlocks"])
    p_shifts, fwe_shifts = p_of(np.concatenate([s + (np.arange(e - s) + k) % (e - s) for s, e, k in zip(starts, ends, o)])
                                for o in orders["Shifts"])
    for name, p in ("p_independent", p_independent), ("p_effective", p_effective), ("p_blocks", p_blocks), ("p_shifts", p_shifts):
        same(f"encoding: {name} of each voxel", per_voxel[name], p, 2e-3)
    mine = [[*counts(p_independent), -1], [*counts(p_effective), -1], [*counts(p_blocks), (fwe_blocks <= .05).sum()],
            [*counts(p_shifts), (fwe_shifts <= .05).sum()]]
    there = [[t["Uncorrected"], t["FDR"], t["FWE"]] for t in e["Tests"]]
    differ(f"encoding: numbers of voxels {there}", there, mine)
    same("encoding: q of each voxel", per_voxel["q_shifts"], multipletests(p_shifts, .05, "fdr_bh")[1], 2e-3)

# Selectivity. With every category once a run, ridge from indicators shrinks each category's deviation from the mean of all by
# k / (k + alpha), k the number of runs: no linear algebra is needed, and the loss is a parabola in that factor.
cube = np.zeros((12, 8, x.shape[1]))
of_run = {r: k for k, r in enumerate(dict.fromkeys(block_run))}
place = [(of_run[r], c) for r, c in zip(block_run, block_label)]


def selective(y):
    for (k, c), row in zip(place, y):
        cube[k, c] = row
    out = np.zeros_like(cube)
    for held in range(12):
        rest = np.delete(cube, held, 0)
        shrink = 10 / (10 + alphas)
        inner = (rest.sum(0) - rest) / 10
        m = inner.mean(1, keepdims=True)
        d, e = inner - m, rest - m
        loss = (e**2).sum((0, 1)) - 2 * shrink[:, None] * (d * e).sum((0, 1)) + shrink[:, None]**2 * (d**2).sum((0, 1))
        best = (1e-10 * np.log(alphas)[:, None] - loss / 88).argmax(0)  # himalaya's rule for ties
        mean = rest.mean(0)
        out[held] = mean.mean(0) + 11 / (11 + alphas[best]) * (mean - mean.mean(0))
    return correlate(y, np.array([out[k, c] for k, c in place]))


r = selective(x)
by_himalaya, _ = nested(np.eye(8)[block_label], x, block_run, True)
same("selectivity: closed formula and himalaya", r, correlate(x, by_himalaya), 1e-8)
same("selectivity: r of each voxel", per_voxel["block_r"], r, 1e-4)
above, surely, maybe, largest = np.zeros(len(r)), np.zeros(len(r)), np.zeros(len(r)), []
for o in orders["Blocks"]:
    null = selective(x[o])
    above += null >= r - 1e-12
    surely += null >= r + 1e-6
    maybe += null >= r - 1e-6
    largest.append(null.max())
p = (1 + above) / (1 + len(orders["Blocks"]))
fwe = (1 + (np.array(largest)[:, None] >= r).sum(0)) / (1 + len(largest))
s = got["Selectivity"]
count = np.round(per_voxel["block_p"] * (1 + len(largest)) - 1)
report(f"selectivity: counts of {len(largest)} permutations, ties within 1e-6 either way", f"{((count < surely) | (count > maybe)).sum()} "
       f"of {len(r)} differ", (surely <= count).all() and (count <= maybe).all())
same("selectivity: p of each voxel", per_voxel["block_p"], p, 2e-3)
mine = [*counts(p), (fwe <= .05).sum(), multipletests(p, .05, "fdr_by")[0].sum()]
there = [s["Test"]["Uncorrected"], s["Test"]["FDR"], s["Test"]["FWE"], s["FDRDependent"]]
differ(f"selectivity: numbers of voxels {there}", there, mine)

# The ceiling by statsmodels' analysis of variance.
import pandas  # noqa: E402
from statsmodels.formula.api import ols  # noqa: E402

ceiling = []
for column in x.T:
    between, within = anova_lm(ols("y ~ C(c)", pandas.DataFrame({"y": column, "c": block_label})).fit())["mean_sq"].iloc[:2]
    signal = max(0, (between - within) / 12)
    ceiling.append(np.sqrt(signal / (signal + within)))
same("selectivity: ceiling of each voxel", per_voxel["ceiling"], ceiling, 1e-4)
differ("selectivity: preferred category", [v["preferred"] for v in voxels],
       [categories[k] for k in np.array([x[block_label == c].mean(0) for c in range(8)]).argmax(0)])
print("\nall agree" if not failed else f"\n{failed} figures differ")
raise SystemExit(failed > 0)
