"""Compares percept generate with diffusers' own loop on a tiny model, for many settings of scheduler_config.json.

    go build -o /tmp/percept ./cmd/percept
    python tools/schedulers/compare.py /tmp/percept

Made with diffusers 0.42.1, transformers 5.24.0, torch 2.15.0, scipy 1.17.1, safetensors 0.8.0, numpy 2.4.6, pillow. The model is made in a
temporary folder with random weights. Two parts: every pair of pairs.py against a loop over the scheduler that from_config
makes of the file (in the folder, or where a pipeline would override it with --scheduler-config), and the folder against StableDiffusionPipeline (with its image to image) with
--sampler auto, where a line must tell what the pipeline overrides. Exit status 1 on any failure.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

os.environ.update(TRANSFORMERS_VERBOSITY="error", HF_HUB_DISABLE_PROGRESS_BARS="1")
import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderKL, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.numpy import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import pairs

warnings.filterwarnings("ignore")
diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()
transformers.utils.logging.disable_progress_bar()
TOLERANCE = 1e-4  # of latents, relative to the largest of them where that is above 1
STEPS, GUIDANCE, SEED = 10, 7.5, 1


def make_model(folder):
    """The smallest model with all parts of Stable Diffusion v1. Its predictions are not small, so that settings show."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(32, 32), layers_per_block=1, cross_attention_dim=32, attention_head_dim=8).eval()
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, block_out_channels=(32, 32),
        latent_channels=4, sample_size=16).eval()
    codes = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(c) for c in codes] + [chr(256 + i) for i in range(256 - len(codes))]
    words = letters + [c + "</w>" for c in letters] + ["<|startoftext|>", "<|endoftext|>"]
    n = len(words)
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=n, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, projection_dim=32,
        bos_token_id=n - 2, eos_token_id=n - 1, pad_token_id=n - 1)).eval()
    for part, model in (("unet", unet), ("vae", vae), ("text_encoder", text)):
        model.save_pretrained(f"{folder}/{part}")
    for part in ("tokenizer", "scheduler"):
        os.makedirs(f"{folder}/{part}", exist_ok=True)
    with open(f"{folder}/tokenizer/vocab.json", "w") as f:
        json.dump({word: i for i, word in enumerate(words)}, f)
    with open(f"{folder}/tokenizer/merges.txt", "w") as f:
        f.write("#version: 0.2\n")
    with open(f"{folder}/tokenizer/tokenizer_config.json", "w") as f:
        json.dump({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
                   "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}, f)
    ids = lambda caption: [n - 2] + [words.index(c + "</w>") for c in caption] + [n - 1] * (76 - len(caption))
    with torch.no_grad():
        condition = torch.cat([text(torch.tensor([ids(c)]))[0] for c in ("", "a")])
    return unet, condition


def write_scheduler(folder, config):
    with open(f"{folder}/scheduler/scheduler_config.json", "w") as f:
        json.dump(config, f)
    names = {"scheduler": ["diffusers", config["_class_name"]], "text_encoder": ["transformers", "CLIPTextModel"],
             "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderKL"],
             "safety_checker": [None, None], "feature_extractor": [None, None], "image_encoder": [None, None]}
    with open(f"{folder}/model_index.json", "w") as f:
        json.dump({"_class_name": "StableDiffusionPipeline", "requires_safety_checker": False} | names, f)


def loop(sampler, config, unet, condition, steps=STEPS, scale=1.0):
    """Text to image as the pipeline makes it, with the scheduler that from_config makes. The noise is scaled: see report."""
    scheduler = getattr(diffusers, pairs.CLASSES[sampler]).from_config(config)
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn((1, 4, 8, 8), generator=generator) * scale * scheduler.init_noise_sigma
    kwargs = {"generator": generator} if sampler != "pndm" else {}
    with torch.no_grad():
        for t in scheduler.timesteps:
            uncond, cond = unet(scheduler.scale_model_input(torch.cat([x] * 2), t), t, encoder_hidden_states=condition).sample.chunk(2)
            x = scheduler.step(uncond + GUIDANCE * (cond - uncond), t, x, **kwargs).prev_sample
    return x.numpy()


def run(program, folder, sampler, *more, steps=STEPS):
    """Latents and what is said on the way."""
    out = os.path.join(folder, "out")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    r = subprocess.run([program, "generate", "--model", folder, "--prompt", "a", "--sampler", sampler, "--steps", str(steps),
                        "--seed", str(SEED), "--no-cache", "--guidance", str(GUIDANCE), "--save-latents", f"{out}/l.safetensors",
                        "--out", f"{out}/p.png", *more],
                       capture_output=True, text=True)
    said = [line for line in r.stderr.replace("\r", "\n").splitlines() if line.startswith("percept: ")]
    if r.returncode:
        return None, said
    return load_file(f"{out}/l.safetensors")["latents"], said


failures = 0


def report(name, right, got, said, key=None, nudged=None):
    """Prints one line. right is None where diffusers has no result, and a line has to name the key. nudged makes diffusers' result
    from noise that is larger by one in 10 million, less than a last bit: a difference of that size is no difference."""
    global failures
    told = key is not None and any(key in line for line in said)
    if got is None:
        ok, verdict = right is None and told, "refused: " + "; ".join(said)
    elif right is None:
        ok, verdict = False, "made, and diffusers fails"
    else:
        off, most = float(np.abs(right - got).max()), float(np.abs(right).max())
        bound, verdict = TOLERANCE * max(1, most), f"off by {off:.1e} of {most:.3g}"
        if off > bound and nudged is not None:
            shaky = float(np.abs(right - nudged()).max())
            bound, verdict = 3 * shaky, verdict + f", diffusers from itself {shaky:.1e}"
        ok = off <= bound and np.isfinite(right).all() and (key is None or told)
        verdict += ("; said: " + "; ".join(said) if said else "")
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name:90} {verdict}", flush=True)


