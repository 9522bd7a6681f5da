"""The deterministic generator of weights (package weights/synth), vectorised: equal to it in every bit."""
import math

import numpy as np

SEED = 0x53445F31
CHUNK = 1 << 22


def key(name, seed=SEED):
    """FNV-1a of the name, exclusive-or the seed of the whole set."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = (h ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h ^ seed


def rule(name, shape):
    """Whether values are centred at 1, as the scales of norms are, and their scale; see weights.SynthRule."""
    if name.endswith(("token_embedding.weight", "position_embedding.weight", "class_embedding")):
        return False, np.float32(0.05)
    if name.endswith("running_var"):
        return True, np.float32(0.1)
    if name.endswith((".bias", "running_mean")):
        return False, np.float32(0.02)
    if len(shape) >= 2:
        gain = 1.5 if name.endswith(("to_q.weight", "to_k.weight", "q_proj.weight", "k_proj.weight")) else 1.0
        return False, np.float32(gain * math.sqrt(3 / math.prod(shape[1:])))
    if name.endswith(".weight"):
        return True, np.float32(0.1)
    return False, np.float32(0.02)


def fill(out, name, seed, norm, scale, half):
    """Fills the flat float32 array out."""
    k = np.uint64(key(name, seed))
    with np.errstate(over="ignore"):
        for lo in range(0, out.size, CHUNK):
            part = out[lo:lo + CHUNK]
            z = np.arange(lo, lo + part.size, dtype=np.uint64)
            z += k
            z += np.uint64(0x9E3779B97F4A7C15)
            z ^= z >> np.uint64(30)
            z *= np.uint64(0xBF58476D1CE4E5B9)
            z ^= z >> np.uint64(27)
            z *= np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
            u = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)
            np.multiply(u, scale, out=part)
            if norm:
                part += np.float32(1)
            if half:
                part[:] = part.astype(np.float16)


def parameter(component, name, shape, seed=SEED, half=False):
    """The parameter of that name and shape, float32; half rounds every value to float16."""
    full = component + "." + name
    out = np.empty(math.prod(shape), np.float32)
    fill(out, full, seed, *rule(full, shape), half)
    return out.reshape(shape)
