"""The peers' ways to uniformity, t = 2: functions of unit rows x (n, d)."""

import functools

import torch

T = 2.0


def pdist(x):
    """As in the paper's code."""
    return torch.pdist(x).pow(2).mul(-T).exp().mean().log()


def matmul(x):
    """The n × n matrix of cosines, less its diagonal."""
    n = len(x)
    return torch.log((torch.exp(-T * (2 - 2 * x @ x.T)).sum() - n) / (n * (n - 1)))


@functools.cache
def compiled():
    return torch.compile(matmul)


def keops(x):
    """A sum that is reduced as it is made, without the matrix."""
    from pykeops.torch import LazyTensor

    n = len(x)
    squares = ((LazyTensor(x[:, None, :]) - LazyTensor(x[None, :, :])) ** 2).sum(-1)
    return torch.log(((-T * squares).exp().sum(1).sum() - n) / (n * (n - 1)))


FORMS = {
    "pdist": pdist,
    "matmul": matmul,
    "torch.compile of matmul": lambda x: compiled()(x),
    "KeOps": keops,
}


def value(form, x):
    with torch.no_grad():
        return FORMS[form](x).item()


def value_with_grad(form, x):
    """By automatic differentiation, with respect to the unit rows."""
    x = x.detach().requires_grad_()
    loss = FORMS[form](x)
    (grad,) = torch.autograd.grad(loss, x)
    return loss.item(), grad


def points(n, d, device, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(n, d, generator=generator), dim=1).to(device)


def finish(device):
    """Waits for the device."""
    if device == "cuda":
        torch.cuda.synchronize()
