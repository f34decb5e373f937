"""Evaluations of large sets on a Ray cluster: the parts of a plan run as tasks and are merged, to the bits of one process.

    report = unisphere.ray.evaluate("x.npy", out="parts", parts=64, cpus=8)

The same on the command line: `python -m unisphere.ray run.plan parts --address auto --cpus 8 --max-memory 8G > report.json`
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import ray

from . import _native
from ._errors import InvalidInput, UnisphereError
from ._evaluate import several
from ._report import Report

__all__ = ["PartError", "evaluate"]

logger = logging.getLogger("unisphere.ray")

PARTS_PER_SLOT = 4
SECONDS_BEFORE_A_RETRY = 10
PLAN = "run.plan"

# Exit codes of a part that no retry changes.
DONE, USAGE, BAD_INPUT = 0, 2, 3

# The program in a process that ends with the one that started it (on Linux): another worker can then go on with its part.
PROGRAM_OF_A_WORKER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != int(os.environ["UNISPHERE_WORKER"]):
        sys.exit(143)
from unisphere.__main__ import main
main()
"""


class PartError(UnisphereError, RuntimeError):
    """Parts that failed, after their retries. What is finished is kept: the same call goes on with the rest."""


def evaluate(
    x: os.PathLike[str] | str,
    y: os.PathLike[str] | str | None = None,
    *,
    out: os.PathLike[str] | str,
    parts: int | None = None,
    t: float | Sequence[float] = (),
    alpha: float | None = None,
    raw: bool = False,
    across: bool = False,
    tau: float | Sequence[float] = (),
    candidates: Literal["both-ways", "one-way", "views"] | None = None,
    potentials: bool = False,
    cosines: bool = False,
    near: float | None = None,
    top: int | None = None,
    rows: os.PathLike[str] | str | None = None,
    address: str | None = None,
    cpus: int = 1,
    gpus: int = 0,
    max_memory: str = "4G",
    retries: int = 10,
    progress: bool | Callable[[int, int], object] = False,
) -> Report:
    """The report of one set, or of pairs, as `unisphere merge` makes it.

    x is the path of a plan, or of a set of any size, in a format that needs no option, then with y as its positive partners. Without
    a plan, one is made in the folder `out` with so many `parts`, by default four for each slot of the cluster or as many as
    it has blocks, and the options from t to near, which are those of `unisphere plan`. top and rows are those of `unisphere merge`.

    A part is a task, which takes `cpus` of a node and as many threads, with gpus=1 also one GPU, and at most max_memory. It is tried
    `retries` more times, at any node, where its node dies or it fails. Parts are files in `out`: they are kept, so that after
    the death of this process, or an exception, the same call goes on where they are. Nodes and this process see points, plan
    and `out` under the same paths, and have this package and processors of one kind, or GPUs.

    address is that of the cluster, where ray.init was not called before; None is $RAY_ADDRESS, or else this machine alone. progress
    shows a bar of parts, where tqdm is installed, or is called with the parts that are done, and all of them.

    Raises InvalidInput for arguments and files that the program refuses, and PartError for parts that failed to the end.
    """
    return _merged(**locals())


def _merged(
    *, x: Any, y: Any, out: Any, parts: int | None, address: str | None, cpus: int, gpus: int, max_memory: str,
    retries: int, progress: bool | Callable[[int, int], object], top: int | None, rows: Any, **plan_options: Any,
) -> Report:
    for path, name in ((x, "x"), (y, "y"), (out, "out"), (rows, "rows")):
        if not isinstance(path, (str, os.PathLike)) and not (path is None and name in ("y", "rows")):
            raise InvalidInput(f"{name} must be a path that all nodes see, and is {type(path).__name__}")
    if cpus < 1:
        raise InvalidInput(f"cpus must be at least 1, and is {cpus}")
    if retries < 0:
        raise InvalidInput(f"retries must be at least 0, and is {retries}")
    if top is not None and top < 1:
        raise InvalidInput(f"top must be at least 1, and is {top}")
    if gpus not in (0, 1):
        raise InvalidInput(f"gpus must be 0 or 1, and is {gpus}; a part takes one")
    began = not ray.is_initialized()
    if began:
        ray.init(address=address, logging_level=logging.WARNING)
    try:
        folder = os.path.abspath(os.fspath(out))
        os.makedirs(folder, exist_ok=True)
        plan = _planned(x, y, folder, parts, _slots(cpus, gpus), plan_options)
        _run_parts(plan, folder, cpus, gpus, max_memory, retries, progress)
    finally:
        if began:
            ray.shutdown()
    return Report(_native.merge(str(plan), folder, top, None if rows is None else os.fspath(rows)))


