#!/usr/bin/env python3
"""Writes contrastive.json: losses and gradients of PyTorch's cross_entropy with autograd, in f64, for ../contrastive.rs.

Run with PyTorch and NumPy installed: python tests/data/contrastive.py
"""

import json
import pathlib

import torch
from torch.nn.functional import cross_entropy, normalize

N, QUEUE, DIMS = 16, 5, 5


def one_way(x, y, queue, tau):
    return cross_entropy(x @ torch.cat([y, queue]).T / tau, torch.arange(N))


def both_ways(x, y, queue, tau):
    return (one_way(x, y, queue, tau) + one_way(y, x, queue, tau)) / 2


def views(x, y, queue, tau):
    """NT-Xent as SimCLR's code has it: the logits of 2n views with themselves masked."""
    z = torch.cat([x, y])
    logits = z @ torch.cat([z, queue]).T / tau
    logits[torch.arange(2 * N), torch.arange(2 * N)] = -torch.inf
    return cross_entropy(logits, torch.cat([torch.arange(N, 2 * N), torch.arange(N)]))


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
    out.write_text(json.dumps({"rows": N, "dims": DIMS, "queue_rows": QUEUE, **sets, "results": results}) + "\n")


if __name__ == "__main__":
    main()
