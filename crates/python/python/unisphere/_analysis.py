"""What a set looks like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _native
from ._arrays import Floats, Points, paired, rows, rows_or_none
from ._errors import InvalidInput
from ._progress import Progress, Shown


@dataclass(frozen=True, eq=False)
class Spectrum:
    """How the points vary along their principal axes."""

    eigenvalues: Floats
    """(d,) of the covariance, greatest first."""
    mean_norm: float
    """‖mean of the rows‖: 0 where they balance, 1 where unit rows coincide."""
    effective_rank: float
    """exp of the entropy of the eigenvalues' shares."""
    rank_me: float | None
    """RankMe: the same of the singular values of the rows, whose mean is not taken away. None where a GPU has not the precision."""
    participation_ratio: float
    """(Σλ)² / Σλ²."""
    wasserstein: float
    """The quadratic Wasserstein distance to N(0, I/d)."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of pairs by their cosine."""

    counts: npt.NDArray[np.uint64]
    """(bins,): pairs of a cosine from edges[k] to edges[k + 1]."""
    edges: Floats
    """(bins + 1,) from −1 to 1."""


@dataclass(frozen=True, eq=False)
class ClosePairs:
    """Pairs of rows that lie close together."""

    count: int
    """All of them."""
    rows: npt.NDArray[np.int64]
    """(k, 2): the rows of the first of them, in the order of their rows."""
    distances: Floats
    """(k,): how far apart they are."""


class Analysis:
    """What a set looks like, as methods of an engine."""

    def _open(self) -> _native.Engine:
        raise NotImplementedError

    def potentials(self, x: Points, t: float = 2.0, *, raw: bool = False, progress: Progress = False) -> Floats:
        """(n,): log mean exp(−t‖xᵢ−xⱼ‖²) over j ≠ i for every row of x (n, d). High values are crowded rows.

        Raises InvalidInput as uniformity does.
        """
        with Shown(progress) as report:
            return _native.potentials(self._open(), rows(x, "x"), t, raw, report)

    def pair_distances(self, x: Points, y: Points, *, raw: bool = False) -> Floats:
        """(n,): ‖xᵢ−yᵢ‖ of the positive pairs of x (n, d) and y (n, d)."""
        x, y = paired(x, y)
        return _native.pair_distances(self._open(), x, y, raw)

    def spectrum(self, x: Points, *, raw: bool = False) -> Spectrum:
        """The spectrum of the covariance of x (n, d): how many directions are in use."""
        return Spectrum(*_native.spectrum(self._open(), rows(x, "x"), raw))

    def histogram(
        self, x: Points, bins: int = 64, *, y: Points | None = None, progress: Progress = False
    ) -> Histogram:
        """Counts of the pairs i < j of x (n, d), or of all xᵢ with all yⱼ of y (m, d), by their cosine, in `bins` bins."""
        if bins < 1:
            raise InvalidInput(f"bins must be at least 1, and is {bins}")
        with Shown(progress) as report:
            counts = _native.histogram(
                self._open(), rows(x, "x"), rows_or_none(y, "y"), bins, report
            )
        return Histogram(counts, np.linspace(-1.0, 1.0, bins + 1))

    def close_pairs(
        self, x: Points, distance: float = 0.1, *, y: Points | None = None, limit: int = 20, raw: bool = False,
        progress: Progress = False,
    ) -> ClosePairs:
        """The pairs of rows of x (n, d), or of x with y (m, d), at most `distance` apart: how many, and the first `limit`."""
        if limit < 0:
            raise InvalidInput(f"limit must be at least 0, and is {limit}")
        with Shown(progress) as report:
            found = _native.close_pairs(
                self._open(), rows(x, "x"), rows_or_none(y, "y"), distance, limit, raw, report
            )
        return ClosePairs(*found)


def floor(d: int, t: float = 2.0) -> float:
    """The uniformity of the uniform distribution on the sphere in d dimensions, which no distribution is below.

    −2t + log ₀F₁(; d/2; t²). Raises InvalidInput for d below 1 and t that is not positive and finite.
    """
    if d < 1:
        raise InvalidInput(f"d must be at least 1, and is {d}")
    return _native.floor(d, t)