def _slots(cpus: int, gpus: int) -> int:
    """How many parts the cluster computes at once."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    of_cpus = [int(node.get("CPU", 0)) // cpus for node in nodes]
    if not any(of_cpus):
        raise InvalidInput(f"cpus is {cpus}, and no node has so many; give fewer")
    of_gpus = [int(node.get("GPU", 0)) for node in nodes]
    if gpus and not any(of_gpus):
        raise InvalidInput("gpus is 1, and no node has a GPU; give gpus=0")
    return sum(map(min, of_cpus, of_gpus) if gpus else of_cpus)


def _program(line: list[str]) -> str:
    """What the program prints. Its errors become exceptions."""
    done = subprocess.run([sys.executable, "-m", "unisphere", *line], capture_output=True, text=True)
    if done.returncode != 0:
        text = done.stderr.strip().removeprefix("error: ") or f"the program ended with exit code {done.returncode}"
        raise (InvalidInput if done.returncode in (USAGE, BAD_INPUT) else PartError)(f"{line[0]}: {text}")
    return done.stdout


def _is_plan(path: str) -> bool:
    """Whether a file is what `unisphere plan` prints: one object with parts and a sample of the points."""
    try:
        with open(path, "rb") as file:
            # Files of points are not read whole to find out.
            if file.read(1) != b"{" or os.path.getsize(path) > 16 << 20:
                return False
        known = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(known, dict) and {"unisphere", "parts", "sample"} <= set(known)


def _planned(x: Any, y: Any, folder: str, parts: int | None, slots: int, options: dict[str, Any]) -> Path:
    """The path of the plan: that which is given, or one in the folder that is made by the first call."""
    given = {name: value for name, value in options.items() if not (value is None or value is False or np.size(value) == 0)}
    if _is_plan(os.fspath(x)):
        extra = [*(["y"] if y is not None else []), *(["parts"] if parts is not None else []), *given]
        if extra:
            raise InvalidInput(f"{extra[0]} is said by the plan {os.fspath(x)}; leave it out, or give the points in the plan's place")
        return Path(os.path.abspath(os.fspath(x)))
    plan = Path(folder, PLAN)
    known = json.loads(plan.read_text(encoding="utf-8")) if _is_plan(str(plan)) else None
    line = ["plan", os.fspath(x)]
    line += [] if y is None else [os.fspath(y)]
    for name, value in given.items():
        if value is True:
            line.append(f"--{name}")
        else:
            line += [f"--{name}", value if isinstance(value, str) else ",".join(map(repr, several(value)))]
    try:
        text = _program([*line, "--parts", str(parts or (known["parts"] if known else slots * PARTS_PER_SLOT))])
    except InvalidInput as error:
        # A small set has fewer blocks than the cluster would take parts.
        most = re.search(r"--parts may be at most (\d+)", str(error))
        if parts is not None or most is None:
            raise
        text = _program([*line, "--parts", most[1]])
    if known is None:
        # Renamed when it is whole, so that no other call finds a part of it.
        unfinished = plan.with_suffix(f".{os.getpid()}")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(plan)
    elif json.loads(text) != known:
        raise InvalidInput(f"out has parts of another evaluation, by {plan}; give another folder, or remove this one")
    return plan


def _run_parts(
    plan: Path, folder: str, cpus: int, gpus: int, max_memory: str, retries: int,
    progress: bool | Callable[[int, int], object],
) -> None:
    count = json.loads(plan.read_text(encoding="utf-8"))["parts"]
    options = ["--out", folder, "--max-memory", max_memory]
    task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=retries, retry_exceptions=True)(_compute)
    running = {task.remote(["part", str(plan), str(part), *options], cpus, bool(gpus)): part for part in range(1, count + 1)}
    failed: dict[int, str] = {}
    told = _told(progress, count)
    try:
        while running:
            [ended], _ = ray.wait(list(running), num_returns=1)
            part = running[ended]
            try:
                code, text = ray.get(ended)
            except ray.exceptions.RayError as error:
                # An exception of the task is the cause of Ray's, whose own text is a traceback.
                failed[part] = str(getattr(error, "cause", None) or error).strip()
                logger.error(f"part {part} failed {retries + 1} times: {failed[part]}")
            else:
                if code != DONE:
                    raise InvalidInput(f"part {part}: {text.removeprefix('error: ')}")
                logger.info(text)
            del running[ended]
            told(count - len(running) - len(failed), count)
    finally:
        # Parts of a call that ends early: their workers are killed, and they with them.
        for one in running:
            ray.cancel(one, force=True)
        told(-1, count)
    if failed:
        names, last = ", ".join(map(str, failed)), list(failed.values())[-1]
        raise PartError(
            f"{len(failed)} of {count} parts failed {retries + 1} times: {names}. The last: {last}. "
            "Call evaluate again: what is finished is kept"
        )


def _compute(line: list[str], cpus: int, on_gpu: bool) -> tuple[int, str]:
    """Runs one part at a worker. Returns what no retry changes, and raises for the rest."""
    environment = {**os.environ, "RAYON_NUM_THREADS": str(cpus), "UNISPHERE_WORKER": str(os.getpid())}
    device = _gpu(int(ray.get_gpu_ids()[0])) if on_gpu else "cpu"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM_OF_A_WORKER, *line, "--device", device], env=environment, capture_output=True, text=True
    )
    text = (done.stdout + done.stderr).strip()
    if done.returncode in (DONE, USAGE, BAD_INPUT):
        return done.returncode, text
    # Another process may write this part still, or the disk may recover.
    time.sleep(SECONDS_BEFORE_A_RETRY)
    raise RuntimeError(f"exit code {done.returncode}: {text}")


def _gpu(place: int) -> str:
    """The index of a node's GPU by Ray's number: the devices of the program without the software ones."""
    devices = json.loads(_program(["devices", "--json"]))["adapters"]
    real = [device["index"] for device in devices if device["kind"] != "software"]
    if not real:
        raise RuntimeError("the node has a GPU for Ray, and none for Vulkan, Metal or DX12; install its driver")
    return str(real[place % len(real)])


def _told(progress: bool | Callable[[int, int], object], count: int) -> Callable[[int, int], object]:
    """A function that tells how many parts are done; −1 ends it."""
    if callable(progress):
        return lambda done, total: None if done < 0 else progress(done, total)
    if progress:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return lambda done, total: None
        bar = tqdm(total=count, unit="part")
        return lambda done, total: bar.close() if done < 0 else bar.update(done - bar.n)
    return lambda done, total: None


def main() -> None:
    """The command line: runs a plan, prints the report, and ends with the program's exit codes."""
    parser = argparse.ArgumentParser(
        prog="python -m unisphere.ray", description="Computes the parts of a plan on a Ray cluster, and prints their report as JSON."
    )
    parser.add_argument("plan", help="what `unisphere plan` has printed")
    parser.add_argument("out", help="the folder of the parts")
    parser.add_argument("--address", help="the Ray cluster; without it $RAY_ADDRESS, or else this machine alone")
    parser.add_argument("--cpus", type=int, default=1, help="of each part")
    parser.add_argument("--gpus", type=int, default=0, help="1: each part takes a GPU")
    parser.add_argument("--max-memory", default="4G", help="of each part")
    parser.add_argument("--retries", type=int, default=10, help="of each part")
    options = vars(parser.parse_args())
    plan = options.pop("plan")
    if not _is_plan(plan):
        parser.error(f"{plan} is no plan; `unisphere plan` prints one")
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logger.setLevel(logging.INFO)
    try:
        # Ray tells of nodes and tasks on stdout, which is the report's.
        with contextlib.redirect_stdout(sys.stderr):
            report = _merged(x=plan, y=None, parts=None, top=None, rows=None, progress=False, **options)
        print(json.dumps(report.to_dict()))
    except UnisphereError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT if isinstance(error, InvalidInput) else 1)


if __name__ == "__main__":
    # Tasks are functions of the module by its name: as __main__, Ray would copy them.
    from unisphere.ray import main as of_module

    of_module()
