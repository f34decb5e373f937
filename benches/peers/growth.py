"""Time and memory against n, at d = 128."""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

import forms
import numpy
import program
from markdown import seconds, size, table

D = 128
SIZES = [1000, 3162, 10_000, 31_623, 100_000]
# The matrix form holds several n × n matrices: 1.6 GB each, at 20,000.
MATRIX = [1000, 3162, 10_000, 20_000]
HERE = pathlib.Path(__file__).resolve().parent


def growth(quick):
    ours, theirs = (SIZES[:3], MATRIX[:2]) if quick else (SIZES, MATRIX)
    times = {n: program.bench("uniformity", n, D, "cpu") for n in ours}
    peers = {n: matrix_form(n) for n in [2, *theirs]}
    baseline = peers.pop(2)[1]
    rows = []
    for n in sorted({*ours, *theirs}):
        unisphere = [seconds(times[n]), size(peak_of_eval(n))] if n in times else ["", ""]
        torch = [seconds(peers[n][0]), size(peers[n][1])] if n in peers else ["", ""]
        rows.append([f"{n:,}", size(4 * n * D), *unisphere, *torch])
    head = ["n", "points", "Unisphere", "its peak memory", "PyTorch matmul", "its peak memory"]
    exponents = f"Unisphere's time grows with n to the power {exponent(times):.2f}"
    if len(peers) > 1:
        exponents += f", PyTorch's with {exponent({n: both[0] for n, both in peers.items()}):.2f}"
    idle = size(watched([program.PROGRAM, "--version"])["peak"])
    note = f"{exponents}. {idle} is the least that can be seen; PyTorch holds {size(baseline)} before it begins."
    return f"### Growth of the value, d = {D}, cpu\n\n{table(head, rows)}\n{note}\n"


def exponent(times):
    """The slope of the least squares line through the logarithms."""
    x, y = [math.log(n) for n in times], [math.log(t) for t in times.values()]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    return covariance / sum((a - mean_x) ** 2 for a in x)


def peak_of_eval(n):
    """Bytes that the program takes from a file to its value."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "x.npy")
        numpy.save(path, forms.points(n, D, "cpu").numpy())
        return watched([program.PROGRAM, "eval", path, "--device", "cpu", "--json"])["peak"]


def matrix_form(n):
    """Seconds of a run, and bytes of a process that does nothing else."""
    done = watched([sys.executable, str(HERE / "growth.py"), str(n)])
    return float(done["output"]), done["peak"]


def watched(command):
    done = subprocess.run([sys.executable, str(HERE / "peak.py"), *command], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def one_run(n):
    from rounds import observe

    x = forms.points(n, D, "cpu")
    forms.value("matmul", x)
    print(observe(lambda: forms.value("matmul", x), "cpu"))


if __name__ == "__main__":
    one_run(int(sys.argv[1]))
