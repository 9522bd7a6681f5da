"""Pairs of a sampler and what a scheduler_config.json may say, for goldens.py and compare.py."""

# scheduler/scheduler_config.json of Stable Diffusion v1.4, as published.
PUBLISHED = {
    "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
    "clip_sample": False,
}
CLASSES = {
    "ddim-diffusers": "DDIMScheduler", "pndm": "PNDMScheduler", "euler": "EulerDiscreteScheduler",
    "euler-a": "EulerAncestralDiscreteScheduler", "dpmpp-2m": "DPMSolverMultistepScheduler",
}
INF = float("inf")
WITHOUT = "without"  # stands for a key that the file lacks

ANY = [  # of every class
    {}, {"timestep_spacing": "leading"}, {"timestep_spacing": "trailing"}, {"timestep_spacing": "linspace"},
    {"timestep_spacing": "leading", "steps_offset": 0}, {"timestep_spacing": "leading", "steps_offset": 7},
    {"beta_schedule": "linear"}, {"beta_schedule": "squaredcos_cap_v2"}, {"beta_start": 0.0015, "beta_end": 0.0195},
    {"trained_betas": "ramp"}, {"prediction_type": "v_prediction"}, {"num_train_timesteps": 700},
    {"beta_schedule": WITHOUT, "beta_start": WITHOUT, "beta_end": WITHOUT},
    {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"},
]
ALPHA = [
    {"set_alpha_to_one": True}, {"set_alpha_to_one": WITHOUT},
    {"timestep_spacing": "leading", "steps_offset": 0, "set_alpha_to_one": True},
]
LIMITS = [
    {"thresholding": True}, {"thresholding": True, "sample_max_value": 3.0},
    {"thresholding": True, "sample_max_value": 30.0, "dynamic_thresholding_ratio": 0.7},
]
LEVELS = [
    {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"use_beta_sigmas": True},
    {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 9.0}, {"use_exponential_sigmas": True, "sigma_min": 0.2},
    {"use_beta_sigmas": True, "sigma_max": 8.0}, {"final_sigmas_type": "sigma_min"},
    {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"},
]
SETTINGS = {
    "ddim-diffusers": ANY + ALPHA + LIMITS + [
        {"clip_sample": True}, {"clip_sample": True, "clip_sample_range": 2.5}, {"clip_sample": WITHOUT},
        {"prediction_type": "sample"}, {"rescale_betas_zero_snr": True}, {"clip_sample": True, "thresholding": True},
        {"prediction_type": "sample", "clip_sample": True, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"},
    ],
    "pndm": ANY + ALPHA + [
        {"skip_prk_steps": False}, {"skip_prk_steps": WITHOUT}, {"skip_prk_steps": False, "prediction_type": "v_prediction"},
        {"skip_prk_steps": False, "timestep_spacing": "linspace"},
        {"skip_prk_steps": False, "timestep_spacing": "trailing", "set_alpha_to_one": True},
    ],
    "euler": ANY + LEVELS + [
        {"interpolation_type": "log_linear"}, {"interpolation_type": "log_linear", "use_karras_sigmas": True},
        {"use_karras_sigmas": True, "timestep_spacing": "trailing"}, {"prediction_type": "sample"},
        {"timestep_type": "continuous", "prediction_type": "v_prediction"}, {"timestep_type": "continuous"},
        {"rescale_betas_zero_snr": True}, {"final_sigmas_type": "sigma_min", "timestep_spacing": "trailing"},
        # DPM-Solver cannot begin with these: its first two timesteps are the same.
        {"use_karras_sigmas": True, "beta_schedule": "squaredcos_cap_v2"},
    ],
    "euler-a": ANY + [{"rescale_betas_zero_snr": True}],
    "dpmpp-2m": ANY + LIMITS + LEVELS + [
        {"solver_order": 1}, {"solver_order": 3}, {"solver_type": "heun"}, {"solver_type": "bh2"}, {"lower_order_final": False},
        {"solver_order": 3, "lower_order_final": False, "final_sigmas_type": "sigma_min"}, {"euler_at_final": True},
        {"euler_at_final": True, "lower_order_final": False, "final_sigmas_type": "sigma_min"},
        {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"},
        {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "solver_type": "heun"},
        {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "solver_order": 3, "thresholding": True, "sample_max_value": 9.0},
        {"algorithm_type": "sde-dpmsolver++"}, {"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"},
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
        {"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min"},
        {"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min", "solver_type": "heun"},
        {"algorithm_type": "deis", "final_sigmas_type": "sigma_min"},
        {"use_lu_lambdas": True}, {"use_lu_lambdas": True, "beta_schedule": "linear"}, {"use_flow_sigmas": True},
        {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"},
        {"use_flow_sigmas": True, "solver_order": 3, "algorithm_type": "sde-dpmsolver++"},
        {"lambda_min_clipped": -INF}, {"lambda_min_clipped": -2.0}, {"lambda_min_clipped": -2.0, "timestep_spacing": "leading"},
        {"lambda_min_clipped": -2.0, "timestep_spacing": "trailing"}, {"prediction_type": "sample"},
        {"prediction_type": "sample", "solver_order": 3},
        {"variance_type": None}, {"rescale_betas_zero_snr": True},
        {"use_karras_sigmas": True, "timestep_spacing": "trailing", "solver_order": 3},
    ],
}
# What diffusers refuses, or fails with: the line that says so names the key.
REFUSED = [
    ("ddim-diffusers", {"timestep_spacing": "even"}, "timestep_spacing"), ("ddim-diffusers", {"beta_schedule": "sigmoid"}, "beta_schedule"),
    ("ddim-diffusers", {"prediction_type": "flow_prediction"}, "prediction_type"),
    ("pndm", {"prediction_type": "sample"}, "prediction_type"),
    ("ddim-diffusers", {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, "rescale_betas_zero_snr"),
    ("euler-a", {"prediction_type": "sample"}, "prediction_type"), ("euler", {"interpolation_type": "cubic"}, "interpolation_type"),
    ("euler", {"final_sigmas_type": "one"}, "final_sigmas_type"),
    ("euler", {"use_karras_sigmas": True, "use_beta_sigmas": True}, "use_beta_sigmas"),
    ("dpmpp-2m", {"algorithm_type": "dpmsolver"}, "final_sigmas_type"), ("dpmpp-2m", {"algorithm_type": "unipc"}, "algorithm_type"),
    ("dpmpp-2m", {"solver_type": "euler"}, "solver_type"), ("dpmpp-2m", {"variance_type": "learned"}, "variance_type"),
    ("dpmpp-2m", {"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min", "solver_order": 3}, "solver_order"),
]


def config(changes):
    """The published file with changes, as json.dump takes it."""
    c = dict(PUBLISHED)
    for key, value in changes.items():
        if value == WITHOUT:
            del c[key]
        elif value == "ramp":
            c[key] = [0.0004 + 0.00001 * i for i in range(c["num_train_timesteps"])]
        else:
            c[key] = value
    return c


def name(sampler, changes):
    return sampler + " " + (", ".join(f"{k} {v}" for k, v in changes.items()) or "as published")


def pairs():
    for sampler, all_changes in SETTINGS.items():
        for changes in all_changes:
            yield sampler, changes
