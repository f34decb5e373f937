"""Values, and values with gradients, beside the peers'."""

import sys

import forms
import program
import torch
from markdown import seconds, table
from rounds import Contender, alternate, observe

WORK = {"value": "uniformity", "grad": "uniformity_with_grad"}
TITLE = {"value": "Value", "grad": "Value and gradient"}
# (n, d, peers): KeOps is not made for so many dimensions, and takes minutes for the larger sets.
SIZES = {
    "value": [
        (8192, 768, ["pdist", "matmul", "torch.compile of matmul"]),
        (8192, 128, ["pdist", "matmul", "torch.compile of matmul"]),
        (4096, 768, ["pdist", "matmul", "torch.compile of matmul", "KeOps"]),
    ],
    "grad": [
        (8192, 768, ["matmul", "torch.compile of matmul"]),
        (4096, 768, ["pdist", "matmul", "torch.compile of matmul", "KeOps"]),
        (4096, 128, ["pdist", "matmul", "torch.compile of matmul", "KeOps"]),
    ],
}
# What it takes to fill a GPU, with room for n × n matrices.
LARGE = [(32768, 512, ["matmul", "torch.compile of matmul"])]
TINY = [(n, 128, ["pdist", "matmul"]) for n in (2, 8, 64)]
PRODUCT = "plain f32 product"


def times(part, device, rounds, quick):
    """A part on a device, and of values the rate over that of PyTorch's plain product."""
    rows, rates = [], []
    for n, d, peers in SIZES[part] + (LARGE if device == "cuda" else []):
        n = n // 16 if quick else n
        contenders, missing = prepare(part, n, d, peers, device)
        side = 256 if quick else 4096
        if part == "value" and "KeOps" not in peers:
            contenders.append(product(side, device))
        alternate(contenders, rounds)
        ours, *others = contenders
        for peer in others:
            ratio = f"{peer.over(ours):.1f}"
            if peer.name != PRODUCT:
                rows.append([f"{n} × {d}", peer.name, seconds(peer.median()), seconds(ours.median()), ratio])
                continue
            # Operations in the same time: n(n−1)d of a value, 2 · side³ of the product.
            share = peer.over(ours) * n * (n - 1) * d / (2 * side**3)
            theirs, own = 2 * side**3 / peer.median(), n * (n - 1) * d / ours.median()
            rates.append([f"{n} × {d}", f"{theirs / 1e9:.0f}", f"{own / 1e9:.0f}", f"{share:.2f}"])
        rows += [[f"{n} × {d}", name, reason, seconds(ours.median()), "-"] for name, reason in missing]
    text = f"### {TITLE[part]}, {device}\n\n" + table(["n × d", "peer", "its time", "Unisphere", "ratio"], rows)
    if rates:
        text += f"\nGFLOP/s of PyTorch's {PRODUCT} of {side}³, and of Unisphere's value:\n\n"
        text += table(["n × d", PRODUCT, "Unisphere", "ratio"], rates)
    return text


def overhead(device, rounds):
    rows = []
    for n, d, peers in TINY:
        contenders, _ = prepare("value", n, d, peers, device)
        alternate(contenders, rounds)
        ours, *others = contenders
        rows.append([f"{n} × {d}", seconds(ours.median()), *(seconds(peer.median()) for peer in others)])
    return f"### One call, {device}\n\n" + table(["value, n × d", "Unisphere", *TINY[0][2]], rows)


def prepare(part, n, d, peers, device):
    """Unisphere and those peers that work, once all of their values agree; and why others do not."""
    print(f"{part} {n} × {d}, {device}", file=sys.stderr)
    x = forms.points(n, d, device)
    sample = x[:256]
    where = "gpu" if device == "cuda" else "cpu"
    want, want_of_sample = (program.uniformity(points.cpu().numpy(), where) for points in (x, sample))
    call = {"value": lambda *of: (forms.value(*of), None), "grad": forms.value_with_grad}[part]
    contenders = [Contender("Unisphere", lambda: program.bench(WORK[part], n, d, where))]
    missing, grads = [], []
    for name in peers:
        try:
            # Also compiles what depends on d.
            value, grad = call(name, sample)
            agree(name, value, want_of_sample)
            # KeOps has shown what it computes, and would take too long to show it twice.
            if name != "KeOps":
                agree(name, call(name, x)[0], want)
        except Wrong:
            raise
        except Exception as error:  # noqa: BLE001: whatever a peer fails with is its result
            print(f"{name}: {error}", file=sys.stderr)
            missing.append((name, f"fails: {type(error).__name__}"))
            continue
        if grad is not None:
            # The forms differ off the sphere, and so along each row.
            grads.append(grad - (grad * sample).sum(1, keepdim=True) * sample)
            torch.testing.assert_close(grads[-1], grads[0], rtol=1e-3, atol=1e-6)
        contenders.append(Contender(name, lambda name=name: observe(lambda: call(name, x), device)))
    return contenders, missing


class Wrong(Exception):
    """No use in timing it."""


def agree(name, value, want):
    if not abs(value - want) <= 1e-4:
        raise Wrong(f"{name} says {value}, Unisphere {want}")


def product(side, device):
    a = torch.rand(side, side, device=device)
    return Contender(PRODUCT, lambda: observe(lambda: a @ a, device))
