#!/bin/sh
# diffusers 0.42.1: DPMSolverMultistepScheduler follows two keys that are none of its settings, if another scheduler's file has them.
#
# from_config drops what a class does not know: a scheduler_config.json is meant to be loaded by any class. sigma_min and sigma_max are
# settings of EulerDiscreteScheduler and no argument of DPMSolverMultistepScheduler, so one would guess that they change nothing
# there. Dropped keys are kept as "hidden" ones in .config, though, where the function that makes Karras sigmas looks for them.
#
# Seen: from an Euler file with sigma_min 0.1, DPM-Solver's last Karras sigma is 0.1 in place of 0.03; the constructor refuses the
# same key.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q numpy==2.4.6 torch==2.15.0 diffusers==0.42.1 transformers==5.24.0
"$dir/env/bin/python" - <<'PY' 2>/dev/null
import diffusers
from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler

assert diffusers.__version__ == "0.42.1"
common = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", use_karras_sigmas=True)
last = {}
for name, extra in (("without", {}), ("with", {"sigma_min": 0.1})):
    euler = EulerDiscreteScheduler(**common, **extra)
    s = DPMSolverMultistepScheduler.from_config(euler.config)
    s.set_timesteps(20)
    last[name] = float(s.sigmas[-2])
    print(f"from Euler's settings {name} sigma_min 0.1: the last sigma above 0 is {last[name]:.4f}")
try:
    DPMSolverMultistepScheduler(**common, sigma_min=0.1)
    refused = False
except TypeError as e:
    refused = True
    print("as an argument:", e)
assert abs(last["without"] - 0.0292) < 5e-4 and abs(last["with"] - 0.1) < 1e-6 and refused, last
print("as described")
PY
