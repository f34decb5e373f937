"""The contrastive loss and its gradients for both sets, beside PyTorch's cross_entropy with autograd."""

import sys

import forms
import program
import torch
from markdown import seconds, table
from rounds import Contender, alternate, observe
from torch.nn.functional import cross_entropy

TAU = 0.1
SIZES = [(8192, 768), (8192, 128)]


def one_way(x, y):
    return cross_entropy(x @ y.T / TAU, torch.arange(len(x), device=x.device))


def both_ways(x, y):
    logits, rows = x @ y.T / TAU, torch.arange(len(x), device=x.device)
    return (cross_entropy(logits, rows) + cross_entropy(logits.T, rows)) / 2


# As they are called in the table, by `unisphere eval` and by `unisphere bench`.
WAYS = [
    ("one way", "one-way", "one_way_contrastive_with_grad", one_way),
    ("both ways", "both-ways", "contrastive_with_grad", both_ways),
]


def with_grads(loss, x, y):
    x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
    value = loss(x, y)
    torch.autograd.grad(value, (x, y))
    return value.item()


def times(device, rounds, quick):
    rows = []
    where = "gpu" if device == "cuda" else "cpu"
    for n, d in SIZES:
        n = n // 16 if quick else n
        x, y = forms.points(n, d, device), forms.points(n, d, device, seed=1)
        for name, candidates, work, loss in WAYS:
            print(f"contrastive {name} {n} × {d}, {device}", file=sys.stderr)
            want = program.contrastive(x.cpu().numpy(), y.cpu().numpy(), TAU, candidates, where)
            value = with_grads(loss, x, y)
            if not abs(value - want) <= 1e-4:
                raise ValueError(f"cross_entropy says {value}, Unisphere {want}")
            ours = Contender("Unisphere", lambda: program.bench(work, n, d, where))
            peer = Contender("cross_entropy", lambda: observe(lambda: with_grads(loss, x, y), device))
            alternate([ours, peer], rounds)
            rows.append([f"{n} × {d}", name, seconds(peer.median()), seconds(ours.median()), f"{peer.over(ours):.1f}"])
    title = f"### Contrastive loss and both gradients, τ = {TAU}, {device}\n\n"
    return title + table(["n × d", "candidates", "cross_entropy with autograd", "Unisphere", "ratio"], rows)
