"""The formulas in f64, as they are written down, with nothing of the package in them."""

import numpy as np


def wide(x, raw=False):
    x = np.asarray(x, dtype=np.float64)
    return x if raw else x / np.linalg.norm(x, axis=1, keepdims=True)


def squares(x, y):
    return ((x[:, None, :] - y[None, :, :]) ** 2).sum(-1)


def log_mean(values, weights=None):
    return np.log(np.average(values, weights=weights))


def uniformity(x, t=2.0, raw=False, weights=None):
    x = wide(x, raw)
    i, j = np.triu_indices(len(x), 1)
    of_pairs = None if weights is None else (np.outer(weights, weights))[i, j]
    return log_mean(np.exp(-t * squares(x, x)[i, j]), of_pairs)


def across(x, y, t=2.0):
    return log_mean(np.exp(-t * squares(wide(x), wide(y))).ravel())


def unpaired(x, y, t=2.0):
    return log_mean(np.exp(-t * squares(wide(x), wide(y)))[~np.eye(len(x), dtype=bool)])


def alignment(x, y, alpha=2.0, raw=False, weights=None):
    lengths = np.linalg.norm(wide(x, raw) - wide(y, raw), axis=1)
    return np.average(lengths**alpha, weights=weights)


def loss(x, y, alpha=2.0, t=2.0, weight=1.0):
    return weight * alignment(x, y, alpha) + (uniformity(x, t) + uniformity(y, t)) / 2


def log_softmax_at(logits, places):
    top = logits.max(1, keepdims=True)
    sums = np.log(np.exp(logits - top).sum(1)) + top[:, 0]
    return logits[np.arange(len(logits)), places] - sums


def contrastive(x, y, tau=0.07, candidates="both", queue=None):
    x, y = wide(x), wide(y)
    n = len(x)
    more = np.zeros((0, x.shape[1])) if queue is None else wide(queue)
    if candidates == "views":
        both = np.concatenate([x, y])
        logits = both @ np.concatenate([both, more]).T / tau
        logits[np.arange(2 * n), np.arange(2 * n)] = -np.inf
        return -log_softmax_at(logits, (np.arange(2 * n) + n) % (2 * n)).mean()
    ways = [(x, y)] if candidates == "one-way" else [(x, y), (y, x)]
    return np.mean([-log_softmax_at(a @ np.concatenate([b, more]).T / tau, np.arange(n)).mean() for a, b in ways])


def sigmoid(x, y, scale=10.0, bias=-10.0):
    logits = scale * wide(x) @ wide(y).T + bias
    z = 2 * np.eye(len(logits)) - 1
    return np.logaddexp(0, -z * logits).sum() / len(logits)


def supcon(x, labels, tau=0.1, y=None):
    x = wide(x) if y is None else np.concatenate([wide(x), wide(y)])
    labels = np.asarray(labels) if y is None else np.concatenate([labels, labels])
    logits = x @ x.T / tau
    np.fill_diagonal(logits, -np.inf)
    top = logits.max(1, keepdims=True)
    logs = logits - (np.log(np.exp(logits - top).sum(1, keepdims=True)) + top)
    same = (labels[:, None] == labels[None, :]) & ~np.eye(len(x), dtype=bool)
    return np.mean([-logs[i][same[i]].mean() for i in range(len(x)) if same[i].any()])


def mmd(x, y, t=2.0, paired=False):
    x, y = wide(x), wide(y)
    kernel = lambda a, b: np.exp(-t * squares(a, b))
    off = lambda k: k[~np.eye(len(k), dtype=bool)].mean()
    between = off(kernel(x, y)) if paired else kernel(x, y).mean()
    return off(kernel(x, x)) + off(kernel(y, y)) - 2 * between


def gradient(function, x, step=1e-5):
    """Central differences, in f64."""
    x = np.asarray(x, dtype=np.float64)
    found = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[place] += step
        behind[place] -= step
        found[place] = (function(ahead) - function(behind)) / (2 * step)
    return found
