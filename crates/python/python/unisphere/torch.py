"""Losses for PyTorch, with gradients by the engine.

Tensors are (n, d) of any floating dtype. The engine computes in f32 with sums in f64, on the CPU or a GPU of its own: tensors of CUDA
go through host memory, of which a warning tells once. Gradients have the dtype and the device of their tensors. They are made in the
forward pass, where a tensor requires one, and cannot be differentiated again.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import torch
from torch import Tensor, nn

from . import _engine_of_functions
from ._arrays import labels as as_labels
from ._errors import InvalidInput
from ._metrics import Gradients

__all__ = [
    "AlignUniformLoss", "AlignmentLoss", "InfoNCELoss", "SigmoidLoss", "SupConLoss", "UniformityLoss", "align_uniform",
    "alignment", "info_nce", "sigmoid", "supcon", "uniformity",
]

_told_of_copies = False


def _on_host(tensor: Any, name: str) -> Any:
    global _told_of_copies
    if not isinstance(tensor, Tensor):
        raise InvalidInput(f"{name} must be a tensor, and is {type(tensor).__name__}")
    if not tensor.is_floating_point():
        raise InvalidInput(f"{name} must hold real numbers, such as float32, and its dtype is {tensor.dtype}")
    if tensor.is_meta:
        raise InvalidInput(f"{name} is on the device meta, which holds no values; give a tensor on another device")
    if tensor.device.type != "cpu" and not _told_of_copies:
        _told_of_copies = True
        warnings.warn(f"unisphere copies tensors of {tensor.device.type} to host memory and gradients back", stacklevel=6)
    return tensor.detach().to("cpu", torch.float32).numpy()


def _check_device(x: Any, other: Any, name: str) -> None:
    """Fails where the sets of one loss are on two devices, as PyTorch's own losses do. Other types are told of later."""
    if isinstance(x, Tensor) and isinstance(other, Tensor) and other.device != x.device:
        raise InvalidInput(f"x is on the device {x.device} and {name} on {other.device}; give {name}.to(x.device)")


class _Loss(torch.autograd.Function):
    """A metric of tensors and numbers. Its gradients are made in the forward pass and kept for the backward passes.

    with_grad tells whether PyTorch records operations, which it does in no forward pass itself.
    """

    @staticmethod
    def forward(
        ctx: Any, metric: str, names: tuple[str, ...], options: dict[str, Any], with_grad: bool, *inputs: Any
    ) -> Tensor:
        sets = [name for name in names if name in ("x", "y")]
        given = dict(options)
        for name, value in zip(names, inputs):
            if name in sets:
                given[name] = _on_host(value, name)
            else:
                given[name] = float(value.detach()) if isinstance(value, Tensor) else float(value)
        needed = ctx.needs_input_grad[-len(inputs):]
        wanted = [with_grad and isinstance(value, Tensor) and bool(need) for value, need in zip(inputs, needed)]
        ctx.shapes = [value.shape if isinstance(value, Tensor) else None for value in inputs]
        first = inputs[0]
        native = _engine_of_functions._open()
        if any(wanted):
            numbers = [name for name in names if name not in sets]
            by_parameter = any(want for name, want in zip(names, wanted) if name in numbers)
            value, gradients, derivatives = getattr(Gradients(native, by_parameter), metric)(**given)
            found = dict(zip(sets, gradients)) | dict(zip(numbers, derivatives))
            kept = []
            for name, tensor, want in zip(names, inputs, wanted):
                if want:
                    gradient = torch.as_tensor(found[name]).to(tensor.dtype).to(tensor.device)
                    kept.append(gradient.reshape(tensor.shape))
            ctx.save_for_backward(*kept)
        else:
            value = getattr(_engine_of_functions, metric)(**given)
        ctx.wanted = wanted
        dtype = first.dtype if first.dtype == torch.float64 else torch.float32
        return torch.tensor(value, dtype=dtype, device=first.device)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
        kept = iter(ctx.saved_tensors)
        gradients: list[Tensor | None] = []
        for want in ctx.wanted:
            gradient = next(kept) if want else None
            # The product is in the upstream's precision: a scaled loss would overflow f16 in its own.
            scaled = None if gradient is None else (upstream.to(gradient.device) * gradient).to(gradient.dtype)
            gradients.append(scaled)
        return (None, None, None, None, *gradients)


def _measure(metric: str, options: dict[str, Any], **inputs: Any) -> Tensor:
    names = tuple(name for name, value in inputs.items() if value is not None)
    _check_device(inputs["x"], inputs.get("y"), "y")
    with_grad = torch.is_grad_enabled()
    loss: Tensor = _Loss.apply(metric, names, options, with_grad, *(inputs[name] for name in names))
    return loss


