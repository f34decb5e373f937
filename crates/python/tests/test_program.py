"""The program: `python -m unisphere`, and the script."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import unisphere

PROGRAM = [sys.executable, "-m", "unisphere"]
SCRIPT = shutil.which("unisphere", path=str(Path(sys.executable).parent))


def run(*line, **options):
    return subprocess.run([*PROGRAM, *map(str, line)], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def files(pairs, tmp_path):
    for name, values in zip("xy", pairs):
        np.save(tmp_path / f"{name}.npy", values)
    return tmp_path / "x.npy", tmp_path / "y.npy"


def test_exit_codes(files):
    assert run("--version").stdout.startswith("unisphere ")
    done = run("eval", *files, "--json")
    assert (done.returncode, done.stderr) == (0, "") and json.loads(done.stdout)["rows"] == 60
    for line, code in [(["eval"], 2), (["eval", "nosuch.npy"], 3), (["eval", files[0], "--device", "nosuch"], 4)]:
        failed = run(*line)
        assert (failed.returncode, failed.stdout) == (code, "")
        assert failed.stderr.startswith("error: ") and "Traceback" not in failed.stderr


@pytest.mark.skipif(SCRIPT is None, reason="no script beside this Python")
def test_the_script_is_the_same(files):
    of_script = subprocess.check_output([SCRIPT, "eval", *files], text=True)
    assert of_script.splitlines()[6:] == run("eval", *files).stdout.splitlines()[6:]


def test_report_equals_the_programs(files, pairs):
    options = dict(t=[2.0, 0.5], tau=[0.1], sigmoid=[(10, -10)], candidates="views", full=True)
    line = ["--t", "2,0.5", "--tau", "0.1", "--sigmoid", "10,-10", "--candidates", "views", "--full", "--device", "cpu"]
    done = run("eval", *files, *line, "--json")
    want = json.loads(done.stdout)
    engine = unisphere.Engine("cpu")
    of_paths = engine.evaluate(*files, **options).to_dict()
    of_arrays = engine.evaluate(*pairs, **options).to_dict()
    assert list(of_paths) == list(want)
    for report in (want, of_paths, of_arrays):
        report.pop("seconds")
    assert of_paths == want
    assert of_arrays.pop("files") == {"x": "array", "y": "array"} and want.pop("files")
    assert of_arrays == want


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_an_interrupt_ends_it_of_its_signal(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(400_000, 8)).astype(np.float32))
    for number in (signal.SIGINT, signal.SIGTERM):
        program = subprocess.Popen(
            [*PROGRAM, "eval", str(tmp_path / "x.npy"), "--device", "cpu"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(1.5)
        program.send_signal(number)
        began = time.perf_counter()
        out, err = program.communicate(timeout=60)
        assert (program.returncode, out, err) == (-number, "", "interrupted\n")
        assert time.perf_counter() - began < 2


@pytest.mark.skipif(os.name != "posix", reason="pipes are those of POSIX")
def test_closed_pipes(files):
    full = f"{' '.join(PROGRAM)} --help | head -n 1; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", full], capture_output=True).returncode == 0
    line = " ".join([*PROGRAM, "eval", *map(str, files)])
    closed = subprocess.run(["bash", "-c", f"{line} >&-"], capture_output=True, text=True)
    assert closed.returncode == 1 and "stdout" in closed.stderr, closed
    broken = subprocess.run(["bash", "-c", f"{line} | true; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True)
    assert broken.returncode in (0, 1) and "Traceback" not in broken.stderr
