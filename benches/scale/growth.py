#!/usr/bin/env python3
"""Time against the number of rows: all pairs, and estimates to ±1e-4 and to ±1e-3.

    benches/scale/growth.py                      the table to stdout, and the plot to docs/growth.svg
    benches/scale/growth.py --large large.npy    with the set that make.py made before, in place of another one
    benches/scale/growth.py --rows 1000,3000 --plot growth.svg

Rows are those of make.py, which needs numpy; smaller sets are the first rows of the largest. Every time is that of the whole
program, from its start to its report, reading included, and the smallest of two runs. Values of all pairs are computed up to
--exact-up-to rows, once where that takes more than a minute; what they take beyond that is extrapolated by n². The program is
$UNISPHERE, else target/release/unisphere.
"""

import argparse
import ast
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAM = os.environ.get("UNISPHERE", ROOT / "target" / "release" / "unisphere")

TOLERANCES = ["1e-4", "1e-3"]
# The colours are seen on white and on black.
COLOURS = {"all pairs": "#d9702b", "±1e-4": "#3d87d6", "±1e-3": "#2f9e6e"}
RUNS, SECONDS_FOR_ONE_RUN = 2, 60


def main():
    arguments = parse()
    sizes = sorted(int(rows) for rows in arguments.rows.split(","))
    times, shares, extrapolated = {name: {} for name in COLOURS}, {}, {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        folder = pathlib.Path(folder)
        large = arguments.large or made(sizes[-1], folder / "large.npy")
        for rows in sizes:
            x = first_rows(large, rows, folder / "x.npy")
            print(f"{rows:,} rows", file=sys.stderr, flush=True)
            for tolerance in TOLERANCES:
                name = f"±{tolerance}"
                times[name][rows], report = timed(x, arguments.device, "--tolerance", tolerance)
                shares[name, rows] = report["estimates"][0]["estimate"]["share"]
            if rows <= arguments.exact_up_to:
                times["all pairs"][rows], _ = timed(x, arguments.device, "--max-memory", arguments.memory)
            elif times["all pairs"]:
                longest = max(times["all pairs"])
                extrapolated[rows] = times["all pairs"][longest] * (rows / longest) ** 2
    print(table(sizes, times, shares, extrapolated))
    pathlib.Path(arguments.plot).write_text(plot(times, extrapolated), encoding="utf-8")


def parse():
    summary, rest = __doc__.split("\n", 1)
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=summary, epilog=rest, formatter_class=form)
    parser.add_argument("--rows", default="10000,30000,100000,300000,1000000", help="numbers of rows [%(default)s]")
    parser.add_argument("--exact-up-to", type=int, default=100_000, metavar="ROWS", help="[%(default)s]")
    parser.add_argument("--large", type=pathlib.Path, metavar="FILE", help="a set by make.py of at least as many rows")
    parser.add_argument("--plot", default=ROOT / "docs" / "growth.svg", metavar="FILE", help="[docs/growth.svg]")
    parser.add_argument("--device", default="cpu", help="as for eval [%(default)s]")
    parser.add_argument("--memory", default="4G", help="of all pairs, as --max-memory for eval [%(default)s]")
    parser.add_argument("--folder", help="for the sets, up to 1.5 GB [the system's for temporary files]")
    return parser.parse_args()


def made(rows, path):
    subprocess.run([sys.executable, HERE / "make.py", str(rows), path], check=True)
    return path


def first_rows(large, rows, path):
    """The first rows of a file by make.py, as another file."""
    with open(large, "rb") as source, open(path, "wb") as target:
        head = source.read(10)
        header = ast.literal_eval(source.read(int.from_bytes(head[8:10], "little")).decode())
        most, dims = header["shape"]
        if rows > most or header["descr"] != "<f2":
            sys.exit(f"{large}: {most:,} rows of {header['descr']}, and {rows:,} of <f2 are needed")
        text = repr({**header, "shape": (rows, dims)}).ljust(117) + "\n"
        target.write(head[:8] + len(text).to_bytes(2, "little") + text.encode())
        for start in range(0, rows, 65_536):
            target.write(source.read((min(rows, start + 65_536) - start) * dims * 2))
    return path


