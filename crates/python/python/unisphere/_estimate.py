"""Estimates from a part of the pairs, each with an interval."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from . import _native
from ._arrays import PathOrPoints
from ._errors import InvalidInput
from ._evaluate import options, path_or_none, several
from ._progress import Progress, Shown
from ._reading import ReadingOptions, memory, reading, source, source_or_none
from ._report import Paged

if TYPE_CHECKING:
    import pandas
    from typing_extensions import Unpack


@dataclass(frozen=True)
class Estimate:
    """A value with an interval that holds it. A value of all pairs has one too, for the error of the arithmetic."""

    quantity: Literal["uniformity", "cross_uniformity", "squared_mmd", "contrastive"]
    set: Literal["x", "y", "xy"]
    """The set whose pairs it is of; "xy" for both."""
    parameter: float
    """The t, or the tau of the contrastive loss."""
    value: float
    low: float
    high: float
    confidence: float
    """The probability, over the draw of the pairs, with which the interval holds the value of all pairs; 1 of an exact one."""
    method: str
    """ "exact", "norm-weighted blocks", "tournament rounds" or "multilevel candidates"."""
    proven: bool
    """Whether the interval is proven for any data, and not only simulated on some."""
    tolerance: float
    """The half-width that was asked for."""
    reached: bool
    """Whether the interval is as narrow."""
    pairs: int
    """The pairs that the value is of."""
    share: float
    """Their share of all pairs, from 0 to 1."""
    seed: int
    """What the draw follows from."""
    row_error: float | None = None
    """The standard error of the value as one of a sample of rows; None across two sets, and of less than three rows."""

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return 0.5 * (self.high - self.low)


class Estimates(Paged):
    """What `estimate` found. Each attribute is the Estimate at the first t or tau; iteration gives those at every t and tau.

    `print(estimates)` prints what the program prints.
    """

    @property
    def alignment(self) -> float | None:
        """mean ‖xᵢ−yᵢ‖^alpha over all positive pairs, exactly; None of one set."""
        found = self._known().get("alignment")
        return None if found is None else float(found["value"])

    @property
    def uniformity_x(self) -> Estimate:
        """log mean exp(−t‖xᵢ−xⱼ‖²) over i < j."""
        return next(iter(self))

    @property
    def uniformity_y(self) -> Estimate | None:
        """The same of y; None of one set."""
        return self._first("uniformity", "y")

    @property
    def cross_uniformity(self) -> Estimate | None:
        """log mean exp(−t‖xᵢ−yⱼ‖²) over all i and j; None unless it was asked for."""
        return self._first("cross_uniformity", "xy")

    @property
    def squared_mmd(self) -> Estimate | None:
        """mean k(xᵢ, xⱼ) + mean k(yᵢ, yⱼ) − 2 mean k(xᵢ, yⱼ), each over i ≠ j; None unless it was asked for."""
        return self._first("squared_mmd", "xy")

    @property
    def contrastive(self) -> Estimate | None:
        """The contrastive loss; None unless it was asked for."""
        return self._first("contrastive", "xy")

    def _first(self, quantity: str, of: str) -> Estimate | None:
        return next((one for one in self if (one.quantity, one.set) == (quantity, of)), None)

    def __iter__(self) -> Iterator[Estimate]:
        return map(_estimate, self._known()["estimates"])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def to_frame(self) -> pandas.DataFrame:
        """A row of pandas for each estimate, whose columns are its fields. Raises ImportError where pandas is not installed."""
        import pandas

        return pandas.DataFrame([asdict(one) for one in self])

    def __repr__(self) -> str:
        return f"<unisphere.Estimates: {', '.join(_words(one) for one in self)}>"

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        titles = ("", "value", "from", "to", "confidence", "of the pairs", "interval")
        head = "".join(f"<th>{title}</th>" for title in titles)
        body = "".join(
            f"<tr><th>{escape(_words(one))}</th><td>{one.value:.6f}</td><td>{one.low:.6f}</td><td>{one.high:.6f}</td>"
            f"<td>{one.confidence:g}</td><td>{100 * one.share:.3g} %</td><td>{_interval(one)}</td></tr>"
            for one in self
        )
        return f"<table><tr>{head}</tr>{body}</table>"


def _interval(of: Estimate) -> str:
    if of.method == "exact":
        return "of all pairs"
    return "proven" if of.proven else "simulated"


def _words(of: Estimate) -> str:
    name = "tau" if of.quantity == "contrastive" else "t"
    words = {"uniformity": f"uniformity of {of.set}", "squared_mmd": "squared MMD", "contrastive": "contrastive loss"}
    return f"{words.get(of.quantity, 'cross uniformity')}, {name} = {of.parameter:g}"


def _estimate(of: dict[str, Any]) -> Estimate:
    """An estimate of the program's JSON, in which the log of 0 is null."""

    def number(value: float | None, absent: float = -math.inf) -> float:
        return absent if value is None else float(value)

    found = of["estimate"]
    return Estimate(
        of["quantity"], of["set"], float(of["t"] if "t" in of else of["tau"]), number(of["value"]), number(found["low"]),
        number(found["high"], math.inf), found["confidence"], found["method"], found["proven"], found["tolerance"], found["reached"],
        found["pairs"], found["share"], found["seed"], found.get("row_error"),
    )


