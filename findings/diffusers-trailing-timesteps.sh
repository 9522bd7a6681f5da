#!/bin/sh
# diffusers 0.42.1: with timestep_spacing "trailing" some numbers of steps give one step more, at timestep -1.
#
# "trailing" counts down from num_train_timesteps by 1000/n, a fraction, with numpy.arange, whose length depends on how the steps
# round. One would guess n timesteps for n steps, as with the other spacings and most n, or an error.
#
# Seen: DDIM with 61 steps makes 62 calls of the model, the last at timestep -1, for which the noise level of timestep 999 is taken (Python's
# index from the end); it happens for more than fifty of the numbers of steps up to 1000, without a warning.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 torch==2.15.0 diffusers==0.42.1 transformers==5.24.0
"$dir/env/bin/python" - <<'PY'
import diffusers
from diffusers import DDIMScheduler

assert diffusers.__version__ == "0.42.1"
wrong = []
for n in range(1, 1001):
    s = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, timestep_spacing="trailing")
    s.set_timesteps(n)
    if len(s.timesteps) != n or int(s.timesteps[-1]) < 0:
        wrong.append(n)
    if n in (60, 61):
        print(f"{n} steps: {len(s.timesteps)} timesteps, the last {int(s.timesteps[-1])}")
print(len(wrong), "of 1000 numbers of steps, the first", wrong[:8])
s.set_timesteps(61)
assert len(s.timesteps) == 62 and int(s.timesteps[-1]) == -1
assert s.alphas_cumprod[int(s.timesteps[-1])] == s.alphas_cumprod[999]
assert 61 in wrong and 60 not in wrong and len(wrong) > 50, wrong
print("as described")
PY
