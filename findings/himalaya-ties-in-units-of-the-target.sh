#!/bin/sh
# himalaya 0.4.11: the units of the targets decide over the penalty.
#
# RidgeCV adds 1e-10 * ln(alpha) to each cross-validated score so that ties go to the larger penalty. The score is by default
# minus the mean squared error, in the targets' squared units, so for targets of a standard deviation of 1e-6 the term is not a
# tie-break but a hundred times the whole range of scores: every target gets the largest penalty of the grid. One would guess
# that ridge regression of Y and of 1e-6 * Y (volts for microvolts, proportions for percent) differ by that factor alone.
#
# Seen: R2 of held-out rows 0.99 for Y, below 0.01 for 1e-6 * Y, with every penalty the largest, and no warning.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 scikit-learn==1.9.1 himalaya==0.4.11 packaging
"$dir/env/bin/python" - <<'PY'
import importlib.metadata as md
import numpy as np
from himalaya.ridge import RidgeCV
from himalaya.scoring import r2_score

assert md.version("himalaya") == "0.4.11"
rng = np.random.default_rng(0)
x = rng.standard_normal((300, 20))
y = x @ rng.standard_normal((20, 50)) + 0.3 * rng.standard_normal((300, 50))
alphas = np.logspace(-2, 7, 10)
seen = {}
for unit in (1.0, 1e-6):
    m = RidgeCV(alphas=alphas, cv=5, fit_intercept=True).fit(x[:200], unit * y[:200])
    seen[unit] = (float(np.mean(r2_score(unit * y[200:], m.predict(x[200:])))), float(np.mean(m.best_alphas_ > 9e6)))
    print(f"unit {unit:g}: mean R2 {seen[unit][0]:.4f}, {100 * seen[unit][1]:.0f} % of the targets have the largest penalty")
assert seen[1.0][0] > 0.97 and seen[1.0][1] == 0, seen
assert seen[1e-6][0] < 0.01 and seen[1e-6][1] == 1, seen
print("as described")
PY
