"""Writes scheduler/testdata/settings_*.json: runs of diffusers' schedulers with all kinds of settings and a formula for a model.

    python tools/schedulers/goldens.py

Made with diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, scipy 1.17.1. Each scheduler runs twice: as it is, in float32, and with
its arithmetic in float64 on the same float32 tables. The float64 run is the reference; the distance of the two is the measure
for tolerances.
"""
import importlib
import inspect
import json
import os
import sys
import types

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline

import pairs

MODULES = {
    "ddim-diffusers": "scheduling_ddim", "pndm": "scheduling_pndm", "euler": "scheduling_euler_discrete",
    "euler-a": "scheduling_euler_ancestral_discrete", "dpmpp-2m": "scheduling_dpmsolver_multistep",
}
SHAPE = (2, 1, 2, 3)  # two images
rng = np.random.default_rng(11)
X0, NOISE = (rng.standard_normal(SHAPE).astype(np.float32) for _ in range(2))
STEP_NOISE = rng.standard_normal((24,) + SHAPE).astype(np.float32)


def formula(x, t):
    """What the model says of x at t, in float64, rounded to the type of x."""
    v = x.double()
    return (0.3 * v + 0.4 * torch.sin(2 * v + 0.01 * float(t)) + 0.1 * torch.cos(v)).to(x.dtype)


def module(name, double):
    full = "diffusers.schedulers." + name
    m = importlib.import_module(full)
    if not double:
        return m
    if full + "_double" in sys.modules:
        return sys.modules[full + "_double"]
    source = inspect.getsource(m).replace("sample = sample.to(torch.float32)", "sample = sample.to(torch.float64)")
    d = types.ModuleType(full + "_double")
    d.__package__ = m.__package__
    sys.modules[d.__name__] = d
    exec(compile(source, d.__name__, "exec"), d.__dict__)
    return d


def run(sampler, config, steps, double, strength=None, eta=0.0):
    cls = getattr(module(MODULES[sampler], double), pairs.CLASSES[sampler])
    s = cls.from_config(config)
    s.set_timesteps(steps)
    if double:
        for table in ("sigmas", "alphas_cumprod", "final_alpha_cumprod"):
            if hasattr(s, table):
                setattr(s, table, getattr(s, table).double())
    dtype = torch.float64 if double else torch.float32
    x0, noise = torch.from_numpy(X0).to(dtype), torch.from_numpy(NOISE).to(dtype)
    timesteps = s.timesteps
    if strength is None:
        x = noise * s.init_noise_sigma
    else:
        timesteps, _ = StableDiffusionImg2ImgPipeline.get_timesteps(types.SimpleNamespace(scheduler=s), steps, strength, "cpu")
        x = s.add_noise(x0, noise, timesteps[:1])
    drawn = iter(torch.from_numpy(STEP_NOISE).to(dtype))
    sys.modules[type(s).__module__].randn_tensor = lambda *a, **k: next(drawn)
    sizes = []
    for t in timesteps:
        out = formula(s.scale_model_input(x, t), t)
        x = s.step(out, t, x, **({"eta": eta} if eta else {})).prev_sample
        sizes.append(float(x.abs().max()))
    assert x.dtype == dtype, sampler
    return x.double().numpy().ravel(), [float(t) for t in timesteps], max(sizes)


def jobs():
    for sampler, changes in pairs.pairs():
        yield sampler, changes, 10, None, 0.0
    for sampler in pairs.SETTINGS:
        for spacing in ("leading", "trailing", "linspace"):
            for steps, strength in ((10, 0.6), (7, 0.75), (20, 0.35)):
                yield sampler, {"timestep_spacing": spacing}, steps, strength, 0.0
            yield sampler, {"timestep_spacing": spacing}, 17, None, 0.0
    for spacing in ("leading", "trailing", "linspace"):
        yield "ddim-diffusers", {"timestep_spacing": spacing, "set_alpha_to_one": True}, 10, None, 0.8
        yield "pndm", {"timestep_spacing": spacing, "skip_prk_steps": False}, 10, 0.8, 0.0
        yield "pndm", {"timestep_spacing": spacing, "skip_prk_steps": False}, 20, 0.15, 0.0
    yield "euler", {"interpolation_type": "log_linear"}, 10, 0.6, 0.0
    for changes in ({"solver_order": 3}, {"use_karras_sigmas": True, "algorithm_type": "sde-dpmsolver++"}, {"use_flow_sigmas": True},
                    {"lambda_min_clipped": -2.0, "timestep_spacing": "trailing"}):
        yield "dpmpp-2m", changes, 10, 0.6, 0.0
        yield "dpmpp-2m", changes, 20, None, 0.0
    yield "euler", {"timestep_spacing": "trailing"}, 61, None, 0.0  # 62 timesteps, the last -1


STEP_NOISE = np.concatenate([STEP_NOISE] * 3)
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scheduler/testdata")


def compact(value, digits=9):
    if isinstance(value, float):
        value = float(f"{value:.{digits}g}")
        return int(value) if value == int(value) else value
    return [compact(v, digits) for v in value]


def write(name, text):
    with open(os.path.join(folder, f"settings_{name}.json"), "w") as f:
        f.write(text + "\n")


write("inputs", json.dumps({
    "x0": compact(X0.ravel().tolist()), "noise": compact(NOISE.ravel().tolist()),
    "step_noise": compact(STEP_NOISE[:24].ravel().tolist()), "refused": pairs.REFUSED,
}, separators=(",", ":")))
files = {}
for sampler, changes, steps, strength, eta in jobs():
    config = pairs.config(changes)
    x, timesteps, size = run(sampler, config, steps, True, strength, eta)
    x32, timesteps32, _ = run(sampler, config, steps, False, strength, eta)
    assert timesteps == timesteps32 and np.isfinite(x).all(), (sampler, changes)
    job = {"set": changes, "steps": steps}
    if strength is not None:
        job["strength"] = strength
    if eta:
        job["eta"] = eta
    job |= {"t": compact(timesteps), "x": compact(x.tolist()), "off": compact(float(np.abs(x32 - x).max()), 2), "size": compact(size, 3)}
    files.setdefault(sampler, []).append(json.dumps(job, separators=(",", ":")))
for sampler, runs in files.items():
    write(sampler, "[\n%s\n]" % ",\n".join(runs))
    print(sampler, len(runs), "runs")