def timed(x, device, *options):
    """Seconds of the fastest run, and its report."""
    best = math.inf
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(
            [PROGRAM, "eval", x, "--json", "--device", device, *options], check=True, stdout=subprocess.PIPE
        )
        seconds = time.perf_counter() - start
        if seconds < best:
            best, report = seconds, json.loads(done.stdout)
        if seconds > SECONDS_FOR_ONE_RUN:
            break
    return best, report


def said(seconds):
    """"0.15 s", "31 min"."""
    for unit, length in ("h", 3600), ("min", 60), ("s", 1):
        if seconds >= (2 if length > 1 else 0) * length:
            value = seconds / length
            return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f} {unit}"


def table(sizes, times, shares, extrapolated):
    lines = ["| n | all pairs | " + " | ".join(f"±{of} | of the pairs" for of in TOLERANCES) + " |"]
    lines.append("|---" * (2 + 2 * len(TOLERANCES)) + "|")
    for rows in sizes:
        cells = [f"{rows:,}", "not timed"]
        if rows in times["all pairs"]:
            cells[1] = said(times["all pairs"][rows])
        elif rows in extrapolated:
            cells[1] = f"{said(extrapolated[rows])} (by n²)"
        for name in list(COLOURS)[1:]:
            share = 100 * shares[name, rows]
            # Of all pairs where no smaller part of them promises as much.
            cells += [said(times[name][rows]), "all" if share >= 100 else f"{share:.2g} %"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------------------- plot

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 64, 96, 20, 52
STYLE = """
text { font: 13px sans-serif; fill: #555 }
.grid { stroke: #888; stroke-opacity: 0.25 }
@media (prefers-color-scheme: dark) { text { fill: #bbb } }
"""
NAMED_SECONDS = {0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36000: "10 h"}


def plot(times, extrapolated):
    """Logarithmic axes; a dashed line is extrapolated."""
    every = [point for line in (*times.values(), extrapolated) for point in line.items()]
    rows, seconds = [of for of, _ in every], [of for _, of in every]
    x = axis(min(rows), max(rows), LEFT, WIDTH - RIGHT)
    low = max((of for of in NAMED_SECONDS if of <= min(seconds)), default=min(seconds))
    high = min((of for of in NAMED_SECONDS if of >= max(seconds)), default=max(seconds))
    y = axis(low, high, HEIGHT - BOTTOM, TOP)
    parts = [f"<title>Seconds against rows: {', '.join(COLOURS)}</title>", f"<style>{STYLE}</style>"]
    for value, name in NAMED_SECONDS.items():
        if low <= value <= high:
            parts.append(f'<path class="grid" d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{name}</text>')
    for value in sorted(set(rows)):
        parts.append(f'<path class="grid" d="M{x(value):.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:,}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">rows</text>')
    for name, colour in COLOURS.items():
        measured = sorted(times[name].items())
        if not measured:
            continue
        place = lambda point: f"{x(point[0]):.1f} {y(point[1]):.1f}"
        pen = f'fill="none" stroke="{colour}" stroke-width="2"'
        parts.append(f'<path {pen} d="M{"L".join(map(place, measured))}"/>')
        for of, taken in measured:
            parts.append(f'<circle cx="{x(of):.1f}" cy="{y(taken):.1f}" r="3.5" fill="{colour}"/>')
        last = measured[-1]
        if name == "all pairs" and extrapolated:
            beyond = sorted(extrapolated.items())
            parts.append(f'<path {pen} stroke-dasharray="5 5" d="M{"L".join(map(place, [last, *beyond]))}"/>')
            last = beyond[-1]
        label = f'x="{x(last[0]) + 10:.1f}" y="{y(last[1]) + 4:.1f}" style="fill: {colour}"'
        parts.append(f"<text {label}>{name}</text>")
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n' + "\n".join(parts) + "\n</svg>\n"


def axis(low, high, start, end):
    """Where a value is, on a logarithmic axis."""
    span = math.log(high / low) or 1
    return lambda value: start + (end - start) * math.log(value / low) / span


if __name__ == "__main__":
    main()
