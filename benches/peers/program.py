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


def uniformity(x, device):
    """Of given rows, through a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "x.npy")
        numpy.save(path, x)
        report = ask("eval", path, "--device", device)
    return report["uniformity"]["x"]
