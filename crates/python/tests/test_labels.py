"""Groups, retrieval, and sets that are not paired, against the formulas and the program."""

import json
import subprocess
import sys

import formulas
import numpy as np
import pytest
import unisphere

NAMES = np.array(["c", "a", "b", "a"])[np.arange(60) % 4]
ENGINE = unisphere.Engine("cpu")


def test_uniformity_of_groups(x):
    found = unisphere.group_uniformity(x, NAMES, 1.5, across=True)
    assert found.labels == ["a", "b", "c"] and list(found.sizes) == [30, 15, 15]
    sets = [x[NAMES == name] for name in "abc"]
    np.testing.assert_allclose(found.within, [formulas.uniformity(of, 1.5) for of in sets], atol=1e-6)
    want = [[formulas.uniformity(a, 1.5) if a is b else formulas.across(a, b, 1.5) for b in sets] for a in sets]
    np.testing.assert_allclose(found.across, want, atol=1e-6)
    alone = unisphere.group_uniformity(x, np.maximum(np.arange(60) - 57, 0), 1.5)
    assert alone.labels == [0, 1, 2] and alone.across is None and np.isnan(alone.within[1:]).all()
    raw = unisphere.group_uniformity(x, np.zeros(60, int), 0.1, raw=True)
    assert raw.within[0] == pytest.approx(formulas.uniformity(x, 0.1, raw=True), rel=1e-6)


def test_groups_of_weighted_rows(x):
    weights = np.arange(60) % 5 / 2.0
    found = unisphere.group_uniformity(x, NAMES, weights=weights)
    for name, size, value in zip(found.labels, found.sizes, found.within):
        here = NAMES == name
        assert size == (weights[here] > 0).sum()
        assert value == pytest.approx(formulas.uniformity(x[here], weights=weights[here]), abs=1e-6)
    for alpha in (1.0, 2.0):
        got = unisphere.alignment_by_label(x, NAMES, alpha, weights=weights)
        assert got == pytest.approx(by_label(x, NAMES, alpha, weights), rel=1e-6)
    x, labels, weights = x[:14, :5].copy(), np.arange(14) % 3, weights[:14]
    for alpha in (1.5, 2.0):
        value, gradient = unisphere.value_and_grad(unisphere.alignment_by_label, x, labels, alpha, weights=weights)
        assert value == pytest.approx(by_label(x, labels, alpha, weights), rel=1e-6)
        want = formulas.gradient(lambda x: by_label(x, labels, alpha, weights), x)
        assert np.linalg.norm(gradient - want) < 2e-5 * np.linalg.norm(want)
    with pytest.raises(unisphere.InvalidInput, match="weights"):
        unisphere.alignment_by_label(x, labels, weights=weights[1:])


def by_label(x, labels, alpha=2.0, weights=None):
    i, j = np.triu_indices(len(x), 1)
    same = labels[i] == labels[j]
    weights = None if weights is None else (weights[i] * weights[j])[same]
    powers = formulas.squares(formulas.wide(x), formulas.wide(x))[i, j][same] ** (alpha / 2)
    return np.average(powers, weights=weights)


def test_alignment_by_label(x):
    for alpha in (1.0, 2.0):
        assert unisphere.alignment_by_label(x, NAMES, alpha) == pytest.approx(by_label(x, NAMES, alpha), rel=1e-6)
    x, labels = x[:14, :5].copy(), np.arange(14) % 3
    value, gradient = unisphere.value_and_grad(unisphere.alignment_by_label, x, labels)
    assert value == pytest.approx(by_label(x, labels), rel=1e-6)
    want = formulas.gradient(lambda x: by_label(x, labels), x)
    assert np.linalg.norm(gradient - want) < 2e-5 * np.linalg.norm(want)


def check_way(way, cosines, positive):
    """Ranks of the best positive of each row among all candidates that are no positives of it."""
    best = np.where(positive, cosines, -np.inf).max(1)
    above = (np.where(positive, -np.inf, cosines) > best[:, None]).sum(1)
    np.testing.assert_array_equal(way.above, above)
    np.testing.assert_array_equal(way.ties, 0)
    np.testing.assert_array_equal(way.ranks, above + 1)
    assert way.mean_rank == pytest.approx((above + 1).mean()) and way.median_rank == np.median(above + 1)
    assert way.mean_reciprocal_rank == pytest.approx((1 / (above + 1)).mean())
    for k in (1, 5):
        assert way.recall(k) == pytest.approx((above < k).mean())


def test_retrieval_of_pairs_and_of_labels(x, y):
    cosines = formulas.wide(x) @ formulas.wide(y).T
    found = unisphere.retrieval(x, y)
    check_way(found.x_to_y, cosines, np.eye(60, dtype=bool))
    check_way(found.y_to_x, cosines.T, np.eye(60, dtype=bool))
    of_x, of_y = np.arange(60) % 20, np.arange(40) % 20
    found = unisphere.retrieval(x, y[:40], labels=(of_x, of_y))
    check_way(found.x_to_y, cosines[:, :40], of_x[:, None] == of_y)
    check_way(found.y_to_x, cosines[:, :40].T, of_y[:, None] == of_x)


