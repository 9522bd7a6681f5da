"""Names of Stable Diffusion v1's tensors in the original code, from those of diffusers and transformers."""
import re

PREFIX = {"unet": "model.diffusion_model.", "vae": "first_stage_model.", "text_encoder": "cond_stage_model.transformer."}

UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def unet(name, layers=2):
    """The original name, without prefix, of a U-Net's tensor. Blocks of the way down are numbered through: the first
    convolution is block 0, a level's resnets follow, then its down-sampler."""
    for ours, theirs in UNET_ENDS.items():
        if name.startswith(ours + "."):
            return theirs + name[len(ours):]
    if m := re.fullmatch(r"mid_block\.attentions\.0\.(.*)", name):
        return f"middle_block.1.{m[1]}"
    if m := re.fullmatch(r"mid_block\.resnets\.(\d)\.(\w+)\.(\w+)", name):
        return f"middle_block.{2 * int(m[1])}.{UNET_RESNET[m[2]]}.{m[3]}"
    m = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
    way, level, kind, i, rest = m[1], int(m[2]), m[3], int(m[4]), m[5]
    if way == "down":
        block = f"input_blocks.{1 + level * (layers + 1) + (layers if kind == 'downsamplers' else i)}"
    else:
        block = f"output_blocks.{level * (layers + 1) + (layers if kind == 'upsamplers' else i)}"
    if kind == "resnets":
        part, tail = rest.rsplit(".", 1)
        return f"{block}.0.{UNET_RESNET[part]}.{tail}"
    if kind == "attentions":
        return f"{block}.1.{rest}"
    if kind == "downsamplers":
        return f"{block}.0.op.{rest.removeprefix('conv.')}"
    return f"{block}.{1 if level == 0 else 2}.{rest}"  # the coarsest level of SD v1 has no attention before it


def vae(name, levels=4):
    """The original name, without prefix, of a VAE's tensor. The decoder's levels are counted from the picture."""
    if m := re.fullmatch(r"(\w+coder)\.mid_block\.attentions\.0\.(.*)\.(weight|bias)", name):
        return f"{m[1]}.mid.attn_1.{VAE_ATTENTION[m[2]]}.{m[3]}"
    if m := re.fullmatch(r"(\w+coder)\.mid_block\.resnets\.(\d)\.(.*)", name):
        return f"{m[1]}.mid.block_{int(m[2]) + 1}.{m[3]}".replace("conv_shortcut", "nin_shortcut")
    if m := re.fullmatch(r"(\w+coder)\.(down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(\d+)\.(.*)", name):
        level = int(m[3]) if m[2] == "down" else levels - 1 - int(m[3])
        if m[4] == "resnets":
            return f"{m[1]}.{m[2]}.{level}.block.{m[5]}.{m[6]}".replace("conv_shortcut", "nin_shortcut")
        return f"{m[1]}.{m[2]}.{level}.{m[2]}sample.{m[6]}"
    return name.replace("conv_norm_out", "norm_out")


def compvis(part, name):
    """The original name, with prefix, of a tensor of a whole model's file."""
    tail = {"unet": unet, "vae": vae, "text_encoder": lambda n: n}[part](name)
    return PREFIX[part] + tail


def ema(name):
    """The name under which the original training code keeps the average of a tensor "model.…": without its dots."""
    return "model_ema." + name.removeprefix("model.").replace(".", "")
