"""Progress: a bar of tqdm, where that is installed, or a function of the caller's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, Union

Progress: TypeAlias = Union[bool, Callable[[int, int], object]]
"""True shows a bar; a function is called with the pairs of points that are done, and all of them."""


class Bar:
    """A bar that appears with the first report. A total that changes begins it anew."""

    def __init__(self, tqdm: Any) -> None:
        self.tqdm = tqdm
        self.bar: Any = None
        self.total = 0

    def __call__(self, done: int, total: int) -> None:
        if self.bar is None:
            self.bar = self.tqdm(total=total, unit="pair", unit_scale=True, leave=False)
        elif total != self.total:
            self.bar.reset(total)
        self.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


class Shown:
    """The function that shows progress, for the time of a `with`."""

    def __init__(self, progress: Progress) -> None:
        self.bar: Bar | None = None
        self.report: Callable[[int, int], object] | None = None
        if callable(progress):
            self.report = progress
        elif progress:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                return
            self.report = self.bar = Bar(tqdm)

    def __enter__(self) -> Callable[[int, int], object] | None:
        return self.report

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