def test_ties_of_retrieval_are_shared():
    x = np.eye(3, dtype=np.float32)
    way = unisphere.retrieval(x, np.ones((3, 3), np.float32)).x_to_y
    assert list(way.above) == [0, 0, 0] and list(way.ties) == [2, 2, 2] and way.mean_rank == 2
    assert way.recall(1) == pytest.approx(1 / 3) and way.recall(3) == 1
    assert way.mean_reciprocal_rank == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_sets_that_are_not_paired(x, y, tmp_path):
    y = y[:40]
    found = ENGINE.unpaired(x, y, [2.0, 0.5], near=0.4)
    for row, t in zip(found.values, (2.0, 0.5)):
        assert row.t == t and row.x == pytest.approx(formulas.uniformity(x, t), abs=1e-6)
        assert row.cross == pytest.approx(formulas.across(x, y, t), abs=1e-6)
        assert row.pooled == pytest.approx(formulas.uniformity(np.concatenate([x, y]), t), abs=1e-6)
        assert row.squared_mmd == pytest.approx(formulas.mmd(x, y, t), abs=1e-7)
    distances = np.sqrt(formulas.squares(formulas.wide(x), formulas.wide(y)))
    assert found.near.count == (distances <= 0.4).sum() and found.positives is None
    for name, values in (("x", x), ("y", y)):
        np.save(tmp_path / f"{name}.npy", values)
    line = [str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "--unpaired", "--t", "2,0.5", "--near", "0.4", "--device", "cpu", "--json"]
    want = json.loads(subprocess.check_output([sys.executable, "-m", "unisphere", "eval", *line], text=True))
    report = found.to_dict()
    for one in (report, want):
        one.pop("seconds"), one.pop("files")
    assert report == want
    assert "Two sets that are not paired" in found.to_html() and "for Python" in found.to_html()
    assert "squared MMD" in found._repr_html_() and "60 and 40" in repr(found) and "p" in str(found)


def test_the_test_by_permutations(x):
    random = np.random.default_rng(2)
    other = random.normal(size=(50, 12)).astype(np.float32)
    alike, unlike = unisphere.unpaired(x, other).test, unisphere.unpaired(x, other + 1).test
    assert unlike.p_value == 1 / 1000 and alike.p_value > 0.05 and alike.permutations == 999
    assert unisphere.unpaired(x, other, permutations=0).test is None
    assert unisphere.unpaired(x, other, seed=5).test.p_value != alike.p_value


def test_positives_by_label(x, y):
    of_x, of_y = [f"k{k % 20}" for k in range(60)], [f"k{k % 20}" for k in range(40)]
    found = unisphere.unpaired(x, y[:40], labels=(of_x, of_y), permutations=0).positives
    same = np.array(of_x)[:, None] == np.array(of_y)
    squares = formulas.squares(formulas.wide(x), formulas.wide(y[:40]))
    assert found.pairs == same.sum() and found.alignment.value == pytest.approx(squares[same].mean(), rel=1e-6)


def test_what_is_refused_names_the_argument(x, y):
    for call, text in [
        (lambda: unisphere.group_uniformity(x, [1, 2]), "labels"),
        (lambda: unisphere.group_uniformity(x, NAMES, 0.0), r"\bt\b"),
        (lambda: unisphere.alignment_by_label(x, np.arange(60)), "labels"),
        (lambda: unisphere.alignment_by_label(x, NAMES, 0.0), "alpha"),
        (lambda: unisphere.retrieval(x, y[:4]), "x and y"),
        (lambda: unisphere.retrieval(x, y).x_to_y.recall(0), r"\bk\b"),
        (lambda: unisphere.retrieval(x, y, labels=NAMES), "labels"),
        (lambda: unisphere.retrieval(x, y, labels=(NAMES, NAMES[:4])), "labels of y|labels"),
        (lambda: unisphere.retrieval(x, y, labels=(NAMES, np.arange(60))), "labels"),
        (lambda: unisphere.retrieval(x, y, labels=(np.arange(60), np.arange(60) + 1)), "labels of x: row 0"),
        (lambda: unisphere.unpaired(x, y[:, :3]), "x and y"),
        (lambda: unisphere.unpaired(x[:1], y), "x has 1"),
        (lambda: unisphere.unpaired(x, y, []), r"\bt\b"),
        (lambda: unisphere.unpaired(x, y, 0.0), r"\bt\b"),
        (lambda: unisphere.unpaired(x, y, permutations=-1), "permutations"),
        (lambda: unisphere.unpaired(x, y, seed=1.5), "seed"),
        (lambda: unisphere.unpaired(x, np.where(x > 9, x, np.nan)), "y: row 0"),
    ]:
        with pytest.raises(unisphere.InvalidInput, match=text):
            call()
