"""Writes samplers.safetensors and samplers.json: runs of diffusers' schedulers with a formula for a model.

    python samplers.py

Made with diffusers 0.42.1, torch 2.15.0, numpy 2.4.6, safetensors. Each scheduler runs twice: as it is, in
float32, and with its arithmetic in float64 on the same float32 tables. The float64 run is the reference
(stored rounded to float32); the distance of the two is the measure for tolerances.
"""
import importlib
import inspect
import json
import sys
import types

import numpy as np
import torch
from diffusers import PNDMScheduler, StableDiffusionImg2ImgPipeline
from safetensors.numpy import save_file

# scheduler/scheduler_config.json of Stable Diffusion v1.4, as published.
SD = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
    "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
    "clip_sample": False,
}
CONFIG = PNDMScheduler.from_config(SD).config

SAMPLERS = {
    "ddim-diffusers": ("scheduling_ddim", "DDIMScheduler", {}),
    "pndm": ("scheduling_pndm", "PNDMScheduler", {}),
    "dpmpp-2m": ("scheduling_dpmsolver_multistep", "DPMSolverMultistepScheduler", {}),
    "dpmpp-2m-karras": ("scheduling_dpmsolver_multistep", "DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "euler": ("scheduling_euler_discrete", "EulerDiscreteScheduler", {}),
    "euler-a": ("scheduling_euler_ancestral_discrete", "EulerAncestralDiscreteScheduler", {}),
    "inverse": ("scheduling_ddim_inverse", "DDIMInverseScheduler", {}),
}
STEPS = [1, 2, 5, 7, 10, 20, 30, 50]
SHAPE = (1, 2, 2, 2)
rng = np.random.default_rng(5)
X0, NOISE = (rng.standard_normal(SHAPE).astype(np.float32) for _ in range(2))
STEP_NOISE = rng.standard_normal((50,) + SHAPE).astype(np.float32)


def formula(x, t):
    """eps(x, t), in float64, rounded to the type of x."""
    v = x.double()
    return (0.3 * v + 0.4 * torch.sin(2 * v + 0.01 * float(t)) + 0.1 * torch.cos(v)).to(x.dtype)


def module(name, double):
    full = "diffusers.schedulers." + name
    m = importlib.import_module(full)
    if not double:
        return m
    source = inspect.getsource(m).replace("sample = sample.to(torch.float32)", "sample = sample.to(torch.float64)")
    d = types.ModuleType(full + "_double")
    d.__package__ = m.__package__
    sys.modules[d.__name__] = d
    exec(compile(source, d.__name__, "exec"), d.__dict__)
    return d


def scheduler(name, steps, double):
    file, cls, more = SAMPLERS[name]
    s = getattr(module(file, double), cls).from_config(CONFIG, **more)
    s.set_timesteps(steps)
    if double:
        for table in ("sigmas", "alphas_cumprod", "final_alpha_cumprod", "initial_alpha_cumprod"):
            if hasattr(s, table):
                setattr(s, table, getattr(s, table).double())
    return s


def run(name, steps, double, strength=None, eta=0.0):
    """All states, the timesteps at which the model is asked and what it is asked about."""
    s = scheduler(name, steps, double)
    dtype = torch.float64 if double else torch.float32
    x0, noise = torch.from_numpy(X0).to(dtype), torch.from_numpy(NOISE).to(dtype)
    timesteps = s.timesteps
    if name == "inverse":
        x = x0
    elif strength is None:
        x = noise * s.init_noise_sigma
    else:
        timesteps, _ = StableDiffusionImg2ImgPipeline.get_timesteps(types.SimpleNamespace(scheduler=s), steps, strength, "cpu")
        x = s.add_noise(x0, noise, timesteps[:1])
    states, asked = [x], []
    for i, t in enumerate(timesteps):
        scaled = s.scale_model_input(x, t)
        asked.append(scaled)
        eps = formula(scaled, t)
        step_noise = torch.from_numpy(STEP_NOISE[i % 50]).to(dtype)
        kwargs = {}
        if eta:
            kwargs = {"eta": eta, "variance_noise": step_noise}
        if name == "euler-a":
            sys.modules[type(s).__module__].randn_tensor = lambda *a, **k: step_noise
        x = s.step(eps, t, x, **kwargs)
        x = x.prev_sample
        states.append(x)
    assert all(v.dtype == dtype for v in states + asked), name
    stack = lambda v: torch.stack(v).double().numpy()
    return stack(states), stack(asked), [float(t) for t in timesteps]


arrays = {"x0": X0, "noise": NOISE, "step_noise": STEP_NOISE}
info = {"runs": {}, "configs": {}}
for name in SAMPLERS:
    jobs = [(n, None, 0.0) for n in STEPS]
    if name == "ddim-diffusers":
        jobs += [(10, None, 0.5), (20, 0.8, 1.0)]
    if name != "inverse":
        jobs += [(10, 0.8, 0.0), (20, 0.5, 0.0), (50, 0.3, 0.0), (5, 1.0, 0.0), (20, 0.95, 0.0), (10, 0.15, 0.0), (7, 0.6, 0.0)]
    for steps, strength, eta in jobs:
        key = f"{name}.{steps}" + ("" if strength is None else f".strength{strength}") + (f".eta{eta}" if eta else "")
        states, asked, timesteps = run(name, steps, True, strength, eta)
        states32, _, timesteps32 = run(name, steps, False, strength, eta)
        assert timesteps == timesteps32
        arrays[key] = states.astype(np.float32)
        if name.startswith("euler"):
            arrays[key + ".asked"] = asked.astype(np.float32)
        else:
            assert (asked == states[:-1]).all()  # the model is asked about the states themselves
        info["runs"][key] = {
            "sampler": name, "steps": steps, "strength": strength, "eta": eta, "timesteps": timesteps,
            "max_abs": float(np.abs(states32 - states).max()), "rms_ref": float(np.sqrt((states**2).mean())),
        }
    config = scheduler(name, 5, False).config
    info["configs"][name] = {k: config[k] for k in ("timestep_spacing", "steps_offset", "solver_order", "algorithm_type",
                             "solver_type", "lower_order_final", "final_sigmas_type", "use_karras_sigmas",
                             "interpolation_type", "skip_prk_steps", "set_alpha_to_one", "clip_sample") if k in config}

# Tables of other numbers of steps.
for name in ("dpmpp-2m", "dpmpp-2m-karras", "euler", "euler-a"):
    for steps in (1, 3, 7, 15, 25, 30, 40, 100, 250):
        s = scheduler(name, steps, False)
        key = f"{name}.{steps}"
        arrays["table." + key] = np.stack([s.timesteps.double().numpy(), s.sigmas[:-1].double().numpy()]).astype(np.float32)

save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, "samplers.safetensors")
with open("samplers.json", "w") as f:
    f.write('{"configs": %s,\n"runs": {\n' % json.dumps(info["configs"]))
    f.write(",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in info["runs"].items()) + "\n}}\n")
