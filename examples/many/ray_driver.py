#!/usr/bin/env python3
"""Computes the parts of a plan on a Ray cluster, and merges them.

    unisphere plan x.npy --parts 64 > run.plan
    python ray_driver.py run.plan parts --address auto --cpus 8 --max-memory 8G > report.json

A part whose node dies goes on at another node. If this driver dies: the same command again, which keeps what is done.
Nodes (Linux) see points, plan and parts under the same paths, and have the program in PATH and processors of one kind.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import ray


def compute(command, cpus):
    """Runs one part. Returns what no retry changes (0: done, 2: usage, 3: bad input), and raises for the rest."""
    # The part ends with its worker (setpriv), so that another worker can go on with it.
    command = ["setpriv", "--pdeathsig", "TERM", *command]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(cpus)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    text = (done.stdout + done.stderr).strip()
    if done.returncode in (0, 2, 3):
        return done.returncode, text
    time.sleep(10)
    raise RuntimeError(f"exit code {done.returncode}: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("plan")
    parser.add_argument("out", help="the folder of the parts")
    parser.add_argument("--address", help="the Ray cluster; without it, this machine alone")
    parser.add_argument("--cpus", type=int, default=1, help="of each part")
    parser.add_argument("--max-memory", default="4G", help="of each part")
    parser.add_argument("--retries", type=int, default=10, help="of each part")
    options = parser.parse_args()
    plan, out = os.path.abspath(options.plan), os.path.abspath(options.out)
    try:
        parts = json.load(open(plan))["parts"]
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"{plan} is no plan: {error}")

    ray.init(address=options.address)
    task = ray.remote(num_cpus=options.cpus, max_retries=options.retries, retry_exceptions=True)(compute)
    settings = ["--out", out, "--device", "cpu", "--max-memory", options.max_memory]
    commands = {part: ["unisphere", "part", plan, str(part), *settings] for part in range(1, parts + 1)}
    running = {task.remote(command, options.cpus): part for part, command in commands.items()}
    while running:
        [done], _ = ray.wait(list(running), num_returns=1)
        part = running.pop(done)
        try:
            code, text = ray.get(done)
        except ray.exceptions.RayError as error:
            code, text = 1, f"part {part} failed {options.retries + 1} times: {error}"
        print(text, file=sys.stderr)
        if code in (2, 3):
            sys.exit(code)
    # It says which parts are missing, if any: exit code 3.
    sys.exit(subprocess.call(["unisphere", "merge", plan, out, "--json"]))


if __name__ == "__main__":
    main()