def uniformity(x: Tensor, t: float = 2.0, *, raw: bool = False) -> Tensor:
    """log mean exp(−t‖xᵢ−xⱼ‖²) over the pairs i < j of x (n, d)."""
    return _measure("uniformity", {"raw": raw, "t": t}, x=x)


def alignment(x: Tensor, y: Tensor, alpha: float = 2.0, *, raw: bool = False) -> Tensor:
    """mean ‖xᵢ−yᵢ‖^alpha over the rows of x and y, (n, d) each."""
    return _measure("alignment", {"raw": raw, "alpha": alpha}, x=x, y=y)


def align_uniform(
    x: Tensor, y: Tensor, alpha: float = 2.0, t: float = 2.0, weight: float = 1.0, *, raw: bool = False
) -> Tensor:
    """weight · alignment + the mean of both uniformities, of x and y, (n, d) each: the paper's loss."""
    return _measure("loss", {"raw": raw, "alpha": alpha, "t": t, "weight": weight}, x=x, y=y)


def info_nce(
    x: Tensor, y: Tensor, tau: float | Tensor = 0.07,
    candidates: Literal["both", "both-ways", "one-way", "views"] = "both", *, queue: Tensor | None = None,
) -> Tensor:
    """The contrastive loss of x and y, (n, d) each. tau may be a tensor that requires grad. queue (m, d) has no gradient."""
    options: dict[str, Any] = {"candidates": candidates}
    if queue is not None:
        _check_device(x, queue, "queue")
        options["queue"] = _on_host(queue, "queue")
    return _measure("contrastive", options, x=x, y=y, tau=tau)


def sigmoid(x: Tensor, y: Tensor, scale: float | Tensor = 10.0, bias: float | Tensor = -10.0) -> Tensor:
    """The sigmoid loss of x and y, (n, d) each. scale and bias may be tensors that require grad."""
    return _measure("sigmoid", {}, x=x, y=y, scale=scale, bias=bias)


def supcon(x: Tensor, labels: Any, tau: float | Tensor = 0.1, *, y: Tensor | None = None) -> Tensor:
    """The supervised contrastive loss of x (n, d), or of two views x and y. labels (n,) are whole numbers or names."""
    of_rows, _ = as_labels(labels)
    return _measure("supcon", {"labels": of_rows}, x=x, y=y, tau=tau)


class UniformityLoss(nn.Module):
    """`uniformity` as a module."""

    def __init__(self, t: float = 2.0) -> None:
        super().__init__()
        self.t = t

    def forward(self, x: Tensor) -> Tensor:
        return uniformity(x, self.t)


class AlignmentLoss(nn.Module):
    """`alignment` as a module."""

    def __init__(self, alpha: float = 2.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return alignment(x, y, self.alpha)


class AlignUniformLoss(nn.Module):
    """`align_uniform` as a module."""

    def __init__(self, alpha: float = 2.0, t: float = 2.0, weight: float = 1.0) -> None:
        super().__init__()
        self.alpha, self.t, self.weight = alpha, t, weight

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return align_uniform(x, y, self.alpha, self.t, self.weight)


class InfoNCELoss(nn.Module):
    """`info_nce` as a module; with `learnable`, tau is a parameter."""

    def __init__(
        self, tau: float = 0.07, candidates: Literal["both", "both-ways", "one-way", "views"] = "both",
        learnable: bool = False,
    ) -> None:
        super().__init__()
        self.tau: Any = nn.Parameter(torch.tensor(tau)) if learnable else tau
        self.candidates: Literal["both", "both-ways", "one-way", "views"] = candidates

    def forward(self, x: Tensor, y: Tensor, queue: Tensor | None = None) -> Tensor:
        return info_nce(x, y, self.tau, self.candidates, queue=queue)


class SigmoidLoss(nn.Module):
    """`sigmoid` as a module, whose scale and bias are parameters unless `learnable` is false."""

    def __init__(self, scale: float = 10.0, bias: float = -10.0, learnable: bool = True) -> None:
        super().__init__()
        self.scale: Any = nn.Parameter(torch.tensor(scale)) if learnable else scale
        self.bias: Any = nn.Parameter(torch.tensor(bias)) if learnable else bias

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return sigmoid(x, y, self.scale, self.bias)


class SupConLoss(nn.Module):
    """`supcon` as a module."""

    def __init__(self, tau: float = 0.1) -> None:
        super().__init__()
        self.tau = tau

    def forward(self, x: Tensor, labels: Any, y: Tensor | None = None) -> Tensor:
        return supcon(x, labels, self.tau, y=y)
