#!/usr/bin/env python3
"""Computes the parts of a plan on a Dask cluster, and merges them.

    dask scheduler                                               on one machine
    dask worker tcp://HOST:8786 --nworkers 1 --nthreads 1        on each: one part at a time, on all its cores
    unisphere plan x.npy --parts 64 > run.plan
    python dask_driver.py run.plan parts --scheduler tcp://HOST:8786 > report.json

A part whose worker dies goes on at another. If this driver dies: the same command again, which keeps what is done.
Machines (Linux) see points, plan and parts under the same paths, and have the program in PATH and processors of one kind.
"""
import argparse
import json
import os
import subprocess
import sys
import time

from distributed import Client, as_completed


def compute(command):
    """Runs one part. Returns what no retry changes (0: done, 2: usage, 3: bad input), and raises for the rest."""
    # The part ends with its worker (setpriv), so that another worker can go on with it.
    command = ["setpriv", "--pdeathsig", "TERM", *command]
    done = subprocess.run(command, capture_output=True, text=True)
    text = (done.stdout + done.stderr).strip()
    if done.returncode in (0, 2, 3):
        return done.returncode, text
    time.sleep(10)
    raise RuntimeError(f"exit code {done.returncode}: {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("plan")
    parser.add_argument("out", help="the folder of the parts")
    parser.add_argument("--scheduler", required=True, help="its address, such as tcp://HOST:8786")
    parser.add_argument("--max-memory", default="4G", help="of each part")
    parser.add_argument("--retries", type=int, default=10, help="of each part")
    options = parser.parse_args()
    plan, out = os.path.abspath(options.plan), os.path.abspath(options.out)
    try:
        parts = json.load(open(plan))["parts"]
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"{plan} is no plan: {error}")

    client = Client(options.scheduler)
    settings = ["--out", out, "--device", "cpu", "--max-memory", options.max_memory]
    commands = [["unisphere", "part", plan, str(part), *settings] for part in range(1, parts + 1)]
    running = client.map(compute, commands, pure=False, retries=options.retries)
    for done in as_completed(running):
        if done.status == "finished":
            code, text = done.result()
        else:
            code, text = 1, f"part {running.index(done) + 1} failed: {done.exception()}"
        print(text, file=sys.stderr)
        if code in (2, 3):
            sys.exit(code)
    # It says which parts are missing, if any: exit code 3.
    sys.exit(subprocess.call(["unisphere", "merge", plan, out, "--json"]))


if __name__ == "__main__":
    main()
