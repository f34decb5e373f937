"""What takes labels or partners: uniformity by group, retrieval, and sets that are not paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _native
from ._arrays import Floats, Labels, Numbers, Points, labels as as_labels, numbers, on_host, paired, rows
from ._errors import InvalidInput
from ._estimate import check_seed
from ._evaluate import several
from ._progress import Progress, Shown
from ._report import Paged

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GroupUniformity:
    """Uniformity of each of k groups of rows."""

    labels: list[Any]
    """The label of each group, in order."""
    sizes: Integers
    """(k,): how many rows each has."""
    within: Floats
    """(k,): uniformity of each group; NaN of one row, which has no pair."""
    across: Floats | None
    """(k, k): uniformity over all pairs of a row of one group and one of the other, and `within` on the diagonal; None unless it was
    asked for."""


@dataclass(frozen=True, eq=False)
class RetrievalWay:
    """Where the positive of each row of one set stands among all rows of the other, by their cosine."""

    above: Integers
    """(n,): how many candidates are more similar than the positive."""
    ties: Integers
    """(n,): how many others are as similar."""
    mean_rank: float
    """From 1, the best. Of ties, the mean of their ranks is taken."""
    median_rank: float
    mean_reciprocal_rank: float
    """mean 1 / rank (MRR), over all orders of those that tie."""

    @property
    def ranks(self) -> Floats:
        """(n,): the rank of each row's positive, from 1: 1 + above + ties / 2."""
        return 1.0 + self.above + self.ties / 2

    def recall(self, k: int) -> float:
        """Recall@k: the share of rows whose positive is among the k most similar candidates, over all orders of those that tie."""
        if k < 1:
            raise InvalidInput(f"k must be at least 1, and is {k}")
        places = self.ties + 1
        return float((np.clip(k - self.above, 0, places) / places).mean())


@dataclass(frozen=True, eq=False)
class Retrieval:
    """Retrieval both ways."""

    x_to_y: RetrievalWay
    """Rows of x look for their positives in y."""
    y_to_x: RetrievalWay
    """Rows of y look in x."""


class Unpaired(Paged):
    """What `unpaired` found. Every section of the program's JSON is an attribute: `found.values[0].squared_mmd`, `found.test.p_value`.

    `print(found)` prints what the program prints, and `found.save_html(path)` writes its page.
    """

    _sections = ("test", "positives", "near")

    def __repr__(self) -> str:
        known = self._known()
        return f"<unisphere.Unpaired of {known['rows']['x']:,} and {known['rows']['y']:,} rows>"

    def _repr_html_(self) -> str:
        """A table of the values, for notebooks."""
        titles = {"t": "t", "x": "uniformity of x", "y": "of y", "cross": "across", "pooled": "together", "squared_mmd": "squared MMD"}
        head = "".join(f"<th>{escape(title)}</th>" for title in titles.values())
        body = ""
        for row in self._known()["values"]:
            cells = "".join(f"<td>{row[key]:.6f}</td>" if isinstance(row[key], float) else "<td></td>" for key in titles)
            body += f"<tr>{cells}</tr>"
        test = self._known().get("test")
        caption = f"<caption>p = {test['p_value']:.3g} by {test['permutations']} permutations</caption>" if test else ""
        return f"<table>{caption}<tr>{head}</tr>{body}</table>"


