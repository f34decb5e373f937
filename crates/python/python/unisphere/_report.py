"""A report: its numbers by name, as a dictionary, a table or a page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _native

if TYPE_CHECKING:
    import pandas


class Section(Mapping[str, Any]):
    """A part of a report: its numbers as attributes, `report.alignment.value`, or as keys."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        return _told(self._values[key])

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name} here, but {', '.join(self._values)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    def __repr__(self) -> str:
        return f"Section({', '.join(self._values)})"


class Told:
    """What the native half found: the program's JSON, as attributes, a dictionary or text."""

    _sections: tuple[str, ...] = ()

    def __init__(self, native: _native.Report) -> None:
        self._native = native
        self._values: dict[str, Any] | None = None

    def _known(self) -> dict[str, Any]:
        if self._values is None:
            self._values = json.loads(self._native.json())
        return self._values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = self._known()
        if name not in known and name not in self._sections:
            raise AttributeError(f"a {type(self).__name__} has no {name}, but {', '.join(known)}")
        return _told(known.get(name))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._known()]

    def to_dict(self) -> dict[str, Any]:
        """The object that the program prints with --json, as its schema describes it."""
        # Each caller's own.
        return dict(json.loads(self._native.json()))

    def __str__(self) -> str:
        return self._native.text().rstrip("\n")


class Paged(Told):
    """The same with a page."""

    def to_html(self) -> str:
        """The page that the program writes with --html."""
        return self._native.html()

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Writes the page to a file."""
        Path(path).write_text(self.to_html(), encoding="utf-8")


SECTIONS = (
    "alignment", "uniformity", "rounding", "estimates", "scores", "sweep", "contrastive", "sigmoid", "supcon", "retrieval", "modality_gap",
    "significance", "spectrum", "histograms", "duplicates", "offenders", "groups", "protocol", "work",
)


class Report(Paged):
    """What `evaluate` found. Every section of the program's JSON is an attribute: `report.uniformity.x`.

    A section that was not asked for is None; `work` is that of sets in pieces. `print(report)` prints what the program prints. The page
    has all figures where `evaluate` was asked for figures.
    """

    _sections = SECTIONS

    def to_frame(self) -> pandas.DataFrame:
        """One row of pandas, whose columns are the numbers of the report that are no lists, by their names: uniformity.x.

        Rows of several reports make a table with pandas.concat. Raises ImportError where pandas is not installed.
        """
        import pandas

        return pandas.DataFrame([dict(flat(self._known(), ""))])

    def __repr__(self) -> str:
        known = self._known()
        return f"<unisphere.Report of {known['rows']:,} × {known['dims']}: {', '.join(self._found())}>"

    def _found(self) -> list[str]:
        return [name for name in self._sections if self._known().get(name) is not None]

    def _repr_html_(self) -> str:
        """A table of the summary, for notebooks."""
        known = self._known()
        alignment, uniformity = known.get("alignment"), known["uniformity"]
        lines: list[tuple[str, dict[str, Any]]] = []
        if alignment:
            lines.append((f"alignment, α = {alignment['alpha']}", alignment))
        for name in ("x", "y", "mean"):
            if name in uniformity:
                of = uniformity.get(f"of_{name}", {})
                words = "their mean" if name == "mean" else f"uniformity of {name}, t = {uniformity['t']}"
                lines.append((words, {**of, "value": uniformity[name]}))
        columns = {"value": "value", "standard_error": "std. error", "low": "95 % from", "high": "to", "score": "score"}
        head = "".join(f"<th>{escape(words)}</th>" for words in columns.values())
        body = "".join(
            f"<tr><th>{escape(words)}</th>{''.join(f'<td>{_cell(of.get(key))}</td>' for key in columns)}</tr>"
            for words, of in lines
        )
        caption = f"n = {known['rows']:,}, d = {known['dims']}; {escape(known['device']['name'] if 'device' in known else known['device_class'])}"
        return f"<table><caption>{caption}</caption><tr><th></th>{head}</tr>{body}</table>"


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return Section(value)
    if isinstance(value, list):
        return [_told(one) for one in value]
    return value


def _cell(value: Any) -> str:
    return f"{value:.6f}" if isinstance(value, float) else ""


def flat(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The numbers that are no lists, by their names."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            yield prefix + key, value
