"""Reports on arrays and files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _native
from ._arrays import Labels, Numbers, PathOrPoints, labels as as_labels, numbers
from ._errors import InvalidInput
from ._progress import Progress, Shown
from ._reading import ReadingOptions, is_pattern, memory, reading, source, source_or_none
from ._report import Report

if TYPE_CHECKING:
    from typing_extensions import Unpack


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
        zero_rows: Literal["error", "skip"] = "error",
        full: bool = False,
        top: int | None = None,
        near: float | None = None,
        across_groups: bool = False,
        figures: bool = False,
        across: bool = False,
        max_memory: int | str | None = None,
        journal: str | os.PathLike[str] | None = None,
        progress: Progress = False,
        **files: Unpack[ReadingOptions],
    ) -> Report:
        """A report on one set x (n, d), or on pairs: row i of x with row i of y (n, d). Arrays, or paths of files.

        The options are those of the program `unisphere eval`, and mean what its help says: one t or several, tau for
        contrastive losses, (scale, bias) for sigmoid losses, supcon with labels, retrieval, a protocol, `full` for all that
        needs no further data, and `figures` for the figures of a page. labels, weights and scores are arrays (n,), and
        queue is a set (m, d). zero_rows="skip" leaves out rows of zeros, of x and y alike.

        Files are read as column, columns, tensor, tensors, member, members, dtype, format, quant_scale, quant_zero and bits say:
        `evaluate("pairs.parquet", columns=("anchor", "positive"))`.

        max_memory, in bytes or as "4G", keeps points and results within so much memory, and reads files as often as it takes: a
        report in pieces, of the same values. `journal` is a file that keeps finished work: the same call goes on from it. `across`
        adds cross uniformity and squared MMD. Each of them, and a pattern such as "emb_*.npy", makes such a report, which has no
        sigmoid, supcon, retrieval, estimator="v", protocol, queue, across_groups, weights, scores, min_score and
        zero_rows="skip".

        Raises InvalidInput for options that contradict each other and for rows that cannot be measured, and FileError.
        """
        of_files = reading(files, "evaluate", x, y, queue)
        if zero_rows not in ("error", "skip"):
            raise InvalidInput(f"zero_rows must be 'error' or 'skip', and is {zero_rows!r}")
        if raw and zero_rows == "skip":
            raise InvalidInput("with raw=True, rows of zeros are points like all others; leave out zero_rows or raw")
        of_rows, names = (None, None) if labels is None else as_labels(labels)
        asked = options(
            t=several(t), alpha=alpha, tau=several(tau), candidates=candidates, sigmoid=list(sigmoid), supcon=several(supcon),
            retrieval=retrieval, estimator=estimator, raw=raw, protocol=protocol, min_score=min_score, full=full, top=top,
            near=near, across_groups=across_groups, figures=figures,
        )
        large = {"max_memory": max_memory is not None, "journal": journal is not None, "across": across}
        patterns = {name: is_pattern(value) for name, value in (("x", x), ("y", y))}
        reason = next((name for name, is_given in (large | patterns).items() if is_given), None)
        if reason is not None:
            whole = {
                "sigmoid": len(sigmoid) > 0, "supcon": asked["supcon"] != [], "retrieval": retrieval, "protocol": protocol,
                "estimator='v'": estimator == "v", "queue": queue is not None, "across_groups": across_groups,
                "weights": weights is not None, "scores": scores is not None, "min_score": min_score is not None,
                "zero_rows='skip'": zero_rows == "skip",
            }
            for name, is_given in whole.items():
                if is_given:
                    cure = "give single files" if reason in "xy" else f"leave out one of {name} and {reason}"
                    raise InvalidInput(f"{name} needs all points in memory, and is no part of a report in pieces; {cure}")
            if across and y is None and not any(files.get(pair) for pair in ("columns", "tensors", "members")):
                raise InvalidInput("across is over all pairs of two sets; give y too, or leave it out")
            how = {"reading": of_files, "across": across, "max_memory": memory(max_memory), "journal": path_or_none(journal)}
            groups = None if of_rows is None else (of_rows, names)
            with Shown(progress) as report:
                pieces = _native.evaluate_in_pieces(
                    self._open(), source(x, "x"), source_or_none(y, "y"), groups, how, asked, report
                )
            return Report(pieces)
        columns = {
            "queue": source_or_none(queue, "queue"),
            "labels": of_rows,
            "label_names": names,
            "weights": None if weights is None else numbers(weights, "weights"),
            "scores": None if scores is None else numbers(scores, "scores"),
        }
        read = {"reading": of_files, "skips_zero_rows": zero_rows == "skip"}
        with Shown(progress) as report:
            found = _native.evaluate(
                self._open(), source(x, "x"), source_or_none(y, "y"), columns, read, asked, report
            )
        return Report(found)


def options(**given: Any) -> dict[str, Any]:
    """All options of a report: those that are given, and what others are if they are left out."""
    return {
        "t": [], "alpha": None, "tau": [], "candidates": None, "sigmoid": [], "supcon": [], "retrieval": False,
        "estimator": "u", "raw": False, "protocol": None, "min_score": None, "full": False, "top": None, "near": None,
        "across_groups": False, "figures": False,
    } | given


def path_or_none(value: str | os.PathLike[str] | None) -> str | None:
    """A path that may be left out."""
    return None if value is None else os.fspath(value)


def several(values: float | Sequence[float]) -> list[float]:
    """One number or several, as a list."""
    return [float(value) for value in np.atleast_1d(np.asarray(values, dtype=np.float64))]
