"""Whether docs/how-to-read.md quotes what the program prints: python check.py PAGE QUOTED FOLDER

Each line of QUOTED is `number | set | place`, or words in the place of the number. The place is a path in the set's JSON, whose value must be the number as far as it
has digits, or words in quotes that the set's page must have. The set `sets` is what sets.py prints. Every number of the page with
a point, a comma or a percent sign must be in the list, and every number of the list in the page.
"""

import html
import json
import re
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path

page, quoted, folder = map(Path, sys.argv[1:])
NUMBER = re.compile(r"(?<![\w.])−?\d[\d,]*(?:\.\d+)?(?:e−?\d+)?(?: %)?")


def plain(text):
    return " ".join(text.split())


@cache
def report(name):
    return json.loads((folder / f"{name}.json").read_text())


@cache
def words(name):
    if name == "sets":
        return plain((folder / "sets.txt").read_text())
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", (folder / f"{name}.html").read_text(), flags=re.S)
    return plain(html.unescape(re.sub(r"<[^>]+>", " ", text))).replace(" .", ".")


def at(name, place):
    value = report(name)
    for key in place.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return Decimal(repr(value))


def holds(number, name, place):
    if place.startswith('"'):
        return place.strip('"') in words(name)
    written = number.replace("−", "-").replace(",", "")
    value = at(name, place)
    if written.endswith(" %"):
        written, value = written[:-2], 100 * value
    return value.quantize(Decimal(written), ROUND_HALF_EVEN) == Decimal(written)


# Commands, code, and what links and pictures point to are no text.
text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", page.read_text(), flags=re.S)
text = re.sub(r"\s+", " ", text)
in_page = {found for found in NUMBER.findall(text) if re.search(r"[.,%e]", found.rstrip(","))}
wrong, listed = [], set()
for line in quoted.read_text().splitlines():
    if not line or line.startswith("#"):
        continue
    number, name, place = line.split(" | ")
    listed.add(number)
    if number not in text:
        wrong.append(f"{page.name} does not have {number}, which {quoted.name} lists")
    if name != "-" and not holds(number, name, place):
        shown = "words that are not there" if place.startswith('"') else at(name, place)
        wrong.append(f"{number}: the program says of {name}, {place}: {shown}")
wrong += [f"{page.name} has {number}, which {quoted.name} does not list" for number in sorted(in_page - listed)]
print("\n".join(wrong) or f"{len(listed)} numbers hold")
sys.exit(bool(wrong))
