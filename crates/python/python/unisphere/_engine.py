"""The device that computes."""

from __future__ import annotations

import os

from . import _native
from ._analysis import Analysis
from ._compare import Comparing
from ._estimate import Estimation
from ._evaluate import Evaluation
from ._labels import Grouping
from ._metrics import Metrics


def keep_drivers_quiet() -> None:
    """Without a desktop, Mesa's Vulkan layer would complain on stderr. To be called before a device is looked for."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        os.environ.setdefault("NODEVICE_SELECT", "1")


class Engine(Metrics, Analysis, Evaluation, Estimation, Comparing, Grouping):
    """A device, and everything that can be measured on it.

    device is "auto" (the best GPU, else the CPU), "cpu", "gpu" (a software one if need be), or the index, the name or a part of
    the name of one that `unisphere devices` lists. The functions of this package are the methods of an engine of "auto",
    which opens with the first call. An engine may be used by several threads at once. Raises DeviceError where no device
    matches.
    """

    def __init__(self, device: str | int = "auto") -> None:
        self._device = str(device)
        self._engine: _native.Engine | None = None
        self._open()

    @classmethod
    def _of_functions(cls) -> Engine:
        """One that opens with the first call."""
        engine = cls.__new__(cls)
        engine._device, engine._engine = "auto", None
        return engine

    def _open(self) -> _native.Engine:
        if self._engine is None:
            keep_drivers_quiet()
            self._engine = _native.Engine(self._device)
        return self._engine

    @property
    def kind(self) -> str:
        """ "cpu" or "gpu"."""
        return self._open().kind

    @property
    def name(self) -> str:
        """What the device calls itself."""
        return self._open().name

    def __repr__(self) -> str:
        return f"Engine({self._device!r})  # {self.kind}: {self.name}"

    def __reduce__(self) -> tuple[type[Engine], tuple[str]]:
        return Engine, (self._device,)
