"""examples/ddp.py: several processes have the loss and the gradient of one, by the formula in f64."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="scripts/test-python-clients installs it")

from torch.nn.functional import normalize  # noqa: E402

EXAMPLES = Path(__file__).parents[1] / "examples"
sys.path.insert(0, str(EXAMPLES))
import ddp  # noqa: E402


def uniformity(x):
    return torch.pdist(x).pow(2).mul(-2).exp().mean().log()


def of_the_formula():
    """The loss and the gradient of the whole batch, in f64, with nothing of the package."""
    model = ddp.encoder().double()
    x, y = (normalize(model(rows.double())) for rows in ddp.batch())
    loss = (x - y).norm(dim=1).pow(2).mean() + (uniformity(x) + uniformity(y)) / 2
    loss.backward()
    return loss.item(), torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("processes, by_accelerate", [(2, False), (4, False), (2, True)])
def test_processes_have_the_gradient_of_one(processes, by_accelerate, tmp_path):
    if by_accelerate and importlib.util.find_spec("accelerate") is None:
        pytest.skip("scripts/test-python-clients installs accelerate")
    want, gradient = of_the_formula()
    ddp.run(processes, by_accelerate, str(tmp_path))
    for rank in range(processes):
        found, of_process = torch.load(tmp_path / str(rank))
        assert found == pytest.approx(want, abs=2e-6)
        assert torch.linalg.norm(of_process.double() - gradient) < 2e-5 * torch.linalg.norm(gradient)


def test_a_mean_of_shares_is_another_loss():
    want, _ = of_the_formula()
    shares = [ddp.step(ddp.encoder(), x, y, lambda rows: rows, 1) for x, y in zip(*(rows.chunk(2) for rows in ddp.batch()))]
    assert abs(sum(shares) / 2 - want) > 0.01


def test_the_example_runs():
    printed = subprocess.run([sys.executable, str(EXAMPLES / "ddp.py")], capture_output=True, text=True, timeout=300)
    assert printed.returncode == 0, printed.stderr
    lines = sorted(printed.stdout.splitlines())
    assert len(lines) == 3 and len({line.split(": ")[-1].strip() for line in lines}) == 1
