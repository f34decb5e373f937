"""The program, and the formulas in f64 that its numbers are held against."""

import json
import os
import subprocess

import numpy

PROGRAM = os.environ["UNISPHERE"]


def uniformity(x, t=2.0):
    """log mean exp(-t |x-x'|^2) over the pairs i < j of rows of unit length."""
    x = numpy.asarray(x, dtype="f8")
    x = x / numpy.linalg.norm(x, axis=1, keepdims=True)
    squares = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    return numpy.log(numpy.exp(-t * squares[numpy.triu_indices(len(x), 1)]).mean())


def alignment(x, y):
    """mean |x-y|^2 over the rows of both, at unit length."""
    x, y = (numpy.asarray(v, dtype="f8") for v in (x, y))
    x, y = (v / numpy.linalg.norm(v, axis=1, keepdims=True) for v in (x, y))
    return ((x - y) ** 2).sum(axis=1).mean()


def run(*arguments, stdin=None):
    """Exit code, report (None where there is none) and what was said."""
    command = [PROGRAM, "eval", *map(str, arguments), "--device", "cpu", "--json"]
    ended = subprocess.run(command, input=stdin, capture_output=True, check=False)
    report = json.loads(ended.stdout) if ended.returncode == 0 else None
    return ended.returncode, report, ended.stderr.decode()


def check(what, expected, *arguments, stdin=None):
    """That the uniformity of x is what the formula gives."""
    code, report, said = run(*arguments, stdin=stdin)
    assert code == 0, f"{what}: exit code {code}: {said}"
    found = report["uniformity"]["x"]
    assert abs(found - expected) < 2e-6, f"{what}: {found}, and {expected} is right"
    print(f"{what}: {found:.6f}")
    return report
