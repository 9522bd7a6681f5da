"""One peer in a process of its own: reads commands from standard input, one a line, and answers each with one line.

    load CASE        builds the case and runs it             -> ok SECONDS
    settings         what was chosen while loading           -> ok TEXT
    run [N]          runs it, N times after once untimed     -> ms MILLISECONDS PROCESSOR-MILLISECONDS of one run
    save FILE        writes the last output, raw float32     -> ok SHAPE
    memory           the process's largest size so far       -> mib MEBIBYTES
    quit
"""

import argparse
import os
import sys
import time

import numpy as np

import models


class Torch:
    """PyTorch eager: inference mode, scaled_dot_product_attention (the default of diffusers and transformers), and of the
    two memory formats of images the quicker one."""

    def __init__(self, threads, cache):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)

    def load(self, case):
        torch = self.torch
        kind, _ = models.CASES[case]
        self.m = models.build(kind)
        self.x = [torch.from_numpy(v) for v in models.inputs(case).values()]
        self.settings = "sdpa"
        if kind == "text":
            return
        times = {}
        for name in "contiguous", "channels_last":
            self.format(name)
            self.run()
            times[name] = min(self.timed() for _ in range(2))
        best = min(times, key=times.get)
        self.format(best)
        self.settings += " " + best

    def format(self, name):
        f = {"contiguous": self.torch.contiguous_format, "channels_last": self.torch.channels_last}[name]
        self.m = self.m.to(memory_format=f)
        self.x = [x.contiguous(memory_format=f) if x.dim() == 4 else x for x in self.x]

    def timed(self):
        start = time.perf_counter()
        self.run()
        return time.perf_counter() - start

    def run(self):
        with self.torch.inference_mode():
            self.y = self.m(*self.x)

    def output(self):
        return self.y.contiguous().numpy()


class OpenVINO:
    """OpenVINO on the CPU, one stream made for latency, arithmetic in float32, static shapes."""

    def __init__(self, threads, cache):
        import openvino as ov

        self.ov, self.cache = ov, cache
        self.core = ov.Core()
        self.config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }

    def load(self, case):
        kind, _ = models.CASES[case]
        path = convert_openvino(kind, self.cache)
        model = self.core.read_model(path)
        x = models.inputs(case)
        model.reshape({i: list(v.shape) for i, v in enumerate(x.values())})
        self.settings = "latency f32"
        self.request = self.core.compile_model(model, "CPU", self.config).create_infer_request()
        for i, v in enumerate(x.values()):
            self.request.set_input_tensor(i, self.ov.Tensor(v))

    def run(self):
        self.request.infer()

    def output(self):
        return self.request.get_output_tensor(0).data


class ONNXRuntime:
    """ONNX Runtime on the CPU provider, all graph optimisations, static shapes."""

    def __init__(self, threads, cache):
        import onnxruntime as ort

        self.ort, self.cache, self.threads = ort, cache, threads

    def load(self, case):
        kind, shape = models.CASES[case]
        o = self.ort.SessionOptions()
        o.intra_op_num_threads, o.inter_op_num_threads = self.threads, 1
        o.graph_optimization_level = self.ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        names = ("batch", "tokens") if kind == "text" else ("batch", "channels", "height", "width")
        for name, size in zip(names, shape):
            o.add_free_dimension_override_by_name(name, size)
        self.s = self.ort.InferenceSession(convert_onnx(kind, self.cache), o, providers=["CPUExecutionProvider"])
        x = models.inputs(case)
        self.x = {i.name: v for i, v in zip(self.s.get_inputs(), x.values())}

    def run(self):
        self.y = self.s.run(None, self.x)[0]

    def output(self):
        return self.y


class Product:
    """y = x Wᵀ + bias with a library's float32 product: rows M, columns N, depth K."""

    def load(self, case):
        m, n, k = models.PRODUCTS[case]
        self.prepare(models.units("input.bench.x", (m, k)), models.weight("bench", "weight", (n, k)), models.weight("bench", "bias", (n,)))


class TorchProduct(Product):
    """torch.nn.functional.linear: MKL where torch is built with it."""

    def __init__(self, threads, cache):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)

    def prepare(self, x, w, b):
        self.x, self.w, self.b = (self.torch.from_numpy(v) for v in (x, w, b))
        self.settings = "mkl" if self.torch.backends.mkl.is_available() else "no mkl"

    def run(self):
        with self.torch.inference_mode():
            self.y = self.torch.nn.functional.linear(self.x, self.w, self.b)

    def output(self):
        return self.y.numpy()


