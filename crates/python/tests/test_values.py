"""Values and gradients against the formulas in f64."""

import formulas
import numpy as np
import pytest
import unisphere

LABELS = np.arange(60) % 7
ENGINES = [unisphere, unisphere.Engine("cpu")]


@pytest.mark.parametrize("on", ENGINES, ids=["functions", "engine"])
def test_values(on, x, y):
    for t in (0.5, 2.0, 5.0):
        assert on.uniformity(x, t) == pytest.approx(formulas.uniformity(x, t), abs=1e-6)
    weights = np.linspace(0.0, 2.0, 60)
    assert on.uniformity(x, weights=weights) == pytest.approx(formulas.uniformity(x, weights=weights), abs=1e-6)
    assert on.uniformity(x, raw=True) == pytest.approx(formulas.uniformity(x, raw=True), rel=1e-6)
    assert on.uniformity(x, y=y[:40]) == pytest.approx(formulas.across(x, y[:40]), abs=1e-6)
    assert on.uniformity(x, y=y, pairs="unpaired") == pytest.approx(formulas.unpaired(x, y), abs=1e-6)
    both = np.concatenate([x, y])
    assert on.uniformity(x, y=y, pairs="pooled") == pytest.approx(formulas.uniformity(both), abs=1e-6)
    assert on.alignment(x, y) == pytest.approx(formulas.alignment(x, y), rel=1e-6)
    assert on.alignment(x, y, 1.0, weights=weights) == pytest.approx(formulas.alignment(x, y, 1.0, weights=weights), rel=1e-6)
    assert on.alignment(x, y, raw=True) == pytest.approx(formulas.alignment(x, y, raw=True), rel=1e-6)
    assert on.loss(x, y, 2.0, 3.0, 0.7) == pytest.approx(formulas.loss(x, y, 2.0, 3.0, 0.7), abs=1e-6)
    for candidates in ("both", "one-way", "views"):
        want = formulas.contrastive(x, y, 0.07, candidates)
        assert on.contrastive(x, y, 0.07, candidates) == pytest.approx(want, rel=1e-5, abs=1e-6)
    want = formulas.contrastive(x, y, 0.5, "one-way", queue=y[:9] + x[9:18])
    assert on.contrastive(x, y, 0.5, "one-way", queue=y[:9] + x[9:18]) == pytest.approx(want, abs=1e-6)
    assert on.sigmoid(x, y) == pytest.approx(formulas.sigmoid(x, y), rel=1e-6)
    assert on.supcon(x, LABELS) == pytest.approx(formulas.supcon(x, LABELS), rel=1e-6)
    assert on.supcon(x, LABELS, 0.2, y=y) == pytest.approx(formulas.supcon(x, LABELS, 0.2, y), rel=1e-6)
    assert on.mmd(x, y) == pytest.approx(formulas.mmd(x, y), abs=1e-7)
    assert on.mmd(x, y, pairs="unpaired") == pytest.approx(formulas.mmd(x, y, paired=True), abs=1e-7)


def test_results_are_floats_and_arrays(x, y):
    assert type(unisphere.uniformity(x)) is float and type(unisphere.alignment(x, y)) is float
    curve = unisphere.uniformity(x, [0.5, 2.0])
    assert curve.dtype == np.float64
    np.testing.assert_allclose(curve, [formulas.uniformity(x, t) for t in (0.5, 2.0)], atol=1e-6)


