"""Values and gradients of the losses of other libraries in f64, and the numbers of docs/other-libraries.md."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import unisphere

REASON = "scripts/test-python-clients installs it"
torch = pytest.importorskip("torch", reason=REASON)

from torch.nn.functional import normalize  # noqa: E402

ROOT = Path(__file__).parents[3]
LABELS = torch.arange(60) % 7


@pytest.fixture
def tensors(pairs):
    """The points in f64, as they are."""
    return [torch.tensor(values, dtype=torch.float64, requires_grad=True) for values in pairs]


def holds(metric, tensors, theirs, *sets, factor=1.0, **options):
    """Whether factor times a metric has their value, and their gradients."""
    value, gradients = unisphere.value_and_grad(metric, *sets, **options)
    assert factor * value == pytest.approx(theirs.item(), abs=1e-6)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    for found, want in zip(gradients, torch.autograd.grad(theirs, tensors[:len(gradients)])):
        assert np.linalg.norm(factor * found - want.numpy()) < 2e-5 * np.linalg.norm(want)


def test_lightly(pairs, tensors):
    lightly = pytest.importorskip("lightly.loss.hypersphere_loss", reason=REASON)
    for t, lam, alpha in ((1.0, 1.0, 2.0), (2.0, 0.5, 1.0)):
        theirs = lightly.HypersphereLoss(t=t, lam=lam, alpha=alpha)(*tensors)
        # lam is the weight of uniformity, and weight that of alignment.
        holds(unisphere.loss, tensors, theirs, *pairs, factor=lam, alpha=alpha, t=t, weight=1 / lam)


def test_open_clip(pairs, tensors):
    open_clip = pytest.importorskip("open_clip.loss", reason=REASON)
    for scale in (1 / 0.07, 100.0):
        theirs = open_clip.ClipLoss()(*map(normalize, tensors), scale)
        holds(unisphere.contrastive, tensors, theirs, *pairs, tau=1 / scale)
    theirs = open_clip.SigLipLoss()(*map(normalize, tensors), 10.0, -10.0)
    holds(unisphere.sigmoid, tensors, theirs, *pairs, scale=10.0, bias=-10.0)


def test_pytorch_metric_learning(pairs, tensors):
    library = pytest.importorskip("pytorch_metric_learning.losses", reason=REASON)
    x, y = pairs
    places = torch.arange(60).repeat(2)
    for tau in (0.07, 0.5):
        theirs = library.NTXentLoss(tau)(torch.cat(tensors), places)
        holds(unisphere.contrastive, tensors, theirs, x, y, tau=tau, candidates="views")
    for tau in (0.1, 0.5):
        holds(unisphere.supcon, tensors, library.SupConLoss(tau)(tensors[0], LABELS), x, LABELS, tau=tau)
        theirs = library.SupConLoss(tau)(torch.cat(tensors), LABELS.repeat(2))
        holds(unisphere.supcon, tensors, theirs, x, LABELS, tau=tau, y=y)
    # With several positives, their NT-Xent leaves the other positives out of the sum: another loss than SupCon.
    theirs = library.NTXentLoss(0.1)(tensors[0], LABELS).item()
    assert abs(theirs - unisphere.supcon(x, LABELS, 0.1)) > 0.01


def test_libraries_are_imported_on_demand():
    script = """
import sys, unisphere
loaded = {"torch", "sentence_transformers", "torchmetrics", "lightning", "ray", "pandas", "tqdm"} & set(sys.modules)
sys.exit(", ".join(loaded) or 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def uniformity(x, t=2.0):
    return torch.pdist(x).pow(2).mul(-t).exp().mean().log().item()


def with_diagonal(x):
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").pow(2).mul(-2).exp().mean().log().item()


def test_numbers_of_the_page():
    """Each number of the page is computed as its row says, and stands there."""
    kjv, web = (torch.tensor(np.load(ROOT / f"examples/data/verses-{name}.npy").astype(np.float32)) for name in ("kjv", "web"))
    x, y = normalize(kjv.double()), normalize(web.double())
    of_batches = [uniformity(batch) for batch in x.split(256)]
    low = normalize(kjv).bfloat16()
    products = (low @ low.T).double()[tuple(torch.triu_indices(len(x), len(x), 1))]
    numbers = {
        "all pairs i < j": uniformity(x),
        "t = 1": uniformity(x, 1.0),
        "t = 3": uniformity(x, 3.0),
        "mean of 16 batches of 256 rows": np.mean(of_batches),
        "with the diagonal": with_diagonal(x),
        "mean of 16 batches with the diagonal": np.mean([with_diagonal(batch) for batch in x.split(256)]),
        "both sets together": uniformity(torch.cat([x, y])),
        "mean of both sets": (uniformity(x) + uniformity(y)) / 2,
        "rows of three times the length": uniformity(3 * kjv.double()),
        "rows as bf16": uniformity(low.double()),
        "cosines as bf16": (2 - 2 * products).mul(-2).exp().mean().log().item(),
    }
    page = (ROOT / "docs/other-libraries.md").read_text(encoding="utf-8")
    missing = [f"| {what} | {value:.4f} |" for what, value in numbers.items() if f"| {what} | {value:.4f} |" not in page]
    assert not missing, missing
    assert numbers["all pairs i < j"] == pytest.approx(unisphere.uniformity(kjv), abs=1e-6)
    assert numbers["mean of both sets"] == pytest.approx(unisphere.evaluate(kjv, web).uniformity.mean, abs=1e-6)
    assert numbers["both sets together"] == pytest.approx(unisphere.uniformity(kjv, y=web, pairs="pooled"), abs=1e-6)
    assert numbers["rows of three times the length"] == pytest.approx(unisphere.uniformity(3 * kjv, raw=True), abs=1e-4)
