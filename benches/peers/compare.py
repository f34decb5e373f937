#!/usr/bin/env python3
"""Unisphere beside PyTorch and KeOps: the same values, timed in alternation in one run.

    benches/peers/compare.py                      everything, on the CPU and on CUDA where there is one
    benches/peers/compare.py --only value,growth  some parts of it
    benches/peers/compare.py --quick              small sets, to see whether all of it runs

Takes Rust, a C++ compiler (for KeOps and torch.compile; what fails without one says so) and Python 3.10 or newer. PyTorch
and KeOps are installed by pip into target/peers, a private environment of several gigabytes, at the first run. The tables
go to stdout and to --out.

Inside the timed blocks: of the peers, their formula on unit rows in memory; of Unisphere, its call on points that are
uploaded, as `unisphere bench` times it. Every figure is a median of rounds, in each of which everybody runs once, and a
ratio the median of the rounds' ratios. What takes more than five seconds runs once.
"""

import argparse
import pathlib
import subprocess
import sys
import venv

from choice import some_of

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PRIVATE = ROOT / "target" / "peers"
PARTS = ["value", "grad", "contrastive", "overhead", "growth"]


def main():
    arguments = parse()
    python = sys.executable if arguments.here else environment()
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "unisphere-cli"], cwd=ROOT, check=True)
    report = [python, HERE / "report.py", ",".join(arguments.only), arguments.device, str(arguments.rounds)]
    tables = run(report + (["quick"] if arguments.quick else []))
    if arguments.out:
        command = " ".join(["benches/peers/compare.py", *sys.argv[1:]])
        arguments.out.write_text(f"# Unisphere and its peers\n\nWritten by `{command}`.\n\n{tables}", "utf-8")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=some_of(PARTS), default=PARTS, help=f"some of {','.join(PARTS)}")
    parser.add_argument("--device", choices=["all", "cpu", "cuda"], default="all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small sets")
    parser.add_argument("--here", action="store_true", help="use this Python's own packages, and install nothing")
    parser.add_argument("--out", type=pathlib.Path, help="a Markdown file to write the tables to")
    return parser.parse_args()


def environment():
    """A Python that has the peers. Where KeOps cannot be installed, its rows say that it is missing."""
    python = PRIVATE / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(PRIVATE, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "torch", "numpy", "setuptools"], check=True)
    subprocess.run([*pip, "pykeops"], check=False)
    return python


def run(command):
    """What it prints, and prints it."""
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0:
        sys.exit(process.returncode)
    return "".join(lines)


if __name__ == "__main__":
    main()