class NumpyProduct(Product):
    """numpy.matmul, and nothing for the bias: OpenBLAS in the wheels, MKL in some distributions."""

    def __init__(self, threads, cache):
        pass  # the orchestrator sets the number of threads in the environment, before the library is loaded

    def prepare(self, x, w, b):
        self.x, self.w, self.b = x, w.T, b
        self.y = np.empty((x.shape[0], w.shape[0]), np.float32)

    def run(self):
        np.matmul(self.x, self.w, out=self.y)

    def output(self):
        return self.y + self.b


def convert_openvino(kind, cache):
    """The module as an OpenVINO model in the cache folder, converted once, weights in float32."""
    path = os.path.join(cache, kind + ".xml")
    if not os.path.exists(path):
        import openvino as ov

        case = next(c for c, (k, _) in models.CASES.items() if k == kind)
        import torch

        x = tuple(torch.from_numpy(v) for v in models.inputs(case).values())
        with torch.no_grad():
            m = ov.convert_model(models.build(kind), example_input=x)
        os.makedirs(cache, exist_ok=True)
        ov.save_model(m, path + ".part.xml", compress_to_fp16=False)
        os.rename(path + ".part.bin", os.path.join(cache, kind + ".bin"))
        os.rename(path + ".part.xml", path)
    return path


def convert_onnx(kind, cache):
    """The module as an ONNX file with external weights in the cache folder, exported once with named free dimensions."""
    folder = os.path.join(cache, "onnx-" + kind)
    path = os.path.join(folder, "model.onnx")
    if not os.path.exists(path):
        import torch

        case = next(c for c, (k, _) in models.CASES.items() if k == kind)
        x = models.inputs(case)
        if kind == "unet":  # an example of batch 1 would fix the batch
            x = models.inputs("unet-2x4x64x64")
        if kind == "text":
            x = {"input_ids": models.tokens(2)}
        dim = torch.export.Dim
        free = {
            "unet": ({0: "batch", 2: "height", 3: "width"}, {}, {0: "batch"}),
            "vae-encode": ({},),
            "vae-decode": ({},),
            "text": ({0: "batch"},),
        }[kind]
        os.makedirs(folder, exist_ok=True)
        torch.onnx.export(
            models.build(kind), tuple(torch.from_numpy(v) for v in x.values()), path + ".part",
            input_names=list(x), output_names=["out"], dynamo=False, opset_version=18,
            dynamic_axes={n: f for n, f in zip(x, free) if f}, do_constant_folding=True,
        )
        os.rename(path + ".part", path)
    return path


PEERS = {
    "torch": Torch, "openvino": OpenVINO, "onnxruntime": ONNXRuntime, "torch-product": TorchProduct, "numpy-product": NumpyProduct,
}


def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("peer", choices=PEERS)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--cache", required=True, help="folder of the converted models")
    p.add_argument("--convert", help="only convert this kind of module into the cache")
    a = p.parse_args()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the libraries print must not mix with the answers
    if a.convert:
        {"openvino": convert_openvino, "onnxruntime": convert_onnx}[a.peer](a.convert, a.cache)
        return
    peer = PEERS[a.peer](a.threads, a.cache)
    for line in sys.stdin:
        words = line.split()
        start, processor = time.perf_counter(), time.process_time()
        if words[0] == "quit":
            break
        if words[0] == "load":
            peer.load(words[1])
            peer.run()
            print("ok", f"{time.perf_counter() - start:.3f}", file=answers)
        elif words[0] == "run":
            count = int(words[1]) if len(words) > 1 else 1
            if count > 1:
                peer.run()
            start, processor = time.perf_counter(), time.process_time()
            for _ in range(count):
                peer.run()
            wall, processor = time.perf_counter() - start, time.process_time() - processor
            print("ms", f"{1000 * wall / count:.4f}", f"{1000 * processor / count:.4f}", file=answers)
        elif words[0] == "settings":
            print("ok", getattr(peer, "settings", "").replace("\n", " "), file=answers)
        elif words[0] == "save":
            y = np.ascontiguousarray(peer.output(), np.float32)
            y.tofile(words[1])
            print("ok", "x".join(map(str, y.shape)), file=answers)
        elif words[0] == "memory":
            print("mib", f"{peak():.0f}", file=answers)
        else:
            print("error", f"unknown command {words[0]}", file=answers)


if __name__ == "__main__":
    main()
