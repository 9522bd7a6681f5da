"""Writes split.safetensors: the parts that two bands have in R² and correlation, by himalaya."""
import sys

import himalaya
import numpy as np
from himalaya.scoring import correlation_score_split, r2_score_split
from safetensors.numpy import save_file

rng = np.random.RandomState(3)
n, t = 40, 6
a, b = rng.randn(2, n, t)
y = 1.5 * a + b * np.linspace(-1, 2, t) + rng.randn(n, t) + 4
b += 0.5 * a + 0.3
y[:, 4] = 2  # no variance
y = y.astype("f4")
a[:, 5] = b[:, 5] = 1  # a prediction without variance
parts = np.stack([a, b])
centred = y.astype("f8") - y.astype("f8").mean(0)
r2 = r2_score_split(centred, parts)
r2[:, 4] = 0  # 0/0 in himalaya
save_file(dict(y=y, parts=parts, r2=r2, correlation=correlation_score_split(y.astype("f8"), parts)), sys.argv[1],
          metadata={"himalaya": himalaya.__version__})