class Estimation:
    """Estimates, as a method of an engine."""

    def _open(self) -> _native.Engine:
        raise NotImplementedError

    def estimate(
        self,
        x: PathOrPoints,
        y: PathOrPoints | None = None,
        *,
        t: float | Sequence[float] = 2.0,
        tolerance: float | Literal["auto"] = "auto",
        confidence: float = 0.95,
        seed: int = 0,
        draw: Literal["blocks", "rounds"] = "blocks",
        estimate_only: bool = False,
        across: bool | None = None,
        tau: float | Sequence[float] = (),
        candidates: Literal["both", "both-ways", "one-way", "views"] | None = None,
        alpha: float = 2.0,
        raw: bool = False,
        max_memory: int | str | None = None,
        journal: str | os.PathLike[str] | None = None,
        progress: Progress = False,
        **files: Unpack[ReadingOptions],
    ) -> Estimates:
        """Uniformity of x (n, d), and of its positive partners y (n, d), from a small part of the pairs. Arrays, or paths of files.

        Each value comes with an interval [low, high], at most 2 · tolerance wide, that holds the value of all pairs with the
        probability `confidence` over the draw of the pairs. By draw="blocks" this is proven for any data; by draw="rounds", which
        is of one set in memory, it is simulated. "auto" is the larger of 1e-4 and a tenth of the standard error of the rows. The same
        seed gives the same bits, those of `unisphere eval --tolerance`.

        Of two sets there are also alignment, of all pairs, cross uniformity and squared MMD (whose tolerance is `tolerance` times
        the mean of the kernel within x and within y together), unless across=False; and with tau the contrastive loss, whose
        interval is simulated. Where no sample can promise the tolerance, the value is computed from all pairs, however long that
        takes, with a `journal` where one is named; estimate_only=True gives what was reached instead.

        Points are held in memory where max_memory, in bytes or as "4G", allows (by default nine tenths of what is free), and else read
        in pieces. Files are read as the options of `evaluate` say, and may be a pattern such as "emb_*.npy".

        Raises InvalidInput for rows, t, tolerance, confidence, seed and draw that do not do, and FileError.
        """
        of_files = reading(files, "estimate", x, y)
        if tolerance != "auto" and not (isinstance(tolerance, (int, float)) and 0 < tolerance < math.inf):
            raise InvalidInput(f"tolerance must be positive and finite, or 'auto', and is {tolerance!r}")
        if not 0 < confidence < 1:
            raise InvalidInput(f"confidence must be above 0 and below 1, and is {confidence}")
        check_seed(seed)
        has_two = y is not None or any(files.get(pair) for pair in ("columns", "tensors", "members"))
        if across and not has_two:
            raise InvalidInput("across is over all pairs of two sets; give y too, or leave it out")
        if across and draw == "rounds":
            raise InvalidInput("draw='rounds' is of the pairs of one set, and across=True of two; leave out one of them")
        large = {
            "reading": of_files,
            "across": has_two and draw == "blocks" if across is None else across,
            "max_memory": memory(max_memory),
            "journal": path_or_none(journal),
        }
        drawn = {
            "tolerance": None if tolerance == "auto" else float(tolerance),
            "draw": draw,
            "confidence": float(confidence),
            "seed": seed,
            "estimate_only": estimate_only,
        }
        asked = options(t=several(t), tau=several(tau), candidates=candidates, alpha=alpha if has_two else None, raw=raw)
        with Shown(progress) as report:
            found = _native.estimate(self._open(), source(x, "x"), source_or_none(y, "y"), large, drawn, asked, report)
        return Estimates(found)


def check_seed(seed: int) -> None:
    """Fails for what is no whole number of 64 bits."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        raise InvalidInput(f"seed must be a whole number from 0 to 2**64 - 1, and is {seed!r}")
