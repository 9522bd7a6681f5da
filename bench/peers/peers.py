#!/usr/bin/env python3
"""Times Percept side by side with other programs on this machine's processor.

For every case and peer two processes are loaded, Percept and the peer, and run in turn: A B A B … What slows the machine
down meets both, so the ratio of neighbouring runs can be trusted where single times cannot. See README.md.
"""

import argparse
import fnmatch
import json
import os
import platform
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

UNETS = ["unet-1x4x64x64", "unet-2x4x64x64", "unet-1x4x40x40"]
MODELS = UNETS + ["vae-encode-1x3x512x512", "vae-decode-1x4x64x64", "text-1x77", "text-32x77"]
PRODUCTS = [
    "product-" + s
    for s in ["4096x320x320", "4096x2560x320", "4096x320x2880", "1024x640x5760", "256x1280x11520", "64x1280x11520"]
]
TITLES = {
    "torch": "PyTorch", "openvino": "OpenVINO", "onnxruntime": "ONNX Runtime", "torch-product": "MKL (PyTorch)",
    "numpy-product": "OpenBLAS (NumPy)",
}
TOLERANCE = 1e-3  # of max |difference| / RMS: far above float32's rounding, far below any mistake


class Failure(Exception):
    pass


class Process:
    """A program that answers one line for each line it is given."""

    def __init__(self, name, command, threads):
        self.name = name
        self.log = open(os.path.join(cache(), f"log-{name}.txt"), "w")
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
        self.p = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1, env=env, cwd=HERE
        )

    def ask(self, line):
        try:
            self.p.stdin.write(line + "\n")
            answer = self.p.stdout.readline().split()
        except BrokenPipeError:
            answer = []
        if not answer or answer[0] == "error":
            raise Failure(f"{self.name}: {line!r} was answered by {' '.join(answer) or 'its end'}; see {self.log.name}")
        return answer[1:]

    def quit(self):
        if self.p.poll() is None:
            try:
                self.p.stdin.write("quit\n")
                self.p.wait(20)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.p.kill()
        self.p.wait()
        self.log.close()


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(base, "percept-peers")
    os.makedirs(path, exist_ok=True)
    return path


def environment():
    """The Python of a virtual environment with the peers in it, made on first use."""
    folder = os.path.join(cache(), "venv")
    python = os.path.join(folder, "bin", "python")
    done = os.path.join(folder, "requirements.txt")
    wanted = open(os.path.join(HERE, "requirements.txt")).read()
    if not os.path.exists(done) or open(done).read() != wanted:
        say("installing the peers into", folder)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", os.path.join(HERE, "requirements.txt")], check=True)
        with open(done, "w") as f:
            f.write(wanted)
    return python


def build():
    """Percept's command, built from this tree."""
    path = os.path.join(cache(), "percept")
    env = dict(os.environ, CGO_ENABLED="0")
    subprocess.run(["go", "build", "-o", path, "./cmd/percept"], cwd=ROOT, check=True, env=env)
    return path


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def sample(process, count):
    wall, processor = process.ask(f"run {count}")
    return float(wall), float(processor)


def processor_use(pids):
    """Seconds of processor time so far, of the whole machine and of some processes; None where /proc does not tell."""
    try:
        tick = os.sysconf("SC_CLK_TCK")
        busy = [int(n) for n in open("/proc/stat").readline().split()[1:9]]
        of = [open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split() for pid in pids]
        return (sum(busy) - busy[3] - busy[4]) / tick, sum(int(f[11]) + int(f[12]) for f in of) / tick
    except OSError:
        return None


def others(before, after, wall):
    """The share of the machine's processors that other programs used between two calls of processor_use."""
    if before is None or after is None:
        return None
    used = (after[0] - before[0]) - (after[1] - before[1])
    return max(0.0, used / (wall * os.cpu_count()))


def compare(ours, peer, rounds, settle):
    """Runs two loaded processes in turn. Short cases run several times a turn."""
    first = [sample(p, 1)[0] for p in (ours, peer)]
    count = max(1, round(150 / max(min(first), 0.01)))
    a, b = [], []
    for i in range(rounds):
        for p, times in ((ours, a), (peer, b)) if i % 2 == 0 else ((peer, b), (ours, a)):
            time.sleep(settle)  # threads of the other that still spin go to sleep
            times.append(sample(p, count))
    return a, b


