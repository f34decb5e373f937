"""Comparisons of models, against the formulas and the program."""

import json
import subprocess
import sys

import formulas
import numpy as np
import pytest
import unisphere

PROGRAM = [sys.executable, "-m", "unisphere"]
ENGINE = unisphere.Engine("cpu")


@pytest.fixture
def models():
    """Six pairs of sets, (80, 10) each, of more and more noise."""
    random = np.random.default_rng(21)
    x = random.normal(size=(80, 10))
    noisy = lambda scale: (x + scale * random.normal(size=x.shape)).astype(np.float32)
    return {f"step_{k}": (noisy(0.1 * k), noisy(0.1 * k)) for k in range(1, 7)}


@pytest.fixture
def paths(models, tmp_path):
    found = {}
    for name, sets in models.items():
        (tmp_path / name).mkdir()
        for role, values in zip("xy", sets):
            np.save(tmp_path / name / f"{role}.npy", values)
        found[name] = (tmp_path / name / "x.npy", tmp_path / name / "y.npy")
    return found


def without_one(values):
    """Uniformity without each row in turn, from the kernel with zeros on its diagonal."""
    n = len(values)
    total = values.sum() / 2
    return np.log((total - values.sum(1)) / ((n - 1) * (n - 2) / 2))


def kernel(x, t=2.0):
    found = np.exp(-t * formulas.squares(formulas.wide(x), formulas.wide(x)))
    np.fill_diagonal(found, 0)
    return found


def test_differences_are_those_of_the_jackknife(models):
    found = unisphere.compare({name: x for name, (x, _) in models.items()}, "step_2")
    n = 80
    for name, (x, _) in models.items():
        of = found[name]
        assert of.uniformity.value == pytest.approx(formulas.uniformity(x), abs=1e-6)
        if name == "step_2":
            assert of.difference is None
            continue
        less = of.difference.uniformity
        base = models["step_2"][0]
        assert less.value == pytest.approx(formulas.uniformity(x) - formulas.uniformity(base), abs=2e-6)
        left = without_one(kernel(x)) - without_one(kernel(base))
        error = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
        assert less.standard_error == pytest.approx(error, rel=1e-3)
        assert less.p_value <= less.p_holm <= 1
    assert found.baseline == "step_2" and found.failed == []


def test_alignment_is_the_paired_t_test(models):
    two = {name: models[name] for name in ("step_1", "step_4")}
    less = unisphere.compare(two, alpha=1.0)["step_4"].difference.alignment
    distances = [np.linalg.norm(formulas.wide(x) - formulas.wide(y), axis=1) for x, y in two.values()]
    of_rows = distances[1] - distances[0]
    assert less.value == pytest.approx(of_rows.mean(), abs=1e-6)
    assert less.standard_error == pytest.approx(of_rows.std(ddof=1) / np.sqrt(80), rel=1e-4)


def test_the_object_is_the_programs(models, paths, tmp_path):
    scores = {name: 60 - k**1.5 for k, name in enumerate(models)}
    steps = {name: 100.0 * (k + 1) for k, name in enumerate(models)}
    lines = ["name,x,y,step,score"]
    lines += [f"{name},{x},{y},{steps[name]},{scores[name]!r}" for name, (x, y) in paths.items()]
    (tmp_path / "runs.csv").write_text("\n".join(lines) + "\n")
    line = ["compare", "--runs", str(tmp_path / "runs.csv"), "--baseline", "step_3", "--t", "1.5", "--alpha", "1", "--seed", "4"]
    done = subprocess.run([*PROGRAM, *line, "--no-cache", "--device", "cpu", "--json"], capture_output=True, text=True, timeout=120)
    want = json.loads(done.stdout)
    options = dict(t=1.5, alpha=1.0, scores=scores, steps=steps, seed=4)
    of_paths = ENGINE.compare(paths, "step_3", **options).to_dict()
    of_arrays = ENGINE.compare(models, "step_3", **options).to_dict()
    assert list(of_paths) == list(want) and of_paths["correlations"] and len(of_paths["trajectory"]) == 6
    for report in (want, of_paths, of_arrays):
        for model in report["models"]:
            model.pop("seconds")
    assert of_paths == want
    for report in (want, of_arrays):
        for model in report["models"]:
            model.pop("files")
    assert of_arrays == want


