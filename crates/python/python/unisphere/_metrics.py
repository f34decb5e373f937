"""Metrics of sets and pairs, and their gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import numpy as np

from . import _native
from ._arrays import Floats, Labels, Numbers, Points, Rows, labels as as_labels, numbers, paired, rows, rows_or_none
from ._errors import InvalidInput
from ._progress import Progress, Shown


class Metrics:
    """The metrics, as methods of an engine. Those of an instance of `_Gradients` return gradients too."""

    _grad = False
    _by_parameter = False

    def _open(self) -> _native.Engine:
        raise NotImplementedError

    def _answer(self, value: float, gradients: list[Rows], derivatives: list[float]) -> Any:
        return value

    @overload
    def uniformity(
        self, x: Points, t: float = 2.0, *, y: Points | None = None,
        pairs: Literal["across", "unpaired", "pooled"] = "across", weights: Any = None, raw: bool = False,
        progress: Progress = False,
    ) -> float: ...
    @overload
    def uniformity(
        self, x: Points, t: Sequence[float] | Floats, *, y: Points | None = None,
        pairs: Literal["across", "unpaired", "pooled"] = "across", weights: Any = None, raw: bool = False,
        progress: Progress = False,
    ) -> Floats: ...
    def uniformity(
        self,
        x: Points,
        t: float | Sequence[float] | Floats = 2.0,
        *,
        y: Points | None = None,
        pairs: Literal["across", "unpaired", "pooled"] = "across",
        weights: Any = None,
        raw: bool = False,
        progress: Progress = False,
    ) -> Any:
        """log mean exp(−t‖xᵢ−xⱼ‖²) over the pairs i < j of x (n, d): how evenly points cover the sphere. Low is best.

        t is a number, or several, whose values come as an array from about one pass. With y (m, d), the mean is over
        `pairs`: "across" (all xᵢ with all yⱼ), "unpaired" (i ≠ j, where row i of both is a positive pair), or "pooled"
        (within the union of both). weights (n,) are of the rows; with y, they are two such arrays. Rows are scaled to unit
        length unless `raw`.

        Raises InvalidInput for rows that are not finite or zero, fewer than two rows, shapes that do not go together, and
        t that is not positive.
        """
        several = not isinstance(t, (int, float)) and np.ndim(t) > 0
        if isinstance(t, str):
            raise InvalidInput(f"t must be a number, and is the text {t!r}")
        ts = [float(one) for one in t] if several else [float(t)]  # type: ignore[union-attr, arg-type]
        if several and (self._grad or not ts):
            raise InvalidInput("t must be one number here" if ts else "t is empty; give a number")
        with Shown(progress) as report:
            values, gradients, derivatives = _native.uniformity(
                self._open(), rows(x, "x"), rows_or_none(y, "y"), ts, pairs, _weights(weights, y), raw,
                self._grad, self._by_parameter, report,
            )
        return np.array(values) if several else self._answer(values[0], gradients, derivatives)

    def alignment(
        self, x: Points, y: Points, alpha: float = 2.0, *, weights: Numbers | None = None, raw: bool = False,
        progress: Progress = False,
    ) -> float:
        """mean ‖xᵢ−yᵢ‖^alpha over the positive pairs, row i of x (n, d) with row i of y (n, d). 0 is best.

        weights (n,) are of the pairs. Rows are scaled to unit length unless `raw`. Where a pair coincides, its gradient is
        0. Raises InvalidInput for rows that are not finite or zero, and x and y of different shapes.
        """
        x, y = paired(x, y)
        with Shown(progress) as report:
            found = _native.alignment(
                self._open(), x, y, alpha, None if weights is None else numbers(weights, "weights"), raw, self._grad, report
            )
        return float_or_any(self._answer(*found))

    def loss(
        self, x: Points, y: Points, alpha: float = 2.0, t: float = 2.0, weight: float = 1.0, *, raw: bool = False,
        progress: Progress = False,
    ) -> float:
        """weight · alignment(x, y) + (uniformity(x) + uniformity(y)) / 2 of x (n, d) and y (n, d): the paper's loss.

        Raises InvalidInput as both metrics do.
        """
        x, y = paired(x, y)
        with Shown(progress) as report:
            found = _native.loss(
                self._open(), x, y, alpha, t, weight, raw, self._grad, self._by_parameter, report
            )
        return float_or_any(self._answer(*found))

    def contrastive(
        self, x: Points, y: Points, tau: float = 0.07,
        candidates: Literal["both", "both-ways", "one-way", "views"] = "both", *, queue: Points | None = None,
        raw: bool = False, progress: Progress = False,
    ) -> float:
        """The contrastive loss (InfoNCE): mean over anchors of −log softmax at the positive, of the logits ⟨x, y⟩/tau.

        x and y are (n, d), row i of both a positive pair. `candidates` are what competes with a positive: "one-way" (all
        rows of y, for each x), "both" (and all rows of x for each y, the mean of both: CLIP; the program calls it
        both-ways), "views" (all other 2n − 1 rows: NT-Xent of SimCLR). queue (m, d) adds negatives to every anchor, and
        has no gradient. Raises InvalidInput for bad rows, shapes, and tau that is not positive.
        """
        x, y = paired(x, y)
        more = rows_or_none(queue, "queue")
        with Shown(progress) as report:
            found = _native.contrastive(
                self._open(), x, y, more, tau, candidates, raw, self._grad, self._by_parameter, report
            )
        return float_or_any(self._answer(*found))

    def sigmoid(
        self, x: Points, y: Points, scale: float = 10.0, bias: float = -10.0, *, raw: bool = False,
        progress: Progress = False,
    ) -> float:
        """The sigmoid loss (SigLIP): mean over x of Σ over y of log(1 + exp(−z (scale ⟨x, y⟩ + bias))).

        z is 1 for the partner of x, row i of y (n, d) for row i of x (n, d), and −1 for all others. Raises InvalidInput for
        bad rows and shapes.
        """
        x, y = paired(x, y)
        with Shown(progress) as report:
            found = _native.sigmoid(self._open(), x, y, scale, bias, raw, self._grad, report)
        return float_or_any(self._answer(*found))

    def supcon(
        self, x: Points, labels: Labels, tau: float = 0.1, *, y: Points | None = None, raw: bool = False,
        progress: Progress = False,
    ) -> float:
        """The supervised contrastive loss (Khosla et al. 2020, L_out): mean over anchors of the mean over the other rows of
        the same label of −log softmax, of the logits ⟨xᵢ, xⱼ⟩/tau over all other rows.

        labels (n,) are whole numbers or names, of the rows of x (n, d) and, where they are two views, of y (n, d). A row
        whose label no other has is no anchor. Raises InvalidInput for bad rows, shapes and labels.
        """
        of_rows, _ = as_labels(labels)
        with Shown(progress) as report:
            found = _native.supcon(
                self._open(), rows(x, "x"), rows_or_none(y, "y"), of_rows, tau, raw, self._grad,
                self._by_parameter, report,
            )
        return float_or_any(self._answer(*found))

    def alignment_by_label(
        self, x: Points, labels: Labels, alpha: float = 2.0, *, weights: Numbers | None = None, raw: bool = False,
        progress: Progress = False,
    ) -> float:
        """mean ‖xᵢ−xⱼ‖^alpha over all pairs i < j of rows of x (n, d) that have one label: every pair counts once.

        labels (n,) are whole numbers or names. With weights (n,) a pair counts wᵢwⱼ times. Raises InvalidInput for bad rows, labels and
        weights, labels that are all different, and alpha that is not positive.
        """
        of_rows, _ = as_labels(labels)
        of_weights = None if weights is None else numbers(weights, "weights")
        with Shown(progress) as report:
            found = _native.alignment_by_label(
                self._open(), rows(x, "x"), of_rows, alpha, of_weights, raw, self._grad, report
            )
        return float_or_any(self._answer(*found))

    def mmd(
        self, x: Points, y: Points, t: float = 2.0, *, pairs: Literal["across", "unpaired"] = "across", raw: bool = False,
        progress: Progress = False,
    ) -> float:
        """The squared MMD of x (n, d) and y (m, d) under exp(−t‖x−y‖²), without bias, so that it may be below 0.

        mean k(xᵢ, xⱼ) + mean k(yᵢ, yⱼ) over i ≠ j, − 2 mean k(xᵢ, yⱼ) over all pairs, or with pairs="unpaired" over those
        of i ≠ j. It has no gradient. Raises InvalidInput as uniformity does.
        """
        if self._grad:
            raise InvalidInput("metric: mmd has no gradient")
        x, y = paired(x, y)
        with Shown(progress) as report:
            return _native.mmd(self._open(), x, y, t, pairs, raw, report)

    def value_and_grad(self, metric: Callable[..., Any] | str, *args: Any, **options: Any) -> tuple[float, Any]:
        """The value of a metric and its gradient with respect to the rows: `value_and_grad(unisphere.uniformity, x, t=2)`.

        metric is uniformity, alignment, loss, contrastive, sigmoid, supcon or alignment_by_label, or its name; all else are its arguments. The
        gradient is an array of f32 of the shape of x, or with y a pair of them. It is with respect to the rows as given,
        through their scaling to unit length.
        """
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", repr(metric))
        if name not in WITH_GRADIENTS:
            raise InvalidInput(f"metric: {name} has no gradient here; these have: {', '.join(WITH_GRADIENTS)}")
        value, gradients, _ = getattr(Gradients(self._open()), name)(*args, **options)
        return value, gradients[0] if len(gradients) == 1 else tuple(gradients)


WITH_GRADIENTS = ("uniformity", "alignment", "loss", "contrastive", "sigmoid", "supcon", "alignment_by_label")


class Gradients(Metrics):
    """The same metrics, each with its gradients, and the derivatives for parameters where they are wanted."""

    _grad = True

    def __init__(self, native: _native.Engine, by_parameter: bool = False) -> None:
        self._engine = native
        self._by_parameter = by_parameter

    def _open(self) -> _native.Engine:
        return self._engine

    def _answer(self, value: float, gradients: list[Rows], derivatives: list[float]) -> Any:
        return value, gradients, derivatives


def float_or_any(answer: Any) -> float:
    """The answer, which is a number for everybody but `Gradients`."""
    return answer  # type: ignore[no-any-return]


def _weights(weights: Any, y: Points | None) -> tuple[Floats, Floats] | None:
    if weights is None:
        return None
    if y is None:
        of_x = numbers(weights, "weights")
        return of_x, of_x
    if not isinstance(weights, (tuple, list)) or len(weights) != 2:
        raise InvalidInput("weights of two sets are two arrays: weights=(of_x, of_y)")
    return numbers(weights[0], "weights of x"), numbers(weights[1], "weights of y")
