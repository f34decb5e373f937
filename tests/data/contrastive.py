#!/usr/bin/env python3
"""Writes contrastive.json: losses and gradients of PyTorch's cross_entropy with autograd, in f64, for ../contrastive.rs.

Run with PyTorch and NumPy installed: python tests/data/contrastive.py
"""

import json
import pathlib

import torch
from torch.nn.functional import cross_entropy, normalize

N, QUEUE, DIMS = 16, 5, 5
# Rows enough for single precision to be in use, made of sines so that they need not be written down, nor all gradients.
MANY, MANY_DIMS, SHOWN = 300, 64, [0, 150, 299]


def one_way(x, y, queue, tau):
    return cross_entropy(x @ torch.cat([y, queue]).T / tau, torch.arange(len(x)))


def both_ways(x, y, queue, tau):
    return (one_way(x, y, queue, tau) + one_way(y, x, queue, tau)) / 2


def views(x, y, queue, tau):
    """NT-Xent as SimCLR's code has it: the logits of 2n views with themselves masked."""
    z = torch.cat([x, y])
    logits = z @ torch.cat([z, queue]).T / tau
    n = len(x)
    logits[torch.arange(2 * n), torch.arange(2 * n)] = -torch.inf
    return cross_entropy(logits, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))


def sines(factor):
    rows, columns = torch.meshgrid(
        torch.arange(1, MANY + 1).double(), torch.arange(1, MANY_DIMS + 1).double(), indexing="ij"
    )
    return torch.sin(factor * rows * columns)


def many():
    """The losses of larger sets, and some rows of their gradients."""
    x = sines(0.618).float().double()
    y = (x + 0.5 * sines(0.777)).float().double()
    for tau in (0.03, 0.07, 0.5):
        for loss in (one_way, both_ways, views):
            of = [rows.clone().requires_grad_() for rows in (x, y)]
            value = loss(*map(normalize, of), torch.empty(0, MANY_DIMS).double(), tau)
            value.backward()
            grad_x, grad_y = (rows.grad[SHOWN].flatten().tolist() for rows in of)
            yield {"candidates": loss.__name__, "tau": tau, "loss": value.item(), "grad_x": grad_x, "grad_y": grad_y}


def main():
    generator = torch.Generator().manual_seed(1)
    given = [
        torch.randn(rows, DIMS, generator=generator, dtype=torch.float32).double()
        for rows in (N, N, QUEUE)
    ]
    given[1] = (given[0] + 0.5 * given[1]).float().double()
    results = []
    for raw in (False, True):
        for queued in (False, True):
            for tau in (0.01, 0.07, 0.5):
                for loss in (one_way, both_ways, views):
                    x, y, queue = (rows.clone().requires_grad_() for rows in given)
                    seen = [x, y, queue if queued else queue[:0]]
                    if not raw:
                        seen = [normalize(rows) for rows in seen]
                    value = loss(*seen, tau)
                    value.backward()
                    results.append({
                        "candidates": loss.__name__,
                        "raw": raw,
                        "queue": queued,
                        "tau": tau,
                        "loss": value.item(),
                        "grad_x": x.grad.flatten().tolist(),
                        "grad_y": y.grad.flatten().tolist(),
                    })
    sets = dict(zip(("x", "y", "queue"), (rows.flatten().tolist() for rows in given)))
    out = pathlib.Path(__file__).with_suffix(".json")
    larger = {"rows": MANY, "dims": MANY_DIMS, "shown": SHOWN, "results": list(many())}
    data = {"rows": N, "dims": DIMS, "queue_rows": QUEUE, **sets, "results": results, "many": larger}
    out.write_text(json.dumps(data) + "\n")


if __name__ == "__main__":
    main()
