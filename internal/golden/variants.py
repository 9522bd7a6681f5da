"""Makes reference values for configurations besides SD v1's own: fewer levels, lists where SD has one number, other
widths, GELU.

    python variants.py REPOSITORY

Written with torch, diffusers and transformers (versions in the files' metadata): outputs are those of a float64 run,
rounded once; f32_max_abs is how far the same library is from it in float32. Weights and inputs are those of
synth.Weights and synth.Input.
"""
import json
import math
import pathlib
import sys

import diffusers
import numpy as np
import torch
from safetensors.numpy import save_file

repo = pathlib.Path(sys.argv[1])
SEED = 0x53445F31
MASK = (1 << 64) - 1
torch.set_num_threads(1)


def uniform(name, n, scale):
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = ((key ^ byte) * 0x100000001B3) & MASK
    key ^= SEED
    with np.errstate(over="ignore"):
        z = np.uint64(key) + np.arange(n, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)
    return u * np.float32(scale)


def parameter(name, shape):
    n = math.prod(shape)
    if name.endswith(("token_embedding.weight", "position_embedding.weight")):
        x = uniform(name, n, 0.05)
    elif name.endswith(".bias"):
        x = uniform(name, n, 0.02)
    elif len(shape) >= 2:
        gain = 1.5 if name.endswith(("to_q.weight", "to_k.weight", "q_proj.weight", "k_proj.weight")) else 1
        x = uniform(name, n, gain * math.sqrt(3 / math.prod(shape[1:])))
    else:
        x = np.float32(1) + uniform(name, n, 0.1)
    return x.reshape(shape)


def synthesise(model, component, rename=lambda n: n):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.from_numpy(parameter(f"{component}.{rename(name)}", tuple(p.shape))))
    return model.eval()


def given(name, shape, scale=math.sqrt(3)):
    return torch.from_numpy(uniform("input." + name, math.prod(shape), scale).reshape(shape))


def both(model, run):
    """Runs in float32 and float64; returns the float64 result rounded, and the error record."""
    with torch.no_grad():
        single = run(model.float(), torch.float32).double()
        double = run(model.double(), torch.float64)
    error = {"f32_max_abs": (single - double).abs().max().item(), "rms": double.square().mean().sqrt().item()}
    return double.float().numpy(), error


def write(package, tensors, errors, configs):
    import transformers

    meta = {"torch": torch.__version__, "diffusers": diffusers.__version__, "transformers": transformers.__version__}
    folder = repo / package / "testdata"
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, folder / "variants.safetensors", metadata=meta)
    cases = [{"path": k, **errors[k], "config": configs[k]} for k in errors]
    (folder / "variants.json").write_text('{"modules": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]}\n")


def unets():
    tensors, errors, configs = {}, {}, {}
    cross, plain = "CrossAttn", ""
    for name, kinds, config, (n, h, w, tokens) in [
        ("levels3", [cross, cross, plain],
         dict(block_out_channels=[32, 64, 96], cross_attention_dim=40, attention_head_dim=4, layers_per_block=2), (2, 12, 8, 20)),
        ("lists", [plain, cross, cross],
         dict(block_out_channels=[32, 48, 64], cross_attention_dim=24, attention_head_dim=[2, 3, 4], layers_per_block=[1, 3, 2],
              transformer_layers_per_block=[1, 1, 2], norm_num_groups=16, norm_eps=1e-6, in_channels=5, out_channels=3), (1, 4, 8, 7)),
    ]:
        config |= dict(down_block_types=[k + "DownBlock2D" for k in kinds], up_block_types=[k + "UpBlock2D" for k in reversed(kinds)])
        model = synthesise(diffusers.UNet2DConditionModel(**config), "unet." + name)
        latent = given(f"{name}.latent", (n, config.get("in_channels", 4), h, w))
        context = given(f"{name}.context", (n, tokens, config["cross_attention_dim"]))
        t = torch.tensor([901.0, 37.0][:n])
        eps, errors[name] = both(model, lambda m, dtype: m(latent.to(dtype), t, context.to(dtype)).sample)
        tensors |= {f"{name}.latent": latent.numpy(), f"{name}.context": context.numpy(), f"{name}.timesteps": t.numpy(), f"{name}.eps": eps}
        configs[name] = config
    write("unet", tensors, errors, configs)


def vaes():
    name = "levels3"
    config = dict(block_out_channels=[32, 64, 96], layers_per_block=1, latent_channels=3, norm_num_groups=16, scaling_factor=0.5,
                  down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3)
    model = synthesise(diffusers.AutoencoderKL(**config), "vae." + name)
    image, latent = given("levels3.image", (2, 3, 16, 24), 1), given("levels3.latent_vae", (1, 3, 5, 3))
    moments, e1 = both(model, lambda m, dtype: m._encode(image.to(dtype)))
    decoded, e2 = both(model, lambda m, dtype: m.decode(latent.to(dtype)).sample)
    tensors = {"encode.image": image.numpy(), "encode.moments": moments, "decode.latent": latent.numpy(), "decode.image": decoded}
    write("vae", tensors, {"encode": e1, "decode": e2}, {"encode": config, "decode": config})


def texts():
    from transformers import CLIPTextConfig, CLIPTextModel

    name = "gelu"
    config = dict(vocab_size=90, hidden_size=40, intermediate_size=100, num_hidden_layers=2, num_attention_heads=5,
                  max_position_embeddings=24, hidden_act="gelu", layer_norm_eps=1e-6, eos_token_id=2, bos_token_id=0, pad_token_id=1)
    # transformers 5 left out the prefix that checkpoints have.
    rename = lambda n: n if n.startswith("text_model.") else "text_model." + n
    model = synthesise(CLIPTextModel(CLIPTextConfig(**config)), "text_encoder." + name, rename)
    ids = torch.randint(2, 89, (3, 24), generator=torch.Generator().manual_seed(0))
    for i, end in enumerate([5, 23, 11]):
        ids[i, end:] = 89  # the highest id: the end token, and the padding
    hidden, e1 = both(model, lambda m, _: m(ids).last_hidden_state)
    pooled, e2 = both(model, lambda m, _: m(ids).pooler_output)
    tensors = {"input_ids": ids.int().numpy(), "last_hidden_state": hidden, "pooler_output": pooled}
    write("clip", tensors, {"last_hidden_state": e1, "pooler_output": e2}, {"last_hidden_state": config, "pooler_output": config})


unets()
vaes()
texts()
