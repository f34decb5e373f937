"""Arrays of any library, as the engine takes them: f32, (n, d), contiguous. Such arrays are taken without a copy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, Union

import numpy as np
import numpy.typing as npt

from ._errors import InvalidInput

Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.float32]


class SupportsDLPack(Protocol):
    """An array of another library, such as a tensor."""

    def __dlpack__(self) -> Any: ...


Points: TypeAlias = Union[npt.ArrayLike, SupportsDLPack]
"""(n, d) numbers: a NumPy array, a tensor, a buffer, or lists of lists."""

PathOrPoints: TypeAlias = Union[Points, "os.PathLike[str]", str]
Numbers: TypeAlias = Union[npt.ArrayLike, SupportsDLPack]
Labels: TypeAlias = Union[npt.ArrayLike, SupportsDLPack, Sequence[str]]

_F32 = np.dtype(np.float32)


def rows(value: Points, name: str) -> Rows:
    """(n, d) contiguous rows of f32: the value's own memory where it is that already, else a copy."""
    array = value if isinstance(value, np.ndarray) else on_host(value, name)
    if array.dtype != _F32:
        array = _narrowed(array, name)
    if array.ndim != 2:
        cure = "; give one row a point: x[None, :] is one point" if array.ndim == 1 else ""
        raise InvalidInput(f"{name} must have the shape (n, d), and is {_shape(array)}{cure}")
    if type(array) is not np.ndarray:
        if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
            raise InvalidInput(f"{name} is a masked array, and masked values cannot be measured; fill them or leave out their rows")
        array = np.asarray(array)
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned):
        array = np.array(array, dtype=np.float32, order="C", copy=True)
    return array


def rows_or_none(value: Points | None, name: str) -> Rows | None:
    """The same of a set that may be left out."""
    return None if value is None else rows(value, name)


def paired(x: Points, y: Points) -> tuple[Rows, Rows]:
    """x and y, whose rows are pairs."""
    return rows(x, "x"), rows(y, "y")


def on_host(value: Any, name: str) -> npt.NDArray[Any]:
    """An array of NumPy. Tensors on other devices are copied to the host."""
    if getattr(value, "requires_grad", False) is True:
        raise InvalidInput(
            f"{name} is a tensor that requires grad, and NumPy functions have no gradients for it: "
            f"give {name}.detach(), or use the losses of unisphere.torch"
        )
    kind = getattr(getattr(value, "device", None), "type", "cpu")
    try:
        if isinstance(kind, str) and kind != "cpu" and hasattr(value, "cpu"):
            value = value.cpu()
        if str(getattr(value, "dtype", "")) == "torch.bfloat16":
            value = value.float()
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise InvalidInput(f"{name} cannot be read as an array of numbers: {error}") from error


def _shape(array: npt.NDArray[Any]) -> str:
    return "×".join(map(str, array.shape)) or "a single number"


def _narrowed(array: npt.NDArray[Any], name: str) -> Rows:
    if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
        raise InvalidInput(f"{name} must hold real numbers, such as float32, and its dtype is {array.dtype}")
    # What is too large for f32 is infinite there, and told with its row.
    with np.errstate(over="ignore"):
        return array.astype(np.float32, order="C")


def numbers(value: Numbers, name: str) -> Floats:
    """(n,) numbers as f64, such as weights."""
    array = on_host(value, name)
    if array.dtype.kind not in "fiub":
        raise InvalidInput(f"{name} must be numbers, and their dtype is {array.dtype}")
    if array.ndim != 1:
        raise InvalidInput(f"{name} must have the shape (n,), and is {_shape(array)}")
    return np.ascontiguousarray(array, dtype=np.float64)


def labels(value: Labels, name: str = "labels") -> tuple[npt.NDArray[np.int64], list[str] | None]:
    """(n,) labels as whole numbers, and names where these are places in them."""
    array = on_host(value, name)
    if array.ndim != 1:
        raise InvalidInput(f"{name} must have the shape (n,), and is {_shape(array)}")
    if array.dtype.kind in "iub":
        if array.dtype == np.uint64 and array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise InvalidInput(f"{name} holds {array.max()}, and labels go up to 2**63 - 1")
        return np.ascontiguousarray(array, dtype=np.int64), None
    if array.dtype.kind in "UO" and all(isinstance(label, str) for label in array):
        names, places = np.unique(array.astype(str), return_inverse=True)
        return np.ascontiguousarray(places, dtype=np.int64), [str(name) for name in names]
    raise InvalidInput(f"{name} must be whole numbers or names, and their dtype is {array.dtype}")
