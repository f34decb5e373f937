"""Writes protocols.json beside this file: what the works that `unisphere eval --protocol` names compute on the
example data, by their own formulas, in PyTorch and f64.

    python tests/data/protocols.py        # torch and numpy

paper     align_uniform/__init__.py and examples/stl10/main.py of github.com/ssnl/align_uniform
moco      moco/builder.py of github.com/ssnl/moco_align_uniform, with its defaults in main_moco.py
simcse    section 2.3 of arXiv 2104.08821 and github.com/princeton-nlp/SimCSE, issue 41
directau  recbole/model/general_recommender/directau.py and properties/model/DirectAU.yaml of
          github.com/THUwangcy/DirectAU
lightly   lightly/loss/hypersphere_loss.py of github.com/lightly-ai/lightly
"""

import json
from pathlib import Path

import numpy
import torch
from torch.nn.functional import cross_entropy, normalize

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples" / "data"
ROWS = 700  # the first rows are x and y, those after them the queue
QUEUE = 1500


def points(name):
    return torch.from_numpy(numpy.load(EXAMPLES / f"verses-{name}.npy").astype(numpy.float64))


def sphere(x):
    return normalize(x, dim=1)


def align(x, y, alpha):
    return (x - y).norm(p=2, dim=1).pow(alpha).mean()


def uniform(x, t):
    return torch.pdist(x, p=2).pow(2).mul(-t).exp().mean().log()


def both(x, y, t):
    return (uniform(x, t) + uniform(y, t)) / 2


def weighted_align(x, y, weights):
    return (weights * (x - y).norm(p=2, dim=1).pow(2)).sum() / weights.sum()


def weighted_uniform(x, weights, t):
    pairs = torch.triu_indices(len(x), len(x), offset=1)  # in the order of pdist
    w = weights[pairs[0]] * weights[pairs[1]]
    return (w * torch.pdist(x, p=2).pow(2).mul(-t).exp()).sum().div(w.sum()).log()


def paper(x, y):
    a, u = align(x, y, 2), both(x, y, 2)
    return {"alignment": a, "uniformity": u, "loss": a + u}


def moco(q, k, queue):
    a = 2 - 2 * (q * k).sum(dim=1).mean()
    squares = torch.cat([(2 - 2 * q @ queue.T).flatten(), torch.pdist(q, p=2).pow(2)])
    u = squares.mul(-3).exp().mean().log()
    return {"alignment": a, "uniformity": u, "loss": 3 * a + u}


def simcse(x, y, scores):
    close = scores > 4
    a = align(x[close], y[close], 2)
    return {"alignment": a, "uniformity": uniform(torch.cat([x, y]), 2)}


def directau(x, y):
    a, u = align(x, y, 2), both(x, y, 2)
    return {"alignment": a, "uniformity": u, "loss": a + 1 * u}


def directau_by_frequency(x, y, counts):
    a = weighted_align(x, y, counts)
    u = (weighted_uniform(x, counts, 2) + weighted_uniform(y, counts, 2)) / 2
    return {"alignment": a, "uniformity": u, "loss": a + 1 * u}


def lightly(x, y):
    a, u = align(x, y, 2), both(x, y, 1)
    return {"alignment": a, "uniformity": u, "loss": a + 1 * u}


def one_way(x, y, queue, tau):
    others = y if queue is None else torch.cat([y, queue])
    return cross_entropy(x @ others.T / tau, torch.arange(len(x)))


def both_ways(x, y, queue, tau):
    return (one_way(x, y, queue, tau) + one_way(y, x, queue, tau)) / 2


def views(x, y, queue, tau):
    z = torch.cat([x, y])
    logits = (z @ z.T).fill_diagonal_(-torch.inf) / tau
    if queue is not None:
        logits = torch.cat([logits, z @ queue.T / tau], dim=1)
    n = len(x)
    return cross_entropy(logits, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))


def main():
    x, y = points("kjv"), points("web")
    queue = sphere(y[ROWS : ROWS + QUEUE])
    x, y = sphere(x[:ROWS]), sphere(y[:ROWS])
    counts = 1 + torch.arange(ROWS, dtype=torch.float64) % 3
    scores = torch.arange(ROWS) % 6  # as STS-B has them, 0 to 5
    protocols = {
        "paper": paper(x, y),
        "moco": moco(x, y, queue),
        "simcse": simcse(x, y, scores),
        "directau": directau(x, y),
        "directau_by_frequency": directau_by_frequency(x, y, counts),
        "lightly": lightly(x, y),
    }
    losses = {"one-way": one_way, "both-ways": both_ways, "views": views}
    contrastive = [
        {"candidates": name, "queue": held is not None, "tau": tau, "loss": loss(x, y, held, tau).item()}
        for name, loss in losses.items()
        for held in (None, queue)
        for tau in (0.01, 0.07, 0.5)
    ]
    values = {name: {key: v.item() for key, v in of.items()} for name, of in protocols.items()}
    made = {"rows": ROWS, "queue": QUEUE, "protocols": values, "contrastive": contrastive}
    (HERE / "protocols.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