CASES = [
    ("uniformity", (), {}, lambda x, y: formulas.uniformity(x)),
    ("uniformity", (), {"raw": True, "t": 0.1}, lambda x, y: formulas.uniformity(x, 0.1, raw=True)),
    ("uniformity", ("y",), {}, formulas.across),
    ("uniformity", ("y",), {"pairs": "unpaired"}, formulas.unpaired),
    ("alignment", ("y",), {}, formulas.alignment),
    ("alignment", ("y",), {"raw": True}, lambda x, y: formulas.alignment(x, y, raw=True)),
    ("alignment", ("y",), {"alpha": 1.0}, lambda x, y: formulas.alignment(x, y, 1.0)),
    ("loss", ("y",), {"weight": 0.5}, lambda x, y: formulas.loss(x, y, weight=0.5)),
    ("contrastive", ("y",), {"tau": 0.2}, lambda x, y: formulas.contrastive(x, y, 0.2)),
    ("contrastive", ("y",), {"tau": 0.2, "candidates": "views"}, lambda x, y: formulas.contrastive(x, y, 0.2, "views")),
    ("sigmoid", ("y",), {}, formulas.sigmoid),
    ("supcon", (), {"labels": LABELS[:14]}, lambda x, y: formulas.supcon(x, LABELS[:14])),
    ("supcon", ("y",), {"labels": LABELS[:14]}, lambda x, y: formulas.supcon(x, LABELS[:14], y=y)),
]


@pytest.mark.parametrize("name, sets, options, formula", CASES)
def test_gradients(name, sets, options, formula, x, y):
    x, y = x[:14, :5].copy(), y[:14, :5].copy()
    given = {"y": y} if sets else {}
    value, gradients = unisphere.value_and_grad(getattr(unisphere, name), x, **given, **options)
    assert value == pytest.approx(formula(x, y), rel=1e-5)
    wants = [formulas.gradient(lambda x: formula(x, y), x)]
    if sets:
        wants.append(formulas.gradient(lambda y: formula(x, y), y))
    else:
        gradients = (gradients,)
    assert len(gradients) == len(wants)
    for gradient, want in zip(gradients, wants):
        assert gradient.shape == x.shape and gradient.dtype == np.float32
        assert np.linalg.norm(gradient - want) < 2e-5 * np.linalg.norm(want)
    by_name = unisphere.value_and_grad(name, x, **given, **options)
    assert by_name[0] == value


def test_analysis(x, y):
    kernel = np.exp(-2 * formulas.squares(formulas.wide(x), formulas.wide(x)))
    want = np.log((kernel.sum(1) - 1) / (len(x) - 1))
    np.testing.assert_allclose(unisphere.potentials(x), want, atol=1e-6)
    np.testing.assert_allclose(
        unisphere.pair_distances(x, y), np.linalg.norm(formulas.wide(x) - formulas.wide(y), axis=1), rtol=1e-6
    )
    unit = formulas.wide(x)
    found = unisphere.spectrum(x)
    want = np.linalg.eigvalsh(np.cov(unit.T, bias=True))[::-1]
    np.testing.assert_allclose(found.eigenvalues, want, atol=1e-7)
    assert found.mean_norm == pytest.approx(np.linalg.norm(unit.mean(0)), abs=1e-7)
    shares = want / want.sum()
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-5)
    assert found.participation_ratio == pytest.approx(1 / (shares**2).sum(), rel=1e-5)
    sigma = np.linalg.svd(unit, compute_uv=False)
    p = sigma / sigma.sum() + 1e-7
    assert found.rank_me == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-5)
    counted = unisphere.histogram(x, 8)
    want, edges = np.histogram((unit @ unit.T)[np.triu_indices(60, 1)], bins=8, range=(-1, 1))
    np.testing.assert_array_equal(counted.counts, want)
    np.testing.assert_allclose(counted.edges, edges)
    distances = np.sqrt(formulas.squares(unit, formulas.wide(y)))
    close = unisphere.close_pairs(x, 0.5, y=y, limit=7)
    assert close.count == (distances <= 0.5).sum()
    np.testing.assert_allclose(distances[tuple(close.rows.T)], close.distances, atol=1e-6)


def test_floor():
    assert unisphere.floor(128) == pytest.approx(-3.937530, abs=1e-6)
    for d, t in ((0, 2.0), (3, 0.0), (3, float("nan"))):
        with pytest.raises(unisphere.InvalidInput):
            unisphere.floor(d, t)
