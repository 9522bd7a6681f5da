#!/usr/bin/env python3
"""Times the linear algebra of ridge regression in turn with NumPy and SciPy (OpenBLAS) and PyTorch (MKL).

The operations are those of `percept bench algebra`, at the size of a subject of NSD (--size makes them smaller): a Gram
matrix, a product, a Cholesky factor and triangular systems, in float32 and float64. Matrices are random; only times are
compared. It works as peers.py does: two loaded processes, A B B A …, and the ratio of neighbouring runs.
"""

import argparse
import fnmatch
import json
import os
import statistics
import subprocess
import sys
import time

from peers import Failure, Process, build, compare, digits, environment, machine, numbers, others, processor_use, say, summary

OPERATIONS = ["gram", "product", "cholesky", "solve-held", "solve-targets"]
CASES = [f"{o}-{e}" for e in ("float32", "float64") for o in OPERATIONS]
TITLES = {"numpy": "OpenBLAS (NumPy, SciPy)", "torch": "MKL (PyTorch)"}


def matrices(case, size):
    """The operands: x and y of a product, otherwise a triangle or positive definite matrix and right-hand sides."""
    import numpy as np

    operation, dtype = case.rsplit("-", 1)
    r = np.random.default_rng(0)
    n, p, targets, held = (max(1, int(v * size)) for v in (8859, 5000, 6400, 1772))

    def normal(rows, columns):
        return r.standard_normal((rows, columns), dtype=dtype)

    if operation == "gram":
        return (normal(n, p),)
    if operation == "product":
        return normal(n, p), normal(n, targets)
    x = normal(p, 64)
    g = x @ x.T / np.dtype(dtype).type(64 * p)
    g[np.diag_indices(p)] += 2
    if operation == "cholesky":
        return (g,)
    return g, normal(p, held if operation == "solve-held" else targets)


class NumPy:
    """numpy.matmul, which calls a symmetric rank-k update for xᵀx; SciPy on matrices in the order of LAPACK."""

    def __init__(self, threads):
        import numpy as np
        import scipy.linalg

        self.np, self.la = np, scipy.linalg

    def load(self, case, size):
        np, la = self.np, self.la
        m = matrices(case, size)
        if case.startswith("gram"):
            self.run = lambda: m[0].T @ m[0]
        elif case.startswith("product"):
            self.run = lambda: m[0].T @ m[1]
        elif case.startswith("cholesky"):
            g = np.asfortranarray(m[0])
            self.run = lambda: la.cholesky(g, lower=True, check_finite=False)
        else:
            l, b = np.asfortranarray(m[0]), np.asfortranarray(m[1])
            self.run = lambda: la.solve_triangular(l, b, lower=True, check_finite=False)


class Torch:
    """torch.matmul and torch.linalg, triangular systems on matrices in the order of LAPACK."""

    def __init__(self, threads):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)

    def load(self, case, size):
        torch = self.torch
        m = [torch.from_numpy(v) for v in matrices(case, size)]
        if case.startswith("gram"):
            self.run = lambda: m[0].T @ m[0]
        elif case.startswith("product"):
            self.run = lambda: m[0].T @ m[1]
        elif case.startswith("cholesky"):
            self.run = lambda: torch.linalg.cholesky(m[0])
        else:
            l, b = (v.T.contiguous().T for v in m)
            self.run = lambda: torch.linalg.solve_triangular(l, b, upper=False)


