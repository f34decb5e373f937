"""Losses and their gradients against plain formulas of PyTorch in f64."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import unisphere

torch = pytest.importorskip("torch", reason="torch is not installed: UNISPHERE_TORCH=1 asks scripts/test-python for it")
import unisphere.torch as losses  # noqa: E402
from torch.nn.functional import cross_entropy, logsigmoid, normalize  # noqa: E402

LABELS = torch.arange(60) % 7


def uniformity(x, t=2.0):
    return torch.pdist(normalize(x)).pow(2).mul(-t).exp().mean().log()


def alignment(x, y, alpha=2.0):
    return (normalize(x) - normalize(y)).norm(dim=1).pow(alpha).mean()


def info_nce(x, y, tau):
    logits, places = normalize(x) @ normalize(y).T / tau, torch.arange(len(x))
    return (cross_entropy(logits, places) + cross_entropy(logits.T, places)) / 2


def sigmoid(x, y, scale, bias):
    logits = scale * normalize(x) @ normalize(y).T + bias
    return -logsigmoid((2 * torch.eye(len(x)) - 1) * logits).sum() / len(x)


def supcon(x, tau=0.1):
    logits = (normalize(x) @ normalize(x).T / tau).masked_fill(torch.eye(len(x), dtype=bool), -1e30)
    logs = logits - logits.logsumexp(1, keepdim=True)
    same = (LABELS[:, None] == LABELS[None]) & ~torch.eye(len(x), dtype=bool)
    return -((logs * same).sum(1) / same.sum(1)).mean()


@pytest.fixture
def tensors(pairs):
    return [torch.tensor(values, requires_grad=True) for values in pairs]


def number(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


CASES = [
    (lambda x, y: losses.UniformityLoss()(x), lambda x, y: uniformity(x)),
    (lambda x, y: losses.AlignmentLoss()(x, y), alignment),
    (lambda x, y: losses.AlignmentLoss(1.0)(x, y), lambda x, y: alignment(x, y, 1.0)),
    (
        lambda x, y: losses.AlignUniformLoss(weight=0.5)(x, y),
        lambda x, y: 0.5 * alignment(x, y) + (uniformity(x) + uniformity(y)) / 2,
    ),
    (lambda x, y: losses.InfoNCELoss(0.1)(x, y), lambda x, y: info_nce(x, y, 0.1)),
    (lambda x, y: losses.SigmoidLoss()(x, y), lambda x, y: sigmoid(x, y, 10.0, -10.0)),
    (lambda x, y: losses.SupConLoss()(x, LABELS), lambda x, y: supcon(x)),
]


def close(gradient, want, within=2e-5):
    return torch.linalg.norm(gradient.double() - want) <= within * torch.linalg.norm(want)


@pytest.mark.parametrize("loss, formula", CASES)
def test_values_and_gradients(loss, formula, tensors):
    wide = [tensor.detach().double().requires_grad_() for tensor in tensors]
    found, want = loss(*tensors), formula(*wide)
    assert found.item() == pytest.approx(want.item(), abs=2e-6) and found.dtype == torch.float32
    # An upstream gradient, and the same tensor in two losses of one step.
    (3 * found + losses.uniformity(tensors[0])).backward()
    (3 * want + uniformity(wide[0])).backward()
    for tensor, of_formula in zip(tensors, wide):
        assert (tensor.grad is None) == (of_formula.grad is None)
        assert tensor.grad is None or close(tensor.grad, of_formula.grad)


def test_learnable_numbers(tensors):
    wide = [tensor.detach().double() for tensor in tensors]
    tau, want_tau = number(0.1), number(0.1)
    losses.info_nce(*tensors, tau).backward()
    info_nce(*wide, want_tau).backward()
    assert tau.grad.item() == pytest.approx(want_tau.grad.item(), rel=1e-4)
    module = losses.SigmoidLoss()
    module(*tensors).backward()
    scale, bias = number(10.0), number(-10.0)
    sigmoid(*wide, scale, bias).backward()
    assert module.scale.grad.item() == pytest.approx(scale.grad.item(), rel=1e-4)
    assert module.bias.grad.item() == pytest.approx(bias.grad.item(), rel=1e-4)
    assert len(list(losses.InfoNCELoss(learnable=True).parameters())) == 1


def test_graphs(tensors):
    x, y = tensors
    loss = losses.uniformity(x)
    loss.backward(retain_graph=True)
    once = x.grad.clone()
    loss.backward()
    assert torch.equal(x.grad, 2 * once)
    with torch.no_grad():
        assert not losses.align_uniform(x, y).requires_grad
    assert losses.alignment(x.detach(), y.detach()).grad_fn is None
    (of_y,) = torch.autograd.grad(losses.alignment(x.detach(), y), y)
    assert of_y.shape == y.shape
    (first,) = torch.autograd.grad(losses.uniformity(x), x, create_graph=True)
    with pytest.raises(RuntimeError):
        first.sum().backward()


def test_layouts_and_dtypes(pairs):
    base = torch.tensor(np.asfortranarray(pairs[0]).T.copy())
    strided = base.T.requires_grad_()
    assert not strided.is_contiguous()
    losses.uniformity(strided).backward()
    plain = torch.tensor(pairs[0], requires_grad=True)
    losses.uniformity(plain).backward()
    assert torch.equal(strided.grad, plain.grad)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        x = torch.tensor(pairs[0]).to(dtype).requires_grad_()
        losses.uniformity(x).backward()
        wide = x.detach().double().requires_grad_()
        uniformity(wide).backward()
        within = {torch.float16: 2e-3, torch.bfloat16: 1e-2, torch.float64: 2e-5}[dtype]
        assert x.grad.dtype == dtype and close(x.grad, wide.grad, within)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer = torch.nn.Linear(12, 8)
        losses.uniformity(layer(torch.tensor(pairs[0]))).backward()
    assert layer.weight.grad.isfinite().all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
def test_cuda_goes_through_the_host(tensors):
    x = tensors[0].detach().cuda().requires_grad_()
    with pytest.warns(UserWarning, match="host memory"):
        losses.uniformity(x).backward()
    assert x.grad.device == x.device


def test_numpy_functions_take_tensors_without_gradients(tensors):
    x, y = tensors
    for call in (lambda: unisphere.uniformity(x), lambda: unisphere.alignment(x.detach(), y)):
        with pytest.raises(unisphere.InvalidInput, match=r"detach\(\)"):
            call()
    assert unisphere.uniformity(x.detach()) == unisphere.uniformity(x.detach().numpy())
    assert unisphere.uniformity(x.detach().bfloat16()) == unisphere.uniformity(x.detach().bfloat16().float())


def test_errors_are_named(tensors):
    x, y = tensors
    with pytest.raises(unisphere.InvalidInput, match="x must be a tensor"):
        losses.uniformity(x.detach().numpy())
    with pytest.raises(unisphere.InvalidInput, match="x must hold"):
        losses.uniformity(LABELS[:, None])
    with pytest.raises(unisphere.InvalidInput, match="x and y"):
        losses.alignment(x, y[:5])


def test_training_spreads_points():
    torch.manual_seed(0)
    x = torch.randn(200, 8).add(2.0).requires_grad_()
    optimizer, loss = torch.optim.Adam([x], 0.1), losses.UniformityLoss()
    began = loss(x).item()
    for _ in range(60):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
    assert loss(x).item() < began - 1.0 and loss(x).item() < unisphere.floor(8) + 0.1


def test_modules_are_pickled_and_torch_is_imported_on_demand(tensors):
    module = pickle.loads(pickle.dumps(losses.AlignUniformLoss(weight=2.0)))
    assert module(*tensors).item() == losses.align_uniform(*tensors, weight=2.0).item()
    script = "import sys, unisphere; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
