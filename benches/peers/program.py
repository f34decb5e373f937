"""The program `unisphere`, as its users run it."""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = str(ROOT / "target" / "release" / ("unisphere.exe" if sys.platform == "win32" else "unisphere"))


def ask(*arguments):
    done = subprocess.run([PROGRAM, *arguments, "--json"], stdout=subprocess.PIPE, check=True, encoding="utf-8")
    return json.loads(done.stdout)


def bench(work, n, d, device, seconds=0.3):
    """Median seconds of a call, points being on the device; each value was checked before."""
    size = f"{n}x{d}"
    report = ask("bench", "--sizes", size, "--work", work, "--device", device, "--seconds", str(seconds))
    return report["results"][0]["seconds"]


def evaluate(sets, *options):
    """Of given rows, through files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(pathlib.Path(folder) / f"{number}.npy") for number in range(len(sets))]
        for path, rows in zip(paths, sets):
            numpy.save(path, rows)
        return ask("eval", *paths, *options)


def uniformity(x, device):
    return evaluate([x], "--device", device)["uniformity"]["x"]


def contrastive(x, y, tau, candidates, device):
    options = ["--tau", str(tau), "--candidates", candidates, "--device", device]
    return evaluate([x, y], *options)["contrastive"][0]["loss"]
