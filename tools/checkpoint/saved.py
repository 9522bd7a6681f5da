"""Saves small pipelines with diffusers in all the ways there are today and holds Percept against diffusers on each.

    go build -o trajectory ./tools/checkpoint/trajectory
    go build -o percept ./cmd/percept
    python3 tools/checkpoint/saved.py ./trajectory ./percept

Each folder is loaded again by StableDiffusionPipeline.from_pretrained, which encodes two captions, asks the U-Net once and
decodes a latent, in float64 and in float32; Percept may differ ten times what diffusers' own float32 differs from float64,
plus a millionth of the root mean square. "percept model check" has to say yes to every use. Exit status 1 otherwise.

Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0, tokenizers 0.23.3, safetensors 0.8.0.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = os.environ["DIFFUSERS_VERBOSITY"] = "error"

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = os.path.join(HERE, "..", "..", "clip", "testdata")
PROMPT = "a man riding a <cat-toy> on top of a red house!"


def make(added=(), length=77, pad="<|endoftext|>"):
    torch.manual_seed(0)
    vocab = json.load(open(os.path.join(SMALL, "tokenizer_vocab.json"), encoding="utf-8"))
    merges = [tuple(m.split()) for m in open(os.path.join(SMALL, "tokenizer_merges.txt"), encoding="utf-8").read().split("\n")[1:] if m]
    tokenizer = CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=length, pad_token=pad)
    tokenizer.add_tokens(list(added))
    n = len(tokenizer)
    start, end = len(vocab) - 2, len(vocab) - 1
    text = CLIPTextModel(CLIPTextConfig(vocab_size=n, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                        projection_dim=32, bos_token_id=start, eos_token_id=end, pad_token_id=end))
    for p in text.parameters():
        torch.nn.init.normal_(p, std=0.2)
    unet = UNet2DConditionModel(sample_size=8, block_out_channels=(32, 32), layers_per_block=1, cross_attention_dim=32,
                                attention_head_dim=8, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                                up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
    vae = AutoencoderKL(block_out_channels=(32, 32), latent_channels=4, sample_size=16, down_block_types=("DownEncoderBlock2D",) * 2,
                        up_block_types=("UpDecoderBlock2D",) * 2)
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
                              steps_offset=1)
    return StableDiffusionPipeline(vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, scheduler=scheduler, safety_checker=None,
                                   feature_extractor=None, requires_safety_checker=False)


def rename(file, change):
    """Names of a safetensors file changed, and the file written again."""
    tensors = {}
    for name, t in load_file(file).items():
        for n, x in change(name, t):
            tensors[n] = x.contiguous()
    save_file(tensors, file, metadata={"format": "pt"})


def prefixed(d):
    """As transformers 4 wrote it: text_model. before names, and positions beside them."""
    rename(d + "/text_encoder/model.safetensors", lambda n, t: [("text_model." + n, t)])
    config = json.load(open(d + "/text_encoder/config.json"))
    config["torch_dtype"] = config.pop("dtype")
    json.dump(config, open(d + "/text_encoder/config.json", "w"))


def positions(d):
    more = [("embeddings.position_ids", torch.arange(77)[None])]
    rename(d + "/text_encoder/model.safetensors", lambda n, t: [(n, t)] + (more if n == "final_layer_norm.bias" else []))


def least(d):
    """A configuration without what has a default."""
    config = json.load(open(d + "/text_encoder/config.json"))
    for key in ("dtype", "hidden_act", "layer_norm_eps", "max_position_embeddings", "architectures", "transformers_version"):
        del config[key]
    json.dump(config, open(d + "/text_encoder/config.json", "w"))


def old_attention(dims):
    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def change(n, t):
        for today, before in names.items():
            if f".attentions.0.{today}." in n:
                return [(n.replace(today, before), t.reshape(t.shape + (1,) * (dims - 2)) if t.dim() == 2 else t)]
        return [(n, t)]
    return lambda d: rename(d + "/vae/diffusion_pytorch_model.safetensors", change)


def both_tokenizers(d):
    with open(d + "/tokenizer/vocab.json", "w") as f:
        json.dump({"<|startoftext|>": 0, "<|endoftext|>": 1}, f)
    open(d + "/tokenizer/merges.txt", "w").write("#version: 0.2\n")


def only(*parts):
    """Removes the variant of all parts but some, whose plain files stay beside."""
    def change(d):
        for part in ("unet", "vae", "text_encoder"):
            for f in glob.glob(f"{d}/{part}/*.fp16.*"):
                if part not in parts:
                    os.remove(f)
    return change


def whole_clip(d):
    """A file and a configuration of a whole CLIPModel, of which diffusers takes the text half."""
    from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig
    text = CLIPTextModel.from_pretrained(d + "/text_encoder")
    vision = CLIPVisionConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=8)
    model = CLIPModel(CLIPConfig(text_config=text.config.to_dict(), vision_config=vision.to_dict(), projection_dim=32))
    model.text_model.load_state_dict(text.state_dict())
    shutil.rmtree(d + "/text_encoder")
    model.save_pretrained(d + "/text_encoder")


def folders(top):
    """(folder, variant, folder of the same model that diffusers loads) of every way to save: it does not find again what it
    cuts into several .bin files itself."""
    plain, half = make(), make()
    half.to(torch.float16)
    for safe in (True, False):
        for shard in ("10GB", "60KB"):
            for variant in (None, "fp16"):
                d = os.path.join(top, f"safe={safe} shard={shard} variant={variant}")
                (half if variant else plain).save_pretrained(d, safe_serialization=safe, max_shard_size=shard, variant=variant)
                yield d, variant, d.replace("safe=False shard=60KB", "safe=True shard=60KB")
    bf16 = make()
    bf16.to(torch.bfloat16).save_pretrained(os.path.join(top, "bfloat16"))
    yield os.path.join(top, "bfloat16"), None, os.path.join(top, "bfloat16")
    for name, settings in (("taught word", dict(added=["<cat-toy>"])), ("padding !", dict(pad="!")), ("length 20", dict(length=20))):
        d = os.path.join(top, name)
        make(**settings).save_pretrained(d)
        yield d, None, d
    for name, change in (("text_model prefix", prefixed), ("position_ids", positions), ("least config", least),
                         ("whole CLIP", whole_clip), ("old attention", old_attention(2)),
                         ("old attention, convolutions", old_attention(4)), ("both tokenizers", both_tokenizers)):
        d = os.path.join(top, name)
        plain.save_pretrained(d)
        change(d)
        yield d, None, d.replace(", convolutions", "")  # diffusers wants matrices
    for parts in (["unet"], ["vae"], ["unet", "text_encoder"]):
        d = os.path.join(top, "fp16 of " + " and ".join(parts))
        plain.save_pretrained(d)
        half.save_pretrained(d, variant="fp16")
        only(*parts)(d)
        yield d, "fp16", d


@torch.no_grad()
def reference(folder, variant, dtype, latents):
    pipe = StableDiffusionPipeline.from_pretrained(folder, variant=variant, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    for part in (pipe.text_encoder, pipe.unet, pipe.vae):
        part.to(dtype)
    out = {}
    cond, uncond = pipe.encode_prompt(PROMPT, "cpu", 1, True, negative_prompt="")
    out["context"] = torch.cat([uncond, cond])
    length = pipe.tokenizer.model_max_length
    ids = pipe.tokenizer(["", PROMPT], padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    out["ids"] = ids.input_ids
    pipe.scheduler.set_timesteps(2)
    x = latents[:1].to(dtype)
    out["eps"] = pipe.unet(torch.cat([x, x]), pipe.scheduler.timesteps[0], encoder_hidden_states=out["context"]).sample[None]
    out["image"] = pipe.vae.decode(latents[-1:].to(dtype) / pipe.vae.config.scaling_factor).sample
    return out


def check(folder, variant, same, trajectory, percept, top):
    """What is wrong with Percept's numbers; empty where nothing is."""
    more = ["--variant", variant] if variant else []
    out = os.path.join(top, "t.safetensors")
    said = subprocess.run([percept, "model", "check", folder, *more], capture_output=True, text=True)
    if said.returncode or said.stdout.count("  yes\n") != 5:
        return f"model check: {said.stdout} {said.stderr}"
    ran = subprocess.run([trajectory, "-model", folder, "-prompt", PROMPT, "-steps", "2", "-diffusers", "-out", out, *more],
                         capture_output=True, text=True)
    if ran.returncode:
        return ran.stderr
    got = load_file(out)
    ref, single = (reference(same, variant, t, got["latents"]) for t in (torch.float64, torch.float32))
    if got["ids"].tolist() != ref["ids"].tolist():
        return f"ids {got['ids'].tolist()}, want {ref['ids'].tolist()}"
    worst = []
    for key in ("context", "eps", "image"):
        r, g = ref[key].double(), got[key][:1].double() if key == "eps" else got[key].double()
        tolerance = 10 * (single[key].double() - r).abs().max().item() + 1e-6 * r.pow(2).mean().sqrt().item()
        diff = (g - r).abs().max().item()
        worst.append(f"{key} {diff / tolerance:.2f}")
        if g.shape != r.shape or not diff <= tolerance:
            return f"{key} differs by {diff}, tolerance {tolerance}"
    print("equal  ", os.path.basename(folder), "(of the tolerance:", ", ".join(worst) + ")", said.stderr.strip().replace(folder, "…"))
    return ""


def main():
    trajectory, percept = (os.path.abspath(p) for p in sys.argv[1:3])
    torch.set_num_threads(1)
    wrong = n = 0
    with tempfile.TemporaryDirectory() as top:
        for folder, variant, same in folders(top):
            n += 1
            if bad := check(folder, variant, same, trajectory, percept, top):
                wrong += 1
                print("WRONG  ", os.path.basename(folder), bad)
    print(f"{n} folders, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