def compare_pairs(program, folder, unet, condition):
    other = os.path.join(folder, "other.json")
    write_scheduler(folder, pairs.config({}))
    for sampler, changes in pairs.pairs():
        config = pairs.config(changes)
        with open(other, "w") as f:
            json.dump(config, f)
        overridden = config["steps_offset"] != 1 or sampler == "ddim-diffusers" and config.get("clip_sample") is not False
        if not overridden:
            write_scheduler(folder, config)
        right = loop(sampler, config, unet, condition)
        report(pairs.name(sampler, changes), right, *run(program, folder, sampler, *(["--scheduler-config", other] if overridden else [])),
               nudged=lambda: loop(sampler, config, unet, condition, scale=1 + 1e-7))
    for sampler, changes, key in pairs.REFUSED:
        config = pairs.config(changes)
        with open(other, "w") as f:
            json.dump(config, f)
        try:
            right = loop(sampler, config, unet, condition)
            right = right if np.isfinite(right).all() else None
        except Exception:
            right = None
        report(pairs.name(sampler, changes), right, *run(program, folder, sampler, "--scheduler-config", other), key=key)


FOLDERS = [  # class, changes, key of a line that must be said
    ("PNDMScheduler", {}, None), ("PNDMScheduler", {"skip_prk_steps": False}, None),
    ("PNDMScheduler", {"timestep_spacing": "trailing"}, None),
    ("PNDMScheduler", {"steps_offset": 0}, "steps_offset"), ("DDIMScheduler", {"clip_sample": True}, "clip_sample"),
    ("DDIMScheduler", {"steps_offset": pairs.WITHOUT, "clip_sample": pairs.WITHOUT}, "steps_offset"),
    ("DDIMScheduler", {"thresholding": True}, None),
    ("DDIMScheduler", {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, None),
    ("EulerDiscreteScheduler", {"timestep_spacing": "leading"}, None), ("EulerDiscreteScheduler", {"use_karras_sigmas": True}, None),
    ("EulerDiscreteScheduler", {"timestep_spacing": "leading", "steps_offset": 0}, "steps_offset"),
    ("EulerAncestralDiscreteScheduler", {"timestep_spacing": "trailing"}, None),
    ("DPMSolverMultistepScheduler", {"lambda_min_clipped": -pairs.INF, "use_karras_sigmas": True}, None),
    ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}, None),
    ("DPMSolverMultistepScheduler", {"timestep_spacing": "trailing", "lambda_min_clipped": -2.0}, None),
]


def compare_pipelines(program, folder):
    picture = os.path.join(folder, "start.png")
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(picture)
    for name, changes, key in FOLDERS:
        write_scheduler(folder, pairs.config(changes) | {"_class_name": name})
        title = f"pipeline of {name} {changes or 'as published'}"
        # transformers 5 takes no vocabulary of letters alone for a tokenizer's files: it is made of them here.
        tokenizer = CLIPTokenizer(vocab=f"{folder}/tokenizer/vocab.json", merges=f"{folder}/tokenizer/merges.txt", model_max_length=77)
        pipe = StableDiffusionPipeline.from_pretrained(folder, tokenizer=tokenizer)
        pipe.set_progress_bar_config(disable=True)
        generator = lambda: torch.Generator().manual_seed(SEED)
        right = pipe("a", num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=generator(), output_type="latent", height=16,
                     width=16).images.numpy()

        def nudged():
            source = generator()
            latents = torch.randn((1, 4, 8, 8), generator=source) * (1 + 1e-7)
            return pipe("a", num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=source, latents=latents, output_type="latent",
                        height=16, width=16).images.numpy()

        report(title, right, *run(program, folder, "auto"), key=key, nudged=nudged)
        image = StableDiffusionImg2ImgPipeline(**pipe.components, requires_safety_checker=False)
        image.set_progress_bar_config(disable=True)
        right = image("a", image=Image.open(picture), strength=0.6, num_inference_steps=STEPS, guidance_scale=GUIDANCE,
                      generator=generator(), output_type="latent").images.numpy()
        report(title + ", from a picture", right, *run(program, folder, "auto", "--image", picture, "--strength", "0.6"), key=key)


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        unet, condition = make_model(folder)
        compare_pairs(sys.argv[1], folder, unet, condition)
        compare_pipelines(sys.argv[1], folder)
    print(f"{failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
