"""Writes fractional.safetensors: fracridge's coefficients and penalties for more samples than features and the reverse."""
import importlib.metadata
import sys
import warnings

import numpy as np
from fracridge import fracridge
from safetensors.numpy import save_file

warnings.simplefilter("ignore")
rng = np.random.RandomState(5)
out = {"fractions": np.arange(0.1, 1.05, 0.1)}
for name, n, p in (("tall", 40, 12), ("wide", 15, 30)):
    X = (rng.randn(n, p) * np.logspace(0, -1.5, p)).astype("f4")
    Y = (X @ rng.randn(p, 5) + 0.3 * rng.randn(n, 5)).astype("f4")
    coef, alphas = fracridge(X.astype("f8"), Y.astype("f8"), out["fractions"], jit=False)
    out.update({name + ".X": X, name + ".Y": Y, name + ".coef": np.ascontiguousarray(coef.transpose(1, 0, 2)), name + ".alphas": alphas})
save_file(out, sys.argv[1], metadata={"fracridge": importlib.metadata.version("fracridge")})
