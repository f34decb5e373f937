"""Reports: attributes, dictionaries, tables and pages."""

import formulas
import numpy as np
import pytest
import unisphere


def test_attributes_are_the_numbers(x, y):
    report = unisphere.evaluate(x, y, t=[2.0, 1.0], tau=0.2)
    assert report.alignment.value == pytest.approx(formulas.alignment(x, y), rel=1e-6)
    assert report.uniformity.x == pytest.approx(formulas.uniformity(x), abs=1e-6)
    assert report.uniformity["y"] == pytest.approx(formulas.uniformity(y), abs=1e-6)
    assert report.to_dict()["alignment"]["value"] == report.alignment.value
    assert report.spectrum is None and (report.rows, report.dims) == (60, 12)
    with pytest.raises(AttributeError, match="alignment"):
        report.nosuch
    with pytest.raises(AttributeError, match="value"):
        report.alignment.nosuch
    assert "uniformity of x" in str(report) and "\x1b" not in str(report)
    assert "60 × 12" in repr(report)


def test_labels_weights_and_scores(x, y):
    names = np.array(["b", "a", "c"])[np.arange(60) % 3]
    of_names = unisphere.evaluate(x, y, labels=names, supcon=0.1)
    assert of_names.groups.names == ["a", "b", "c"]
    within = [formulas.uniformity(x[names == name]) for name in "abc"]
    np.testing.assert_allclose(of_names.groups.within.x, within, atol=1e-6)
    of_numbers = unisphere.evaluate(x, y, labels=np.arange(60) % 3)
    assert of_numbers.groups.labels == [0, 1, 2]
    weights = np.linspace(0.5, 2, 60)
    weighted = unisphere.evaluate(x, y, weights=weights)
    assert weighted.alignment.value == pytest.approx(formulas.alignment(x, y, weights=weights), rel=1e-6)
    both = unisphere.evaluate(x, labels=names, weights=weights)
    group = names == "b"
    want = formulas.uniformity(x[group], weights=weights[group])
    assert both.groups.within.x[1] == pytest.approx(want, abs=1e-6)
    with pytest.raises(ValueError, match="leave out supcon or weights"):
        unisphere.evaluate(x, labels=names, weights=weights, supcon=0.1)
    scored = unisphere.evaluate(x, y, scores=np.arange(60.0))
    ranks = np.argsort(np.argsort((formulas.wide(x) * formulas.wide(y)).sum(1)))
    assert scored.scores.spearman == pytest.approx(np.corrcoef(ranks, np.arange(60))[0, 1], abs=1e-6)


def test_pages(x, y, tmp_path):
    report = unisphere.evaluate(x, y, figures=True)
    report.save_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "<svg" in page and "for Python" in page
    summary = report._repr_html_()
    assert f"{report.alignment.value:.6f}" in summary and "uniformity of y" in summary
    assert "alignment" not in unisphere.evaluate(x)._repr_html_()


def test_tables(x, y):
    pandas = pytest.importorskip("pandas")
    frames = [unisphere.evaluate(x, y, t=t).to_frame() for t in (1.0, 2.0)]
    table = pandas.concat(frames, ignore_index=True)
    assert list(table["uniformity.t"]) == [1.0, 2.0]
    assert table["alignment.value"][0] == pytest.approx(formulas.alignment(x, y), rel=1e-6)
