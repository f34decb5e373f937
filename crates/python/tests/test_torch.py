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


def test_no_gradient_is_made_where_none_is_recorded(pairs, monkeypatch):
    x, y = (torch.tensor(rows).requires_grad_() for rows in pairs)
    with torch.no_grad():
        want = losses.align_uniform(x, y)
    with monkeypatch.context() as without:
        # Whatever asks for gradients would fail.
        without.setattr(losses, "Gradients", None)
        with torch.no_grad():
            assert losses.align_uniform(x, y) == want
        with torch.inference_mode():
            assert losses.align_uniform(x, y) == want
        with pytest.raises(TypeError):
            losses.align_uniform(x, y)
    losses.align_uniform(x, y).backward()
    assert x.grad is not None


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
    # The device meta stands for one that this machine may not have.
    elsewhere = torch.empty(y.shape, device="meta")
    with pytest.raises(unisphere.InvalidInput, match=r"x is on the device cpu and y on meta; give y\.to\(x\.device\)"):
        losses.alignment(x, elsewhere)
    with pytest.raises(unisphere.InvalidInput, match=r"give queue\.to\(x\.device\)"):
        losses.info_nce(x, y, queue=elsewhere)
    with pytest.raises(unisphere.InvalidInput, match="x is on the device meta, which holds no values"):
        losses.uniformity(elsewhere)
    with pytest.raises(unisphere.InvalidInput, match="y cannot be read"):
        unisphere.alignment(x.detach(), elsewhere)


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


class Views(torch.utils.data.Dataset):
    """256 points (16,) of four clusters, each as two views. The noise of a view is its row's own, whichever process makes it."""

    def __init__(self, measured=False):
        random = torch.Generator().manual_seed(0)
        centres = 3 * torch.randn(4, 16, generator=random)
        self.points = centres[torch.arange(256) % 4] + torch.randn(256, 16, generator=random)
        self.measured = measured

    def __len__(self):
        return len(self.points)

    def __getitem__(self, row):
        noise = 0.3 * torch.randn(2, 16, generator=torch.Generator().manual_seed(row))
        x, y = self.points[row] + noise[0], self.points[row] + noise[1]
        return (x, y, losses.alignment(x[None], y[None]).item()) if self.measured else (x, y)


def loader(workers, context=None, **options):
    kept = workers > 0
    return torch.utils.data.DataLoader(
        Views(**options), 64, num_workers=workers, multiprocessing_context=context, persistent_workers=kept
    )


def trained(batches):
    """The losses of an encoder's steps, and its weights after them."""
    torch.manual_seed(0)
    encoder = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 8))
    optimizer, loss, steps = torch.optim.Adam(encoder.parameters(), 0.01), losses.AlignUniformLoss(), []
    for _ in range(5):
        for x, y in batches:
            optimizer.zero_grad()
            step = loss(encoder(x), encoder(y))
            step.backward()
            optimizer.step()
            steps.append(step.item())
    return steps, torch.nn.utils.parameters_to_vector(encoder.parameters())


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_an_encoder_is_trained_on_batches_of_two_workers(context):
    if context not in torch.multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {context} here")
    steps, weights = trained(loader(0))
    assert steps[-1] < steps[0] - 0.5
    # The workers' batches are the same, and so is every bit of the training.
    of_workers, weights_of_workers = trained(loader(2, context))
    assert of_workers == steps and torch.equal(weights_of_workers, weights)


def test_workers_measure_where_they_are_spawned_and_say_so_where_they_are_forked(tensors):
    losses.uniformity(tensors[0])
    want = [alignment for *_, alignment in loader(0, measured=True)]
    found = [alignment for *_, alignment in loader(2, "spawn", measured=True)]
    assert all(torch.equal(one, other) for one, other in zip(found, want, strict=True))
    if "fork" in torch.multiprocessing.get_all_start_methods():
        with pytest.raises(unisphere.ForkError, match="spawn"):
            list(loader(2, "fork", measured=True))


def in_a_process(rank, folder):
    """A process's loss and gradients."""
    x, y = (tensor.requires_grad_() for tensor in torch.load(f"{folder}/pairs"))
    loss = losses.AlignUniformLoss()(x, y)
    loss.backward()
    torch.save([loss.detach(), x.grad, y.grad], f"{folder}/{rank}")


def test_spawned_processes_have_the_bits_of_their_parent(tensors, tmp_path):
    torch.save([tensor.detach() for tensor in tensors], tmp_path / "pairs")
    in_a_process("parent", tmp_path)
    torch.multiprocessing.spawn(in_a_process, (tmp_path,), nprocs=2)
    want = torch.load(tmp_path / "parent")
    for rank in range(2):
        found = torch.load(tmp_path / str(rank))
        assert all(torch.equal(one, other) for one, other in zip(found, want, strict=True))


@pytest.mark.skipif("fork" not in torch.multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_a_fork_after_use_is_an_error_that_says_so(tensors, tmp_path):
    torch.save([tensor.detach() for tensor in tensors], tmp_path / "pairs")
    in_a_process("parent", tmp_path)
    children = torch.multiprocessing.start_processes(
        in_a_process, (tmp_path,), nprocs=2, join=False, daemon=True, start_method="fork"
    )
    with pytest.raises(torch.multiprocessing.ProcessRaisedException, match="ForkError.*spawn"):
        children.join(60)


THREADS = """
import sys, torch
torch.set_num_threads(3)
before = torch.get_num_threads(), torch.get_num_interop_threads()
import numpy, unisphere, unisphere.torch
assert (torch.get_num_threads(), torch.get_num_interop_threads()) == before
x = torch.ones(2000, 64).cumsum(0).requires_grad_()
unisphere.torch.uniformity(x).backward()
unisphere.uniformity(x.detach())
assert (torch.get_num_threads(), torch.get_num_interop_threads()) == before
"""


def test_threads_of_pytorch_stay_as_they_were():
    assert subprocess.run([sys.executable, "-c", THREADS], timeout=120).returncode == 0
