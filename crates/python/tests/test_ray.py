"""Parts on Ray: the bits of one process, whatever is killed. scripts/test-many-ray has three nodes."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import unisphere

ray = pytest.importorskip("ray", reason="scripts/test-python-clients installs it")

import unisphere.ray  # noqa: E402

DRIVER = """
import json, sys, ray, unisphere.ray
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
report = unisphere.ray.evaluate(sys.argv[1], out=sys.argv[2], parts=6, max_memory="1G",
                                progress=lambda done, total: print(done, total, flush=True))
print(json.dumps(report.to_dict()))
"""


@pytest.fixture(scope="module")
def cluster():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, logging_level="ERROR", log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def paths(pairs, tmp_path):
    for name, values in zip("xy", pairs):
        np.save(tmp_path / f"{name}.npy", np.tile(values, (50, 4)) + 0.01 * np.random.default_rng(2).normal(size=(3000, 48)))
    return tmp_path / "x.npy", tmp_path / "y.npy"


def of_one_process(*paths, options=()):
    line = [sys.executable, "-m", "unisphere", "eval", *map(str, paths), "--max-memory", "1G", "--device", "cpu", "--json", *options]
    return json.loads(subprocess.check_output(line, stderr=subprocess.DEVNULL))


def values(report):
    """The numbers, bit for bit, without how they were computed."""
    known = report if isinstance(report, dict) else report.to_dict()
    return [known.get(name) for name in ("rows", "dims", "alignment", "uniformity", "sweep")]


def test_bits_are_those_of_one_process(cluster, paths, tmp_path, caplog):
    told = []
    options = {"out": tmp_path / "parts", "parts": 3, "t": [2.0, 0.5], "alpha": 1.0, "max_memory": "1G"}
    with caplog.at_level("INFO", "unisphere.ray"):
        report = unisphere.ray.evaluate(*paths, **options, progress=lambda done, total: told.append((done, total)))
    want = of_one_process(*paths, options=["--t", "2,0.5", "--alpha", "1"])
    assert values(report) == values(want) and report.work.parts == 3
    assert told == [(1, 3), (2, 3), (3, 3)] and len(caplog.messages) == 3
    caplog.clear()
    with caplog.at_level("INFO", "unisphere.ray"):
        again = unisphere.ray.evaluate(*paths, **{**options, "parts": None})
    # The plan of the first call says how many; nothing is computed twice.
    assert values(again) == values(report) and len(caplog.messages) == 3
    assert all("1 block, 1 of them from an earlier run" in line for line in caplog.messages)
    assert not [name for name in os.listdir(tmp_path / "parts") if name != "run.plan" and not name.endswith(".journal")]


def test_plans_and_merge_options(cluster, paths, tmp_path):
    plan = tmp_path / "a.plan"
    plan.write_text(subprocess.check_output(
        [sys.executable, "-m", "unisphere", "plan", *map(str, paths), "--parts", "2", "--potentials"], text=True
    ))
    report = unisphere.ray.evaluate(plan, out=tmp_path / "parts", max_memory="1G", top=3, rows=tmp_path / "rows.npy")
    want = of_one_process(*paths, options=["--top", "3"])
    assert values(report) == values(want) and np.load(tmp_path / "rows.npy").shape[0] == 3000
    assert report.offenders.crowded.x[0].row == want["offenders"]["crowded"]["x"][0]["row"]
    assert "<html" in report.to_html() and "from 2 parts" in str(report)
    line = [sys.executable, "-m", "unisphere.ray", str(plan), str(tmp_path / "others"), "--max-memory", "1G"]
    # A process of its own has a cluster of its own.
    printed = subprocess.run(line, capture_output=True, text=True, timeout=300, env={**os.environ, "RAY_ADDRESS": "local"})
    assert printed.returncode == 0, printed.stderr
    assert values(json.loads(printed.stdout)) == values(report) and printed.stderr.count("part ") >= 2


def test_bad_arguments_are_told(cluster, paths, tmp_path):
    x, y = paths
    out = tmp_path / "parts"
    for arguments, options, words in [
        ((np.eye(3),), {}, "x must be a path"),
        ((tmp_path / "nosuch.npy",), {}, "nosuch.npy"),
        ((x,), {"cpus": 0}, "cpus must be at least 1"),
        ((x,), {"cpus": 64}, "cpus is 64, and no node has so many"),
        ((x,), {"gpus": 1}, "no node has a GPU; give gpus=0"),
        ((x,), {"t": -1.0}, "--t"),
        ((x,), {"parts": 1, "max_memory": "lots"}, "part 1: .*lots"),
    ]:
        with pytest.raises(unisphere.InvalidInput, match=words):
            unisphere.ray.evaluate(*arguments, out=out / words[:9].strip(), **options)
    unisphere.ray.evaluate(x, out=out, parts=1, max_memory="1G")
    with pytest.raises(unisphere.InvalidInput, match="out has parts of another evaluation"):
        unisphere.ray.evaluate(x, y, out=out, max_memory="1G")
    with pytest.raises(unisphere.InvalidInput, match="t is said by the plan"):
        unisphere.ray.evaluate(out / "run.plan", out=out, t=1.0)


def test_parts_that_fail_are_named_and_the_rest_is_kept(cluster, paths, tmp_path, caplog):
    out = tmp_path / "parts"
    out.mkdir()
    with open(out / "part-2-of-3.journal", "w") as file:
        # As another process does that writes this part.
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(unisphere.ray.PartError, match=r"1 of 3 parts failed 1 times: 2\. .*exit code 5.*Call evaluate again"):
            unisphere.ray.evaluate(*paths, out=out, parts=3, max_memory="1G", retries=0)
    caplog.clear()
    with caplog.at_level("INFO", "unisphere.ray"):
        report = unisphere.ray.evaluate(*paths, out=out, max_memory="1G")
    assert values(report) == values(of_one_process(*paths))
    assert sorted("1 of them from" in line for line in caplog.messages) == [False, True, True]


def test_gpus_are_those_of_the_program(monkeypatch):
    """Ray counts GPUs, and the program its adapters, of which some are software."""
    kinds = ["software", "discrete", "discrete"]
    adapters = [{"index": index, "kind": kind} for index, kind in enumerate(kinds)]
    monkeypatch.setattr(unisphere.ray, "_program", lambda line: json.dumps({"adapters": adapters}))
    assert [unisphere.ray._gpu(place) for place in (0, 1)] == ["1", "2"]
    monkeypatch.setattr(unisphere.ray, "_program", lambda line: json.dumps({"adapters": adapters[:1]}))
    with pytest.raises(RuntimeError, match="none for Vulkan, Metal or DX12"):
        unisphere.ray._gpu(0)


def test_a_small_set_has_as_many_parts_as_blocks(cluster, paths, tmp_path):
    report = unisphere.ray.evaluate(paths[0], out=tmp_path / "parts", max_memory="1G")
    assert report.work.parts == 1 and values(report) == values(of_one_process(paths[0]))


def wait_until_parts_end(folder):
    """Waits until no process computes a part of a folder."""
    began = time.monotonic()
    while subprocess.run(["pgrep", "-f", f"part .*{folder}"], capture_output=True).returncode == 0:
        assert time.monotonic() < began + 60
        time.sleep(0.1)


@pytest.fixture
def large(tmp_path):
    """The path of a set that takes seconds."""
    np.save(tmp_path / "x.npy", np.random.default_rng(4).normal(size=(40_000, 64)).astype(np.float32))
    return tmp_path / "x.npy"


def test_an_interrupt_ends_the_parts(cluster, large, tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unisphere.ray.evaluate(large, out=tmp_path / "parts", parts=6, max_memory="1G", progress=interrupt)
    wait_until_parts_end(tmp_path)
    journals = [name for name in os.listdir(tmp_path / "parts") if name.endswith(".journal")]
    assert 1 <= len(journals) < 6


def test_a_killed_driver_can_be_started_again(large, tmp_path):
    line = [sys.executable, "-c", DRIVER, str(large), str(tmp_path / "parts")]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "local"}
    driver = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment)
    assert driver.stdout.readline() == "1 6\n"
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    wait_until_parts_end(tmp_path)
    told = subprocess.check_output(line, text=True, env=environment, timeout=300).splitlines()
    report = json.loads(told[-1])
    assert values(report) == values(of_one_process(large))
    assert report["work"]["blocks_recovered"] > 0 and told[:-1] == [f"{done} 6" for done in range(1, 7)]
