#!/usr/bin/env python3
"""Times ridge regression with cross-validated penalties in turn with himalaya's RidgeCV (torch backend, CPU).

X and Y are random with a planted signal: features are mixtures of a few sources and of noise, as neighbouring voxels
are, all of variance 1, and targets depend on them with different strengths. Both programs read the same two files, take
X as it is, fit an intercept and choose the penalty of every target from a grid by the mean squared error of contiguous
folds, in float32. Every run is a process of its own, so that its peak memory is that of one fit with its data; the time
is that of the fit alone. Chosen penalties and scores are compared.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from peers import Failure, build, environment, others, processor_use, say


def problem(o, folder):
    """Writes x.f32 and y.f32 in slabs."""
    import numpy as np

    r = np.random.default_rng(0)
    n, p, t = o.samples, o.features, o.targets
    sources = max(8, p // 20)
    mix = r.standard_normal((sources, p), dtype="f4") * (np.arange(1, sources + 1, dtype="f4") ** -0.5)[:, None]
    deviation = np.sqrt((mix**2).sum(0) + 1)
    hidden = max(8, p // 10)
    read = r.standard_normal((p, hidden), dtype="f4") / np.sqrt(p, dtype="f4")
    write = r.standard_normal((hidden, t), dtype="f4") * np.logspace(-1.5, 0.5, t, dtype="f4")
    with open(os.path.join(folder, "x.f32"), "wb") as xs, open(os.path.join(folder, "y.f32"), "wb") as ys:
        for start in range(0, n, 1000):
            rows = min(1000, n - start)
            x = r.standard_normal((rows, sources), dtype="f4") @ mix + r.standard_normal((rows, p), dtype="f4")
            x /= deviation  # as standardised responses are
            y = x @ read @ write / np.sqrt(hidden, dtype="f4") + r.standard_normal((rows, t), dtype="f4") + 0.5
            x.tofile(xs)
            y.tofile(ys)


def himalaya(o, folder):
    """Fits once and prints a line of JSON, as `percept bench ridge --json` writes it."""
    import numpy as np
    import torch
    from himalaya.backend import set_backend
    from himalaya.ridge import RidgeCV

    torch.set_num_threads(o.threads)
    backend = set_backend(o.backend)
    x = np.fromfile(os.path.join(folder, "x.f32"), "f4").reshape(o.samples, o.features)
    y = np.fromfile(os.path.join(folder, "y.f32"), "f4").reshape(o.samples, o.targets)
    model = RidgeCV(alphas=np.logspace(0, 6, o.penalties), cv=o.folds, fit_intercept=True, solver_params={"warn": False})
    start, processor = time.perf_counter(), time.process_time()
    model.fit(backend.asarray(x), backend.asarray(y))
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    out = [np.asarray(backend.to_numpy(v), dtype="f8") for v in (model.best_alphas_, model.cv_scores_)]
    np.concatenate(out).tofile(os.path.join(folder, "himalaya.f64"))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "processor_seconds": processor, "max_rss": rss}))


def run(o, name, command, folder):
    env = dict(os.environ, OMP_NUM_THREADS=str(o.threads), OPENBLAS_NUM_THREADS=str(o.threads), MKL_NUM_THREADS=str(o.threads))
    start, before = time.perf_counter(), processor_use([])
    done = subprocess.run(command, env=env, cwd=os.path.dirname(os.path.abspath(__file__)), capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{name}: {done.stderr.strip()[-2000:]}")
    path = os.path.join(folder, "percept.json")
    result = json.load(open(path)) if name == "percept" else json.loads(done.stdout.strip().splitlines()[-1])
    wall, after = time.perf_counter() - start, processor_use([])
    if before and after:  # of the whole machine, less the child's
        child = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = child.ru_utime + child.ru_stime
        result["others"] = max(0.0, (after[0] - before[0] - (used - run.used)) / (wall * os.cpu_count()))
        run.used = used
    say(f"{name:9} {result['seconds']:8.2f} s  processor {result['processor_seconds']:8.2f} s  most memory {result['max_rss'] / 2**30:.2f} GiB"
        + (f"  others {100 * result['others']:.0f} %" if "others" in result else ""))
    return result


run.used = 0.0


def compare(o, folder):
    """The share of targets with the same penalty, and the largest difference of scores over their spread."""
    import array

    lists = []
    for name in ("percept", "himalaya"):
        a = array.array("d")
        with open(os.path.join(folder, name + ".f64"), "rb") as f:
            a.frombytes(f.read())
        lists.append((a[: o.targets], a[o.targets :]))
    (a, s), (b, u) = lists
    same = sum(abs(x - y) < 1e-3 * y for x, y in zip(a, b)) / o.targets
    worst = max(abs(x - y) / max(abs(y), 1e-6) for x, y in zip(s, u))
    return same, worst


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--samples", type=int, default=8859)
    p.add_argument("--features", type=int, default=5000)
    p.add_argument("--targets", type=int, default=6400)
    p.add_argument("--folds", type=int, default=5)
    p.add_argument("--penalties", type=int, default=10, help="from 1 to 10⁶ in equal ratios (default %(default)s)")
    p.add_argument("--size", type=float, default=1, help="takes this part of samples, features and targets")
    p.add_argument("--rounds", type=int, default=1, help="runs of each program (default %(default)s)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--backend", default="torch", choices=["torch", "numpy"], help="of himalaya")
    p.add_argument("--only", choices=["percept", "himalaya"], help="runs one of them")
    p.add_argument("--out", default="ridge", help="writes OUT.json (default %(default)s)")
    p.add_argument("--python", help="a Python that has himalaya and PyTorch, instead of an environment made from requirements.txt")
    p.add_argument("--percept", help="a built percept, instead of one built from this tree")
    p.add_argument("--fit", help=argparse.SUPPRESS)
    p.add_argument("--write", help=argparse.SUPPRESS)
    o = p.parse_args()
    if o.fit:
        return himalaya(o, o.fit)
    if o.write:
        return problem(o, o.write)
    out = os.path.abspath(o.out)
    o.samples, o.features, o.targets = (max(10, int(v * o.size)) for v in (o.samples, o.features, o.targets))
    python = o.python or environment()
    percept = os.path.abspath(o.percept) if o.percept else build()
    size = [f"--{k}={getattr(o, k)}" for k in ("samples", "features", "targets", "folds", "penalties")]
    results = {"percept": [], "himalaya": []}
    try:
        with tempfile.TemporaryDirectory() as folder:
            script = [python, os.path.abspath(__file__), *size, f"--threads={o.threads}", f"--backend={o.backend}"]
            subprocess.run([*script, "--write", folder], check=True, cwd=os.path.dirname(os.path.abspath(__file__)))
            commands = {
                "percept": [percept, "bench", "ridge", *size, "--data", folder, "--json", os.path.join(folder, "percept.json"), "--threads", str(o.threads)],
                "himalaya": [*script, "--fit", folder],
            }
            for i in range(o.rounds):
                for name in list(commands)[:: 1 if i % 2 == 0 else -1]:
                    if o.only in (None, name):
                        results[name].append(run(o, name, commands[name], folder))
            if not o.only:
                same, worst = compare(o, folder)
    except (Failure, subprocess.CalledProcessError) as e:
        sys.exit(f"ridge: {e}")
    summary = {k: getattr(o, k) for k in ("samples", "features", "targets", "folds", "penalties", "threads", "backend")}
    summary.update(results)
    if not o.only:
        pairs = list(zip(results["percept"], results["himalaya"]))
        for key in ("seconds", "processor_seconds"):
            summary["ratio_" + key] = statistics.median(a[key] / b[key] for a, b in pairs)
        summary.update(same_penalty=same, score_difference=worst)
        print(f"ratio {summary['ratio_seconds']:.3f} by the clock, {summary['ratio_processor_seconds']:.3f} by processor time; "
              f"same penalty for {100 * same:.2f} % of targets, scores differ by {worst:.1e} at most (relative)")
    with open(out + ".json", "w") as f:
        json.dump(summary, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
