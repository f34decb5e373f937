"""Runs the parts that compare.py asks for, where the peers are installed."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys

import against
import contrastive
import growth
import program
import torch


def main():
    parts, device, rounds, quick = sys.argv[1].split(","), sys.argv[2], int(sys.argv[3]), sys.argv[4:] == ["quick"]
    devices = [device] if device != "all" else ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    # What the peers have to say, in whichever language, is no part of the report.
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def write(text):
        print(text, file=report, flush=True)

    write(machine(devices))
    for device in devices:
        for part in ["value", "grad"]:
            if part in parts:
                write(against.times(part, device, rounds, quick))
        if "contrastive" in parts:
            write(contrastive.times(device, rounds, quick))
        if "overhead" in parts:
            write(against.overhead(device, rounds))
    if "growth" in parts:
        write(growth.growth(quick))


def machine(devices):
    lines = [
        f"{cpu()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads of PyTorch, {platform.system()}",
        *(torch.cuda.get_device_name() for device in devices if device == "cuda"),
        f"PyTorch {torch.__version__}, {version('pykeops', 'KeOps')}, Python {platform.python_version()}, {compiler()}",
        f"Unisphere {program.ask('devices')['unisphere']}",
    ]
    # PyTorch's threads wait for each other, and so for whatever else runs.
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5:
        lines.append(f"**other programs were running**: a load of {os.getloadavg()[0]:.1f} at the start")
    return "".join(f"- {line}\n" for line in lines)


def cpu():
    return program.ask("devices")["cpu"]["name"]


def version(package, name):
    try:
        return f"{name} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no {name}"


def compiler():
    for command in ["c++", "g++", "clang++"]:
        if shutil.which(command):
            done = subprocess.run([command, "--version"], stdout=subprocess.PIPE, check=False, encoding="utf-8")
            return done.stdout.splitlines()[0]
    return "no C++ compiler"


if __name__ == "__main__":
    main()