def difference(ours, peer):
    """The largest difference of the two results, in units of the RMS of the peer's."""
    import array

    values = []
    for i, p in enumerate((ours, peer)):
        path = os.path.join(cache(), f"result-{i}.f32")
        p.ask("save " + path)
        x = array.array("f")
        with open(path, "rb") as f:
            x.frombytes(f.read())
        os.remove(path)
        values.append(x)
    x, y = values
    if len(x) != len(y):
        raise Failure(f"{ours.name} has {len(x)} values, {peer.name} {len(y)}")
    rms = (sum(v * v for v in y) / len(y)) ** 0.5
    return max(abs(v - w) for v, w in zip(x, y)) / rms


def summary(a, b):
    """Medians of both, and median, least and greatest of the ratios of neighbours, by the clock and by processor time."""
    r = {"percept_ms": [t[0] for t in a], "peer_ms": [t[0] for t in b], "percept_cpu_ms": [t[1] for t in a], "peer_cpu_ms": [t[1] for t in b]}
    for i, name in enumerate(("ratio", "cpu_ratio")):
        ratios = [x[i] / y[i] for x, y in zip(a, b) if y[i] > 0]
        if ratios:
            r[name] = {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}
    return r


def measure(o, python, percept):
    results = []
    for threads in o.threads:
        for group in (UNETS, ["vae-encode-1x3x512x512"], ["vae-decode-1x4x64x64"], ["text-1x77"], ["text-32x77"], PRODUCTS):
            cases = [c for c in group if any(fnmatch.fnmatch(c, p) for p in o.only.split(","))]
            product = group is PRODUCTS
            if not cases or not product and threads not in o.model_threads:
                continue
            ours = Process("percept", [percept, "bench", "serve", "--threads", str(threads)], threads)
            try:
                for case in cases:
                    ours.ask("load " + case)
                    for peer in o.peers:
                        if peer.endswith("-product") == product:
                            results.append(pair(o, python, ours, peer, case, threads))
                            write(o, python, results)
            finally:
                ours.quit()
    return results


def pair(o, python, ours, peer, case, threads):
    command = [python, "worker.py", peer, "--threads", str(threads), "--cache", os.path.join(cache(), "models")]
    r = {"case": case, "threads": threads, "peer": peer}
    kind = case.rsplit("-", 1)[0]
    if peer in ("openvino", "onnxruntime"):  # in a process that ends: converting takes much memory
        subprocess.run(command + ["--convert", kind], cwd=HERE, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    other = Process(peer, command, threads)
    try:
        r["load_s"] = float(other.ask("load " + case)[0])
        pids, start = (ours.p.pid, other.p.pid), time.perf_counter()
        before = processor_use(pids)
        a, b = compare(ours, other, o.rounds, o.settle)
        r["others"] = others(before, processor_use(pids), time.perf_counter() - start)
        r.update(summary(a, b))
        r["settings"] = " ".join(other.ask("settings"))
        r["percept_mib"], r["peer_mib"] = float(ours.ask("memory")[0]), float(other.ask("memory")[0])
        if o.check:
            r["difference"] = difference(ours, other)
            if not r["difference"] < TOLERANCE:
                raise Failure(f"{case}: {peer} differs by {r['difference']:.2g} of the RMS, more than {TOLERANCE:g}")
    finally:
        other.quit()
    q = r["ratio"]
    say(
        f"{case:24} {threads} threads  percept {statistics.median(r['percept_ms']):10.2f} ms  {TITLES[peer]:17} "
        f"{statistics.median(r['peer_ms']):10.2f} ms  ratio {q['median']:.2f} ({q['min']:.2f} – {q['max']:.2f})"
        + (f"  processor {r['cpu_ratio']['median']:.2f}" if "cpu_ratio" in r else "")
        + (f"  others {100 * r['others']:.0f} %" if r["others"] is not None else "")
        + (f"  difference {r['difference']:.1e}" if o.check else "")
    )
    return r


def machine(python):
    names = "torch", "diffusers", "transformers", "openvino", "onnxruntime", "numpy"
    code = "import importlib.metadata as m,json;print(json.dumps({n:m.version(n) for n in %r}))" % (names,)
    versions = json.loads(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout)
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), cpu)
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {"cpu": cpu, "cores": os.cpu_count(), "load": os.getloadavg()[0], "commit": commit, "versions": versions}


def write(o, python, results):
    if not hasattr(o, "machine"):
        o.machine = machine(python)
    path = o.out + ".json"
    with open(path + ".part", "w") as f:
        json.dump({"machine": o.machine, "rounds": o.rounds, "results": results}, f, indent=1)
        f.write("\n")
    os.replace(path + ".part", path)
    with open(o.out + ".md", "w") as f:
        f.write(table(o.machine, results))