class Grouping:
    """What takes labels or partners, as methods of an engine."""

    def _open(self) -> _native.Engine:
        raise NotImplementedError

    def group_uniformity(
        self, x: Points, labels: Labels, t: float = 2.0, *, across: bool = False, weights: Numbers | None = None,
        raw: bool = False, progress: Progress = False,
    ) -> GroupUniformity:
        """log mean exp(−t‖xᵢ−xⱼ‖²) over the pairs i < j of rows of x (n, d) that have one label, for each label.

        labels (n,) are whole numbers or names. across=True adds the matrix of all pairs of groups, of at most 8,192 groups. With
        weights (n,) a pair counts wᵢwⱼ times, and sizes are those of rows of positive weight. Raises InvalidInput for bad rows, labels
        and weights, and t that is not positive.
        """
        of_rows, names = as_labels(labels)
        of_weights = None if weights is None else numbers(weights, "weights")
        with Shown(progress) as report:
            found = _native.group_uniformity(self._open(), rows(x, "x"), of_rows, t, across, of_weights, raw, report)
        groups, sizes, within, matrix = found
        of_groups = [int(label) if names is None else names[int(label)] for label in groups]
        return GroupUniformity(of_groups, sizes, within, matrix)

    def retrieval(
        self, x: Points, y: Points, *, labels: tuple[Labels, Labels] | None = None, raw: bool = False, progress: Progress = False
    ) -> Retrieval:
        """Where the positive of each row of x (n, d) stands among all rows of y (n, d) by their cosine, and the other way round.

        Row i of y is the positive of row i of x; or with labels=(of_x, of_y), of which y may have another number of rows, the
        rows of one label are, and the best of them counts. Raises InvalidInput for bad rows and shapes, and for a label that only one
        set has.
        """
        x, y = paired(x, y)
        of_both = None if labels is None else _of_two(labels)
        with Shown(progress) as report:
            found = _native.retrieval(self._open(), x, y, of_both, raw, report)
        return Retrieval(RetrievalWay(*found[0]), RetrievalWay(*found[1]))

    def unpaired(
        self,
        x: Points,
        y: Points,
        t: float | Sequence[float] = 2.0,
        *,
        permutations: int = 999,
        seed: int = 0,
        labels: tuple[Labels, Labels] | None = None,
        alpha: float = 2.0,
        near: float | None = None,
        raw: bool = False,
        progress: Progress = False,
    ) -> Unpaired:
        """Two sets x (n, d) and y (m, d) whose rows are no pairs: is one distributed as the other?

        `values` has at each t the uniformity of x and of y, across both and of their union (pooled), and the squared MMD without
        bias. `test` is at the first t: the squared MMD of a sample of rows, and its p-value (b + 1) / (permutations + 1), where b random
        exchanges of rows have at least as much; permutations=0 leaves it out. With labels=(of_x, of_y), rows of one label are
        positives: `positives` has their alignment, retrieval and the modality gap. near counts rows of x that are as close to
        rows of y. All is what `unisphere eval --unpaired` tells.

        Raises InvalidInput for bad rows, shapes, labels that only one set has, t and permutations.
        """
        check_seed(seed)
        if not 0 <= permutations <= 1_000_000:
            raise InvalidInput(f"permutations must be from 0 to 1,000,000, and are {permutations}")
        x, y = paired(x, y)
        if x.shape[1] != y.shape[1]:
            raise InvalidInput(
                f"x and y must have the same number of dimensions, and have {x.shape[1]} and {y.shape[1]}; take both from one encoder"
            )
        for of_set, name in ((x, "x"), (y, "y")):
            if len(of_set) < 2:
                raise InvalidInput(f"{name} has {len(of_set)} of the 2 rows that a pair takes; give more")
        of_both = None if labels is None else _of_two(labels)
        with Shown(progress) as report:
            return Unpaired(
                _native.unpaired(self._open(), x, y, several(t), of_both, alpha, near, permutations, seed, raw, report)
            )


def _of_two(labels: Any) -> tuple[Integers, Integers]:
    """Labels of x and of y, of which each is in both."""
    if not isinstance(labels, tuple) or len(labels) != 2:
        raise InvalidInput("labels of two sets are two arrays: labels=(of_x, of_y)")
    of_sets = [on_host(of_set, f"labels of {name}") for of_set, name in zip(labels, "xy")]
    for of_set, name in zip(of_sets, "xy"):
        as_labels(of_set, f"labels of {name}")
    kinds = {of_set.dtype.kind in "iub" for of_set in of_sets}
    if len(kinds) > 1:
        raise InvalidInput("labels of one set are numbers, and those of the other names; give both as one")
    both, _ = as_labels(np.concatenate(of_sets))
    of_x, of_y = both[: len(of_sets[0])], both[len(of_sets[0]) :]
    for of_set, other, name in ((of_x, of_y, "x"), (of_y, of_x, "y")):
        alone = np.flatnonzero(~np.isin(of_set, other))
        if alone.size:
            label = of_sets["xy".index(name)][alone[0]]
            raise InvalidInput(
                f"labels of {name}: row {alone[0]} has the label {label}, which no row of the other set has; leave out rows "
                "without a partner, in the points as in the labels"
            )
    return np.ascontiguousarray(of_x), np.ascontiguousarray(of_y)
