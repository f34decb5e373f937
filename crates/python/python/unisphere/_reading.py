"""How files are read, where they do not say it themselves; and how much memory may be used."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from ._arrays import Rows, rows
from ._errors import InvalidInput


class ReadingOptions(TypedDict, total=False):
    """The options of the program for files of points, under its names. None is as if it was left out.

    Two names are those of x and of y, which may be in one file: then y is left out.
    """

    column: str | None
    """The column of Parquet, Arrow, CSV and TSV, or the key of JSON Lines, of both x and y."""
    columns: tuple[str, str] | None
    """The columns of x and of y."""
    tensor: str | None
    """The tensor of a safetensors file."""
    tensors: tuple[str, str] | None
    """The tensors of x and of y."""
    member: str | None
    """The array of an .npz archive."""
    members: tuple[str, str] | None
    """The arrays of x and of y."""
    dtype: Literal["bf16", "f8e4m3", "f8e5m2"] | None
    """The floats that raw bytes or integers of an .npy file are."""
    format: str | None
    """The format of a pipe, or of a file whose name does not tell it, as its ending: "fbin"."""
    quant_scale: float | None
    """Values are codes: a point is quant_scale (code − quant_zero)."""
    quant_zero: float | None
    """The code of 0, which is 0 if it is left out."""
    bits: bool | None
    """Values are packed bits, as numpy.packbits writes them: 1 is +1, and 0 is −1."""


_DTYPES = ("bf16", "f8e4m3", "f8e5m2")
_FORMATS = (
    "fvecs", "bvecs", "ivecs", "fbin", "f16bin", "u8bin", "i8bin", "ibin", "csv", "tsv", "jsonl", "txt"
)


def reading(options: Mapping[str, Any], function: str, *sets: Any) -> str:
    """The options as JSON, without those that are None. `sets` are those that they are of: one of them is a file."""
    for name in options:
        if name not in ReadingOptions.__annotations__:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    if given and not any(is_path(value) for value in sets):
        name = next(iter(given))
        raise InvalidInput(f"{name} is how files are read, and no set is a file; leave out {name}, or give a path")
    for one, two in (("column", "columns"), ("tensor", "tensors"), ("member", "members")):
        if one in given and two in given:
            raise InvalidInput(f"{one} is of both sets, and {two} of one each; leave out one of them")
        if one in given and not isinstance(given[one], str):
            raise InvalidInput(f"{one} must be a name, and is {given[one]!r}")
        if two in given:
            pair = given[two]
            if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(name, str) for name in pair):
                raise InvalidInput(f"{two} must be two names, such as ('anchor', 'positive'), and is {pair!r}")
            given[two] = list(pair)
    for name, known in (("dtype", _DTYPES), ("format", _FORMATS)):
        if name in given and given[name] not in known:
            raise InvalidInput(f"{name} must be one of {', '.join(known)}, and is {given[name]!r}")
    for name in ("quant_scale", "quant_zero"):
        if name in given:
            value = given[name] = float(given[name])
            if not math.isfinite(value) or (name == "quant_scale" and value <= 0):
                what = "positive and finite" if name == "quant_scale" else "finite"
                raise InvalidInput(f"{name} must be {what}, and is {value}")
    if "quant_zero" in given and "quant_scale" not in given:
        raise InvalidInput("quant_zero is of codes; give quant_scale too, or leave it out")
    for other in ("dtype", "quant_scale"):
        if "bits" in given and other in given:
            raise InvalidInput(f"bits are −1 and 1 each, and {other} is of other values; leave out one of them")
    return json.dumps(given)


def is_path(value: Any) -> bool:
    """Whether it names a file."""
    return isinstance(value, (str, os.PathLike))


def is_pattern(value: Any) -> bool:
    """Whether it names several files, such as emb_*.npy."""
    return is_path(value) and bool(re.search(r"[*?\[]", os.fspath(value))) and not os.path.exists(value)


def source(value: Any, name: str) -> Rows | str:
    """The path of a file, or rows."""
    return os.fspath(value) if is_path(value) else rows(value, name)


def source_or_none(value: Any, name: str) -> Rows | str | None:
    """The same of a set that may be left out."""
    return None if value is None else source(value, name)


def memory(value: int | str | None) -> int | None:
    """Bytes, of a number of them or a text such as 500M or 4G. Units are powers of 1024."""
    if value is None:
        return None
    if isinstance(value, str):
        found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([KMGT]?)(?:I?B)?\s*", value.upper())
        size = float(found[1]) * 1024.0 ** " KMGT".index(found[2] or " ") if found else 0.0
    else:
        size = float(value)
    if not 1 <= size < 2**63:
        raise InvalidInput(f"max_memory must be a number of bytes, or a text such as '4G', and is {value!r}")
    return int(size)
