"""Reports on arrays and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from . import _native
from ._arrays import Labels, Numbers, PathOrPoints, Rows, labels as as_labels, numbers, rows
from ._progress import Progress, Shown
from ._report import Report


class Evaluation:
    """Reports, as methods of an engine."""

    def _open(self) -> _native.Engine:
        raise NotImplementedError

    def evaluate(
        self,
        x: PathOrPoints,
        y: PathOrPoints | None = None,
        *,
        t: float | Sequence[float] = (),
        alpha: float | None = None,
        tau: float | Sequence[float] = (),
        candidates: Literal["both", "both-ways", "one-way", "views"] | None = None,
        sigmoid: Sequence[tuple[float, float]] = (),
        supcon: float | Sequence[float] = (),
        retrieval: bool = False,
        estimator: Literal["u", "v"] = "u",
        raw: bool = False,
        protocol: Literal["paper", "moco", "simcse", "directau", "lightly"] | None = None,
        min_score: float | None = None,
        queue: PathOrPoints | None = None,
        labels: Labels | None = None,
        weights: Numbers | None = None,
        scores: Numbers | None = None,
        full: bool = False,
        top: int | None = None,
        near: float | None = None,
        across_groups: bool = False,
        figures: bool = False,
        progress: Progress = False,
    ) -> Report:
        """A report on one set x (n, d), or on pairs: row i of x with row i of y (n, d). Arrays, or paths of files.

        The options are those of the program `unisphere eval`, and mean what its help says: one t or several, tau for
        contrastive losses, (scale, bias) for sigmoid losses, supcon with labels, retrieval, a protocol, `full` for all that
        needs no further data, and `figures` for the figures of a page. labels, weights and scores are arrays (n,), and
        queue is a set (m, d). Files are read whole, in any of the program's formats that need no option.

        Raises InvalidInput for options that contradict each other and for rows that cannot be measured, and FileError.
        """
        of_rows, names = (None, None) if labels is None else as_labels(labels)
        columns = {
            "queue": None if queue is None else source(queue, "queue"),
            "labels": of_rows,
            "label_names": names,
            "weights": None if weights is None else numbers(weights, "weights"),
            "scores": None if scores is None else numbers(scores, "scores"),
        }
        asked = {
            "t": several(t),
            "alpha": alpha,
            "tau": several(tau),
            "candidates": candidates,
            "sigmoid": list(sigmoid),
            "supcon": several(supcon),
            "retrieval": retrieval,
            "estimator": estimator,
            "raw": raw,
            "protocol": protocol,
            "min_score": min_score,
            "full": full,
            "top": top,
            "near": near,
            "across_groups": across_groups,
            "figures": figures,
        }
        with Shown(progress) as report:
            found = _native.evaluate(
                self._open(), source(x, "x"), None if y is None else source(y, "y"), columns, asked, report
            )
        return Report(found)


def source(value: Any, name: str) -> Rows | str:
    """The path of a file, or rows."""
    return os.fspath(value) if isinstance(value, (str, os.PathLike)) else rows(value, name)


def several(values: float | Sequence[float]) -> list[float]:
    """One number or several, as a list."""
    return [float(value) for value in np.atleast_1d(np.asarray(values, dtype=np.float64))]
