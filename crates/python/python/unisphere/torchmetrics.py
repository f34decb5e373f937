"""Metrics for TorchMetrics, accumulated over batches and merged across processes.

Both are those of all rows that were given, as if one process had them in one batch: processes exchange sums and rows, never values.
Rows are tensors (n, d) of any floating dtype. The engine computes in f32 with sums in f64, on the CPU or a GPU of its own, and
values are of f32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat

from . import _engine_of_functions as engine
from ._errors import InvalidInput
from .torch import _on_host

__all__ = ["Alignment", "Uniformity"]


class _TooFewRows(InvalidInput):
    """Fewer rows than a value takes."""


class Alignment(Metric):
    """mean ‖xᵢ−yᵢ‖^alpha over the pairs of all batches, in memory that does not grow with them. 0 is best.

    `update(x, y)` takes positive pairs, row i of x (n, d) with row i of y (n, d), which are scaled to unit length unless `raw`.
    Its sum is kept in f64, which devices of Apple's MPS do not have: leave the metric on the CPU there.

    Raises InvalidInput for rows that are not finite or zero, x and y of different shapes, and alpha that is not positive;
    for a value before the first batch, too.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    plot_lower_bound = 0.0

    total: Tensor
    pairs: Tensor

    def __init__(self, alpha: float = 2.0, *, raw: bool = False, **options: Any) -> None:
        super().__init__(**options)
        # A pair of two points tells whether alpha is one.
        engine.alignment(np.eye(2), np.eye(2), alpha)
        self.alpha, self.raw = alpha, raw
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("pairs", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, x: Tensor, y: Tensor) -> None:
        """Adds pairs: x and y are (n, d)."""
        rows, partners = _on_host(x, "x"), _on_host(y, "y")
        if len(rows) == 0 and rows.shape == partners.shape:
            return
        mean = engine.alignment(rows, partners, self.alpha, raw=self.raw)
        self.total += mean * len(x)
        self.pairs += len(x)

    def set_dtype(self, dst_type: str | torch.dtype) -> Alignment:
        """Leaves the sum in f64: in f16 it would overflow after some thousands of pairs."""
        return self

    def compute(self) -> Tensor:
        """The mean over all pairs so far, of all processes."""
        if self.pairs == 0:
            raise _TooFewRows("Alignment has no pairs yet; call update(x, y) first")
        return (self.total / self.pairs).to(torch.float32)


class Uniformity(Metric):
    """log mean exp(−t‖xᵢ−xⱼ‖²) over the pairs i < j of the rows of all batches. Low is best.

    `update(x)` takes rows (n, d), which are scaled to unit length unless `raw`. All rows are kept, in f32: 4 · n · d bytes, on the
    device of the metric, or in host memory with `compute_on_cpu=True`. A value takes time in proportion to n² · d.

    Called as a function, it returns the value of that batch, which takes two rows; use `update` where a batch may have one.
    Raises InvalidInput for rows that are not finite or zero, batches of different d, and t that is not positive; for a
    value of fewer than two rows, too.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    plot_upper_bound = 0.0

    values: list[Tensor]
    dims: Tensor
    least_dims: Tensor

    def __init__(self, t: float = 2.0, *, raw: bool = False, **options: Any) -> None:
        super().__init__(**options)
        # Two points tell whether t is one.
        engine.uniformity(np.eye(2), float(t))
        self.t, self.raw = float(t), raw
        # Rows in one dimension: a process without any then takes part in the exchange with an empty tensor.
        self.add_state("values", [], dist_reduce_fx="cat")
        # Of all batches and processes: rows of different lengths show in them, whoever has given them.
        self.add_state("dims", torch.zeros((), dtype=torch.int64), dist_reduce_fx="max")
        most = torch.iinfo(torch.int64).max
        self.add_state("least_dims", torch.full((), most, dtype=torch.int64), dist_reduce_fx="min")

    def update(self, x: Tensor) -> None:
        """Adds rows: x is (n, d)."""
        if not isinstance(x, Tensor) or not x.is_floating_point():
            raise InvalidInput(f"x must be a tensor of real numbers, such as float32, and is {getattr(x, 'dtype', type(x).__name__)}")
        if x.ndim != 2 or x.shape[1] == 0:
            raise InvalidInput(f"x must have the shape (n, d), and is {'×'.join(map(str, x.shape)) or 'a single number'}")
        if self.dims not in (0, x.shape[1]):
            raise InvalidInput(f"x has {x.shape[1]} dimensions, and the batches before it have {int(self.dims)}; call reset() between sets")
        self.dims, self.least_dims = (torch.full_like(self.dims, x.shape[1]) for _ in range(2))
        # A copy: the caller may go on to write into its tensor.
        self.values.append(x.detach().to(self.device, torch.float32, copy=True).flatten())

    def compute(self) -> Tensor:
        """The value of all rows so far, of all processes."""
        dims = int(self.dims)
        if 0 < dims != self.least_dims:
            raise InvalidInput(f"batches have {int(self.least_dims)} dimensions and {dims}; call reset() between sets")
        rows = dim_zero_cat(self.values).reshape(-1, dims) if dims else torch.empty(0, 1)
        if len(rows) < 2:
            raise _TooFewRows(f"Uniformity has {len(rows)} rows, and takes at least 2; call update(x) first")
        value = engine.uniformity(_on_host(rows, "x"), self.t, raw=self.raw)
        return torch.tensor(value, dtype=torch.float32, device=self.device)