def serve(peer, threads, size):
    """Answers load, run, memory and quit, one line each, as worker.py does."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the libraries print must not mix with the answers
    library = {"numpy": NumPy, "torch": Torch}[peer](threads)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "quit":
            return
        if words[0] == "load":
            start = time.perf_counter()
            library.load(words[1], size)
            library.run()
            print("ok", f"{time.perf_counter() - start:.3f}", file=answers)
        elif words[0] == "run":
            library.run()
            walls, processors = [], []
            for _ in range(int(words[1])):
                wall, processor = time.perf_counter(), time.process_time()
                library.run()
                walls.append(time.perf_counter() - wall)
                processors.append(time.process_time() - processor)
            print("ms", 1000 * statistics.median(walls), 1000 * statistics.median(processors), file=answers)
        elif words[0] == "memory":
            peak = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM"))
            print("mib", peak // 1024, file=answers)
        else:
            print("error", "unknown command", words[0], file=answers)


def pair(o, python, percept, peer, case, threads):
    size = str(o.size)
    ours = Process("percept", [percept, "bench", "algebra", "--serve", "--size", size, "--threads", str(threads)], threads)
    other = Process(peer, [python, "algebra.py", "--serve", peer, "--size", size, "--threads", str(threads)], threads)
    try:
        ours.ask("load " + case)
        other.ask("load " + case)
        pids, start = (ours.p.pid, other.p.pid), time.perf_counter()
        before = processor_use(pids)
        a, b = compare(ours, other, o.rounds, o.settle)
        r = {"case": case, "threads": threads, "peer": peer, **summary(a, b)}
        r["others"] = others(before, processor_use(pids), time.perf_counter() - start)
        r["percept_mib"], r["peer_mib"] = float(ours.ask("memory")[0]), float(other.ask("memory")[0])
    finally:
        ours.quit()
        other.quit()
    q, c = r["ratio"], r["cpu_ratio"]
    say(
        f"{case:22} {threads} threads  percept {statistics.median(r['percept_ms']):9.2f} ms  {TITLES[peer]:24} "
        f"{statistics.median(r['peer_ms']):9.2f} ms  ratio {q['median']:.2f} ({q['min']:.2f} – {q['max']:.2f})  "
        f"processor {c['median']:.2f} ({c['min']:.2f} – {c['max']:.2f})"
        + (f"  others {100 * r['others']:.0f} %" if r["others"] is not None else "")
    )
    return r


def table(m, size, results):
    lines = [
        f"{m['cpu']}, {m['cores']} cores, commit {m['commit']}; numpy {m['versions']['numpy']}, torch {m['versions']['torch']}; size {size:g}.",
        "Medians in ms; ratios are Percept's time over the peer's, the median of neighbouring runs (least – greatest): below 1",
        "Percept is ahead. The second ratio is that of processor times.",
        "",
        "| operation | threads | peer | Percept | peer's | ratio | processor | others |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        q, c = r["ratio"], r["cpu_ratio"]
        lines.append(
            f"| {r['case']} | {r['threads']} | {TITLES[r['peer']]} | {digits(statistics.median(r['percept_ms']))} | "
            f"{digits(statistics.median(r['peer_ms']))} | **{q['median']:.2f}** ({q['min']:.2f} – {q['max']:.2f}) | "
            f"{c['median']:.2f} | " + (f"{100 * r['others']:.0f} % |" if r["others"] is not None else "|")
        )
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="*", help="patterns of the operations, separated by commas: 'gram-*,solve-*-float32'")
    p.add_argument("--peers", default=",".join(TITLES), type=lambda s: s.split(","), help="default: %(default)s")
    p.add_argument("--rounds", type=int, default=5, help="runs of each program in turn (default %(default)s)")
    p.add_argument("--threads", type=numbers, default=[1, 2], help="numbers of threads (default 1,2)")
    p.add_argument("--settle", type=float, default=0.3, help="seconds of rest between two runs (default %(default)s)")
    p.add_argument("--size", type=float, default=1, help="size of the matrices, as a part of NSD's (default %(default)s)")
    p.add_argument("--out", default="algebra", help="writes OUT.json and OUT.md (default %(default)s)")
    p.add_argument("--python", help="a Python that has NumPy, SciPy and PyTorch, instead of an environment made from requirements.txt")
    p.add_argument("--percept", help="a built percept, instead of one built from this tree")
    p.add_argument("--serve", choices=TITLES, help=argparse.SUPPRESS)
    o = p.parse_args()
    if o.serve:
        return serve(o.serve, o.threads[0], o.size)
    cases = [c for c in CASES if any(fnmatch.fnmatch(c, q) for q in o.only.split(","))]
    if not cases or set(o.peers) - set(TITLES):
        p.error(f"--only fits some of {', '.join(CASES)}; --peers are some of {', '.join(TITLES)}")
    out = os.path.abspath(o.out)
    python = o.python or environment()
    percept = os.path.abspath(o.percept) if o.percept else build()
    m, results = machine(python), []
    try:
        for threads in o.threads:
            for case in cases:
                for peer in o.peers:
                    results.append(pair(o, python, percept, peer, case, threads))
    except (Failure, subprocess.CalledProcessError) as e:
        sys.exit(f"algebra: {e}")
    with open(out + ".json", "w") as f:
        json.dump({"machine": m, "size": o.size, "rounds": o.rounds, "results": results}, f, indent=1)
        f.write("\n")
    with open(out + ".md", "w") as f:
        f.write(table(m, o.size, results))
    print(table(m, o.size, results), end="")


if __name__ == "__main__":
    main()