def table(m, results):
    """Tables of Markdown: one row a case, for each peer its time, the ratio and its spread."""
    lines = [
        f"{m['cpu']}, {m['cores']} cores, commit {m['commit']}; " + ", ".join(f"{n} {v}" for n, v in m["versions"].items()) + ".",
        "Medians in ms; ratios are Percept's time over the peer's, the median of neighbouring runs (least – greatest): below 1",
        "Percept is ahead.",
    ]
    for product in (False, True):
        of = [r for r in results if r["case"].startswith("product-") == product]
        peers = list(dict.fromkeys(r["peer"] for r in of))
        if not of:
            continue
        head = ["case", "threads", "Percept"] + [t for p in peers for t in (TITLES[p], "ratio")]
        lines += ["", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for case, threads in dict.fromkeys((r["case"], r["threads"]) for r in of):
            row = {r["peer"]: r for r in of if (r["case"], r["threads"]) == (case, threads)}
            ours = [t for r in row.values() for t in r["percept_ms"]]
            cells = [case, str(threads), digits(statistics.median(ours))]
            for p in peers:
                if p not in row:
                    cells += ["", ""]
                    continue
                q = row[p]["ratio"]
                cells += [digits(statistics.median(row[p]["peer_ms"])), f"**{q['median']:.2f}** ({q['min']:.2f} – {q['max']:.2f})"]
            lines.append("| " + " | ".join(cells) + " |")
    busy = [r["others"] for r in results if r["others"] is not None]
    if busy:
        lines += ["", f"Other programs used {100 * statistics.median(busy):.0f} % of the processors meanwhile, at most {100 * max(busy):.0f} %."]
    memory = {}
    for r in results:
        if not r["case"].startswith("product-"):
            group = r["case"].rsplit("-", 1)[0]
            memory.setdefault(group, {}).setdefault("Percept", []).append(r["percept_mib"])
            memory[group].setdefault(TITLES[r["peer"]], []).append(r["peer_mib"])
    if memory:
        columns = list(dict.fromkeys(c for row in memory.values() for c in row))
        lines += ["", "Most resident memory of the process, GiB", "", "| model | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for group, row in memory.items():
            cells = [f"{max(row[c]) / 1024:.2f}" if c in row else "" for c in columns]
            lines.append(f"| {group} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def digits(ms):
    return f"{ms:.0f}" if ms >= 1000 else f"{ms:.3g}"


def numbers(text):
    return [int(t) for t in text.split(",")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="*", help="patterns of the cases to run, separated by commas: 'unet-*,product-64x*'")
    p.add_argument("--peers", default=",".join(TITLES), type=lambda s: s.split(","), help="default: %(default)s")
    p.add_argument("--rounds", type=int, default=5, help="runs of each program in turn (default %(default)s)")
    p.add_argument("--threads", type=numbers, default=[1, 2], help="numbers of threads for products (default 1,2)")
    p.add_argument("--model-threads", type=numbers, default=[2], help="numbers of threads for models, of those above (default 2)")
    p.add_argument("--settle", type=float, default=0.3, help="seconds of rest between two runs (default %(default)s)")
    p.add_argument("--check", action="store_true", help="also compare the results; weights and inputs are the same")
    p.add_argument("--algebra", action="store_true", help="run algebra.py afterwards: ridge regression and its parts")
    p.add_argument("--out", default="peers", help="writes OUT.json and OUT.md (default %(default)s)")
    p.add_argument("--python", help="a Python that has the peers, instead of an environment made from requirements.txt")
    p.add_argument("--percept", help="a built percept, instead of one built from this tree")
    o = p.parse_args()
    o.out = os.path.abspath(o.out)
    if unknown := set(o.peers) - set(TITLES):
        p.error(f"--peers: unknown {', '.join(unknown)}, expected some of {', '.join(TITLES)}")
    if not any(fnmatch.fnmatch(c, q) for c in MODELS + PRODUCTS for q in o.only.split(",")):
        p.error(f"--only {o.only}: fits none of {', '.join(MODELS + PRODUCTS)}")
    python = o.python or environment()
    percept = os.path.abspath(o.percept) if o.percept else build()
    try:
        results = measure(o, python, percept)
    except (Failure, subprocess.CalledProcessError) as e:
        sys.exit(f"peers: {e}")
    if results:
        print(table(o.machine, results), end="")
        say("written to", o.out + ".json and .md")
    algebra = os.path.join(HERE, "algebra.py")
    if o.algebra and os.path.exists(algebra):
        sys.exit(subprocess.run([python, algebra, "--python", python, "--percept", percept, "--out", o.out + "-algebra"]).returncode)


if __name__ == "__main__":
    main()
