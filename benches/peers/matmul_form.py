"""Unisphere on the CPU against PyTorch's matrix form of uniformity, in alternation, values compared first.

    cargo build --release
    python benches/peers/matmul_form.py 8192x768 8192x128      (needs torch and numpy)

Inside the timed block: of PyTorch the formula on unit rows in memory; of Unisphere what `eval --json` reports as
seconds, which is the same and the upload and scaling of the rows. Medians of seven.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import torch

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")
PROGRAM = os.path.join(ROOT, "target", "release", "unisphere")
RUNS = 7
T = 2.0


@torch.no_grad()
def theirs(x):
    n = len(x)
    start = time.perf_counter()
    value = torch.log((torch.exp(-T * (2 - 2 * x @ x.T)).sum() - n) / (n * (n - 1))).item()
    return value, time.perf_counter() - start


def ours(path):
    command = [PROGRAM, "eval", path, "--t", str(T), "--device", "cpu", "--json"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return report["uniformity"]["x"], report["seconds"], report["device"]["name"]


def measure(n, d, folder):
    generator = torch.Generator().manual_seed(0)
    x = torch.nn.functional.normalize(torch.randn(n, d, generator=generator), dim=1)
    path = os.path.join(folder, "x.npy")
    numpy.save(path, x.numpy())
    (value, _), (other, _, device) = theirs(x), ours(path)
    assert abs(value - other) < 1e-4, f"PyTorch says {value}, Unisphere {other}"
    pairs = [(theirs(x)[1], ours(path)[1]) for _ in range(RUNS)]
    torch_median, our_median = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"| {n} × {d} | {torch_median:.3f} s | {our_median:.3f} s | {ratio:.1f} |", flush=True)
    return device


def main():
    sizes = [tuple(map(int, size.split("x"))) for size in sys.argv[1:] or ["8192x768", "8192x128"]]
    print(f"| value, n × d | PyTorch {torch.__version__.split('+')[0]} | Unisphere | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        device = [measure(n, d, folder) for n, d in sizes][-1]
    print(f"\n{device}, {os.cpu_count()} cores, {platform.system()}, {torch.get_num_threads()} threads of PyTorch")


if __name__ == "__main__":
    main()
