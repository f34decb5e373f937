#!/usr/bin/env python3
"""Writes losses.json: the sigmoid loss, the supervised contrastive loss and alignment by label, with PyTorch's autograd in
f64, for ../losses.rs.

The sigmoid loss is written as in the pseudo-code of Zhai et al. 2023 (Algorithm 1), the supervised contrastive loss by
equation 2 (L_out) of Khosla et al. 2020 as a masked log-softmax.

Run with PyTorch and NumPy installed: python tests/data/losses.py
"""

import json
import pathlib

import torch
from torch.nn.functional import logsigmoid, normalize

ROWS, DIMS = 24, 6


def sigmoid(x, y, scale, bias):
    logits = scale * x @ y.T + bias
    labels = 2 * torch.eye(len(x), dtype=torch.float64) - 1
    return -logsigmoid(labels * logits).sum() / len(x)


def supcon(z, labels, tau):
    logits = z @ z.T / tau
    own = torch.eye(len(z), dtype=torch.bool)
    log_softmax = torch.log_softmax(logits.masked_fill(own, -torch.inf), dim=1)
    positive = (labels[:, None] == labels[None, :]) & ~own
    anchors = positive.any(1)
    of_anchor = torch.where(positive, log_softmax, torch.zeros(())).sum(1) / positive.sum(1).clamp(min=1)
    return -of_anchor[anchors].mean()


def alignment_by_label(x, labels, alpha):
    i, j = torch.triu_indices(len(x), len(x), 1)
    alike = labels[i] == labels[j]
    return (x[i[alike]] - x[j[alike]]).norm(dim=1).pow(alpha).mean()


def main():
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(ROWS, DIMS, generator=generator, dtype=torch.float32).double()
    y = (x + 0.5 * torch.randn(ROWS, DIMS, generator=generator, dtype=torch.float32)).float().double()
    labels = torch.arange(ROWS) * 7 % 5
    labels[3] = 99
    results = []

    def add(name, parameters, value, leaves, of_parameters=()):
        grads = torch.autograd.grad(value, [*leaves, *of_parameters])
        result = {"loss": name, **parameters, "value": value.item()}
        for side, grad in zip(("grad_x", "grad_y"), grads):
            result[side] = grad.flatten().tolist()
            if len(leaves) == 1:
                break
        result["parameters"] = [grad.item() for grad in grads[len(leaves):]]
        results.append(result)

    for scale, bias in ((10.0, -10.0), (117.0, -12.9), (1.5, 0.7)):
        of = [rows.clone().requires_grad_() for rows in (x, y)]
        parameters = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (scale, bias)]
        add("sigmoid", {"scale": scale, "bias": bias}, sigmoid(*map(normalize, of), *parameters), of, parameters)
    for tau in (0.07, 0.1, 0.5):
        of = [rows.clone().requires_grad_() for rows in (x, y)]
        add("supcon", {"tau": tau}, supcon(normalize(of[0]), labels, tau), of[:1])
        both = torch.cat([normalize(rows) for rows in of])
        add("supcon of views", {"tau": tau}, supcon(both, labels.repeat(2), tau), of)
    for alpha in (1.0, 2.0, 3.0):
        of = x.clone().requires_grad_()
        add("alignment by label", {"alpha": alpha}, alignment_by_label(normalize(of), labels, alpha), [of])

    data = {"rows": ROWS, "dims": DIMS, "labels": labels.tolist()}
    data |= {name: rows.flatten().tolist() for name, rows in (("x", x), ("y", y))}
    out = pathlib.Path(__file__).with_suffix(".json")
    out.write_text(json.dumps(data | {"results": results}) + "\n")


if __name__ == "__main__":
    main()