def test_folders_and_the_cache(models, paths, tmp_path):
    folders = {name: x.parent for name, (x, _) in paths.items()}
    first = ENGINE.compare(folders, cache=tmp_path / "cache")
    again = ENGINE.compare(paths, cache=tmp_path / "cache")
    assert not any(model.cached for model in first.models) and all(model.cached for model in again.models)
    assert [model.uniformity.value for model in first.models] == [model.uniformity.value for model in again.models]
    assert [model.alignment.value for model in first.models] == pytest.approx([formulas.alignment(*sets) for sets in models.values()])


def test_comparisons_are_told(models, tmp_path):
    found = unisphere.compare(models)
    assert "less the baseline's" in str(found) and "against step_1" in repr(found)
    found.save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "<svg" in page and "for Python" in page
    table = found._repr_html_()
    assert f"{found['step_2'].uniformity.value:.6f}" in table and f"{found['step_2'].difference.alignment.p_holm:.3g}" in table
    with pytest.raises(KeyError):
        found["nosuch"]
    pytest.importorskip("pandas")
    frame = found.to_frame()
    assert list(frame.index) == list(models)
    assert frame.loc["step_3", "difference.uniformity.value"] == found["step_3"].difference.uniformity.value


def test_a_model_that_cannot_be_measured(models, paths, tmp_path):
    (tmp_path / "bad.npy").write_bytes(b"none")
    with pytest.warns(UserWarning, match="bad could not be measured"):
        found = unisphere.compare({"bad": (tmp_path / "bad.npy", paths["step_1"][1]), "step_1": paths["step_1"]})
    assert [model.name for model in found.models] == ["step_1"] and found.failed[0].name == "bad"
    with pytest.raises(unisphere.FileError, match="bad.npy"):
        unisphere.compare({"bad": tmp_path / "bad.npy"})
    with pytest.raises(unisphere.FileError, match="nosuch.npy"):
        unisphere.compare({"a": paths["step_1"][0], "b": tmp_path / "nosuch.npy"})


def test_what_is_refused_names_the_argument(models, paths):
    x, y = models["step_1"]
    hole = np.where(np.arange(80)[:, None] == 3, np.nan, x)
    for call, text in [
        (lambda: unisphere.compare({}), "models"),
        (lambda: unisphere.compare([x, y]), "models"),
        (lambda: unisphere.compare({1: x}), "models"),
        (lambda: unisphere.compare({"a": x}, "b"), "baseline"),
        (lambda: unisphere.compare({"a": x}, scores={"b": 1.0}), "scores"),
        (lambda: unisphere.compare({"a": x}, scores={"a": float("nan")}), "scores"),
        (lambda: unisphere.compare({"a": x}, steps={"b": 1.0}), "steps"),
        (lambda: unisphere.compare({"a": x, "b": (x, y)}), "models: b is a pair"),
        (lambda: unisphere.compare({"a": (x, y, x)}), "models: a"),
        (lambda: unisphere.compare({"a": x}, alpha=1.0), "alpha"),
        (lambda: unisphere.compare({"a": x}, t=0.0), r"\bt\b"),
        (lambda: unisphere.compare({"a": x}, seed=-1), "seed"),
        (lambda: unisphere.compare({"a": x}, column="c"), "column"),
        (lambda: unisphere.compare({"a": hole}), "a: x: row 3"),
        (lambda: unisphere.compare({"a": (x, hole)}), "a: y: row 3"),
        (lambda: unisphere.compare({"a": (x, y[:4])}), "a: x is 80 × 10 and a: y is 4 × 10"),
        (lambda: unisphere.compare({"a": x[:1]}), "2"),
        (lambda: unisphere.compare({"a": (paths["step_1"][0], y)}), "a: one set is a file"),
    ]:
        with pytest.raises(unisphere.InvalidInput, match=text) as raised:
            call()
        assert "--" not in str(raised.value)
