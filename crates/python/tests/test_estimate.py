"""Estimates from a part of the pairs, and reports in pieces, against the formulas and the program."""

import json
import subprocess
import sys

import formulas
import numpy as np
import pytest
import unisphere

PROGRAM = [sys.executable, "-m", "unisphere"]
ENGINE = unisphere.Engine("cpu")


def clustered(rows, seed=11):
    """(rows, 128) of f32 in 40 clusters."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(40, 128))
    return (centres[random.integers(0, 40, rows)] + 2.0 * random.normal(size=(rows, 128))).astype(np.float32)


@pytest.fixture(scope="module")
def large():
    """(24,000, 128) of f32, twice: rows of either are positive pairs."""
    x = clustered(24_000)
    return x, (x + 0.3 * np.random.default_rng(12).normal(size=x.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def files(large, tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    for name, values in zip("xy", large):
        np.save(folder / f"{name}.npy", values)
    return folder / "x.npy", folder / "y.npy"


def of_program(*line):
    done = subprocess.run([*PROGRAM, *map(str, line)], capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


def alike(found, want):
    """The object without the circumstances, which differ between runs and between arrays and files."""
    for report in (found, want):
        for name in ("seconds", "files"):
            report.pop(name, None)
        report.get("work", {}).pop("memory", None)
    assert found == want


def all_pairs(x, t, y=None):
    """The log mean over all pairs in f64, in strips."""
    a, b = formulas.wide(x), formulas.wide(x if y is None else y)
    total = sum(np.exp(-t * (2 - 2 * (a[i : i + 1000] @ b.T))).sum() for i in range(0, len(a), 1000))
    return np.log((total - len(a)) / len(a) / (len(a) - 1)) if y is None else np.log(total / len(a) / len(b))


def test_an_interval_holds_the_value_of_all_pairs(large):
    x, _ = large
    found = unisphere.estimate(x, tolerance=3e-3, seed=5, estimate_only=True)
    of = found.uniformity_x
    assert of.low <= all_pairs(x, 2.0) <= of.high and of.low <= of.value <= of.high
    assert of.half_width <= 3e-3 and of.reached and of.confidence == 0.95 and of.seed == 5
    assert (of.method, of.proven) == ("norm-weighted blocks", True)
    assert of.pairs == pytest.approx(of.share * 24_000 * 23_999 / 2) and of.share < 0.5
    assert len(found) == 1 and found.uniformity_y is None and found.alignment is None
    assert 0 < of.row_error < 0.1
    wider = unisphere.estimate(x, tolerance=3e-3, seed=5, confidence=0.5, estimate_only=True).uniformity_x
    assert wider.confidence == 0.5 and wider.value != of.value or wider.half_width < of.half_width


def test_what_two_sets_have(large):
    x, y = (values[:2_000] for values in large)
    found = unisphere.estimate(x, y, t=[2.0, 0.5], tau=0.2, tolerance=1e-2)
    assert found.alignment == pytest.approx(formulas.alignment(x, y), rel=1e-6)
    wants = {("uniformity", "x", 2.0): all_pairs(x, 2.0), ("uniformity", "y", 0.5): all_pairs(y, 0.5),
             ("cross_uniformity", "xy", 2.0): all_pairs(x, 2.0, y), ("contrastive", "xy", 0.2): formulas.contrastive(x, y, 0.2),
             ("squared_mmd", "xy", 2.0): formulas.mmd(x, y, paired=True)}
    estimates = {(one.quantity, one.set, one.parameter): one for one in found}
    assert len(estimates) == len(found) == 2 * 2 + 2 * 2 + 1
    for key, want in wants.items():
        assert estimates[key].low - 1e-6 <= want <= estimates[key].high + 1e-6, key
        assert estimates[key].half_width <= max(estimates[key].tolerance, 1e-5)
    assert found.uniformity_y == estimates["uniformity", "y", 2.0]
    assert found.squared_mmd.parameter == 2.0 and found.contrastive.parameter == 0.2
    alone = unisphere.estimate(x, y, tolerance=1e-2, across=False)
    assert alone.cross_uniformity is None and len(alone) == 2 and alone.uniformity_x == found.uniformity_x


@pytest.mark.parametrize(
    "options, line",
    [
        ({"tolerance": 3e-3}, ["--tolerance", "3e-3"]),
        ({"tolerance": 3e-3, "seed": 7, "confidence": 0.9, "t": [1.0, 3.0]},
         ["--tolerance", "3e-3", "--seed", "7", "--confidence", "0.9", "--t", "1,3"]),
        ({"tolerance": 1e-2, "draw": "rounds"}, ["--tolerance", "1e-2", "--draw", "rounds"]),
        ({"tolerance": 1e-7, "estimate_only": True}, ["--tolerance", "1e-7", "--estimate-only"]),
        ({}, ["--tolerance", "auto"]),
    ],
)
def test_bits_are_the_programs(options, line, large, files):
    want = of_program("eval", files[0], *line, "--device", "cpu", "--json")
    alike(ENGINE.estimate(large[0], **options).to_dict(), json.loads(json.dumps(want)))
    alike(ENGINE.estimate(files[0], **options).to_dict(), want)


def test_bits_of_two_sets_are_the_programs(large, files):
    line = ["--tolerance", "2e-2", "--across", "--tau", "0.5", "--candidates", "one-way", "--seed", "3"]
    want = of_program("eval", *files, *line, "--device", "cpu", "--json")
    options = dict(tolerance=2e-2, tau=0.5, candidates="one-way", seed=3)
    alike(ENGINE.estimate(*large, **options).to_dict(), json.loads(json.dumps(want)))
    alike(ENGINE.estimate(*files, **options).to_dict(), want)


def test_files_larger_than_the_memory_are_read_in_pieces(files):
    line = ["--tolerance", "1e-2", "--max-memory", "9M", "--estimate-only", "--device", "cpu", "--json"]
    alike(ENGINE.estimate(files[0], tolerance=1e-2, max_memory="9M", estimate_only=True).to_dict(), of_program("eval", files[0], *line))


def test_estimates_are_told(large):
    found = unisphere.estimate(large[0], t=[2.0, 1.0], tolerance=1e-2)
    assert "uniformity  t = 2" in str(found) and "uniformity of x, t = 1" in repr(found)
    assert f"{found.uniformity_x.value:.6f}" in found._repr_html_() and "proven" in found._repr_html_()
    pandas = pytest.importorskip("pandas")
    frame = found.to_frame()
    assert isinstance(frame, pandas.DataFrame) and list(frame["parameter"]) == [2.0, 1.0]
    assert list(frame["value"]) == [one.value for one in found]


@pytest.mark.parametrize(
    "options, line",
    [
        ({}, []),
        ({"t": [2.0, 0.5], "tau": 0.1, "candidates": "views", "across": True, "top": 3, "near": 0.2},
         ["--t", "2,0.5", "--tau", "0.1", "--candidates", "views", "--across", "--top", "3", "--near", "0.2"]),
        ({"full": True}, ["--full"]),
        ({"raw": True, "alpha": 1.0}, ["--raw", "--alpha", "1"]),
    ],
)
def test_reports_in_pieces_are_the_programs(options, line, large, files):
    x, y = (values[:3_000] for values in large)
    small = [file.with_name(f"small_{file.name}") for file in files]
    for path, values in zip(small, (x, y)):
        np.save(path, values)
    want = of_program("eval", *small, *line, "--max-memory", "20M", "--device", "cpu", "--json")
    alike(ENGINE.evaluate(x, y, max_memory="20M", **options).to_dict(), json.loads(json.dumps(want)))
    report = ENGINE.evaluate(*small, max_memory="20M", **options)
    alike(report.to_dict(), want)
    if "raw" not in options:
        assert report.uniformity.x == pytest.approx(all_pairs(x, 2.0), abs=1e-6)
    assert report.alignment.value == pytest.approx(
        formulas.alignment(x, y, options.get("alpha", 2.0), raw=options.get("raw", False)), rel=1e-6
    )


def test_a_set_that_is_larger_than_the_memory_is_read_again(tmp_path):
    x = np.random.default_rng(4).normal(size=(60_000, 64)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    report = ENGINE.evaluate(tmp_path / "x.npy", max_memory="9M")
    assert report.work.memory <= 9 << 20 < x.nbytes and report.work.rows_read > 1.5 * len(x)
    want = of_program("eval", tmp_path / "x.npy", "--max-memory", "9M", "--device", "cpu", "--json")
    alike(report.to_dict(), want)
    assert report.uniformity.x == pytest.approx(ENGINE.uniformity(x), abs=1e-7)


def test_labels_of_reports_in_pieces(large):
    x = large[0][:900]
    names = np.array(["b", "a", "c"])[np.arange(900) % 3]
    report = unisphere.evaluate(x, labels=names, max_memory="20M")
    assert report.groups.names == ["a", "b", "c"]
    np.testing.assert_allclose(report.groups.within.x, [all_pairs(x[names == name], 2.0) for name in "abc"], atol=1e-6)


def test_reports_in_pieces_are_told(files, tmp_path):
    report = unisphere.evaluate(*files, max_memory="20M", t=[2.0, 1.0], across=True)
    assert report.sigmoid is None and report.work.pairs_computed > 0
    assert "24,000 × 128" in repr(report) and "uniformity of y, t = 2" in report._repr_html_()
    assert "work" in str(report)
    report.save_html(tmp_path / "report.html")
    assert "for Python" in (tmp_path / "report.html").read_text(encoding="utf-8")
    pytest.importorskip("pandas")
    assert list(report.to_frame()["uniformity.x"]) == [report.uniformity.x]


def test_a_pattern_is_one_set(large, tmp_path):
    x = large[0][:3_000]
    for k in range(3):
        np.save(tmp_path / f"emb_{k}.npy", x[1000 * k : 1000 * (k + 1)])
    report = unisphere.evaluate(tmp_path / "emb_*.npy")
    assert report.file_counts == {"x": 3} and report.uniformity.x == pytest.approx(all_pairs(x, 2.0), abs=1e-6)
    found = ENGINE.estimate(tmp_path / "emb_*.npy", tolerance=1e-2).uniformity_x
    assert found == ENGINE.estimate(x, tolerance=1e-2).uniformity_x


def test_a_journal_keeps_what_is_finished(files, tmp_path):
    journal = tmp_path / "run.journal"
    first = unisphere.evaluate(files[0], max_memory="20M", journal=journal)
    again = unisphere.evaluate(files[0], max_memory="20M", journal=journal)
    assert first.work.pairs_computed > 0 and again.work.pairs_computed == 0
    assert again.work.journal == str(journal) and again.uniformity.x == first.uniformity.x


def test_a_stop_keeps_what_is_finished_in_the_journal(tmp_path):
    x = np.random.default_rng(4).normal(size=(60_000, 64)).astype(np.float32)
    options = dict(max_memory="9M", journal=tmp_path / "run.journal")

    def stop(done, total):
        if done >= total / 5:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        ENGINE.evaluate(x, progress=stop, **options)
    work = ENGINE.evaluate(x, **options).work
    assert 0 < work.blocks_recovered < work.blocks and work.pairs_computed < 0.9 * 60_000 * 59_999 / 2


def test_progress_of_large_sets_is_told(large):
    for call in (lambda told: unisphere.estimate(large[0], tolerance=3e-4, progress=told),
                 lambda told: unisphere.evaluate(large[0], max_memory="20M", progress=told)):
        told = []
        call(lambda done, total: told.append((done, total)))
        assert told and all(0 <= done <= total for done, total in told)


def test_what_is_refused_names_the_argument(large, files, tmp_path):
    x, y = large[0][:500], large[1][:500]
    hole = np.where(np.arange(500)[:, None] == 3, np.nan, x)
    for call, text in [
        (lambda: unisphere.estimate(x, tolerance=0.0), "tolerance"),
        (lambda: unisphere.estimate(x, tolerance="small"), "tolerance"),
        (lambda: unisphere.estimate(x, confidence=1.0), "confidence"),
        (lambda: unisphere.estimate(x, seed=-1), "seed"),
        (lambda: unisphere.estimate(x, draw="all"), "draw"),
        (lambda: unisphere.estimate(x, t=-1.0), r"\bt\b"),
        (lambda: unisphere.estimate(x, across=True), "across"),
        (lambda: unisphere.estimate(x, y, across=True, draw="rounds"), "across"),
        (lambda: unisphere.estimate(x, tau=0.1), "tau"),
        (lambda: unisphere.estimate(x, y, candidates="views"), "candidates"),
        (lambda: unisphere.estimate(x, y[:4]), "x is 500 × 128 and y is 4 × 128"),
        (lambda: unisphere.estimate(hole), "x: row 3"),
        (lambda: unisphere.estimate(x, hole), "y: row 3"),
        (lambda: unisphere.estimate(x[:, :1]), "raw=True"),
        (lambda: unisphere.estimate(x, max_memory="much"), "max_memory"),
        (lambda: unisphere.evaluate(x, max_memory=100), "more"),
        (lambda: unisphere.evaluate(x, max_memory="1G", labels=[1, 2]), "labels are 2, and x has 500 rows"),
        (lambda: unisphere.evaluate(x, y, max_memory="1G", retrieval=True), "retrieval needs all points"),
        (lambda: unisphere.evaluate(x, y, max_memory="1G", sigmoid=[(10, -10)]), "sigmoid needs all points"),
        (lambda: unisphere.evaluate(x, max_memory="1G", weights=np.ones(500)), "weights needs all points"),
        (lambda: unisphere.evaluate(x, across=True), "across"),
        (lambda: unisphere.evaluate(x, column="a"), "column"),
        (lambda: unisphere.evaluate(files[0], column="a", columns=("a", "b")), "column"),
        (lambda: unisphere.evaluate(files[0], columns="ab"), "columns"),
        (lambda: unisphere.evaluate(files[0], dtype="f4"), "dtype"),
        (lambda: unisphere.evaluate(files[0], format="pdf"), "format"),
        (lambda: unisphere.evaluate(files[0], quant_scale=0), "quant_scale"),
        (lambda: unisphere.evaluate(files[0], quant_zero=1), "quant_scale"),
        (lambda: unisphere.evaluate(files[0], bits=True, dtype="bf16"), "bits"),
        (lambda: unisphere.evaluate(x, zero_rows="none"), "zero_rows"),
        (lambda: unisphere.evaluate(x, zero_rows="skip", raw=True), "zero_rows"),
    ]:
        with pytest.raises(unisphere.InvalidInput, match=text) as raised:
            call()
        assert "--" not in str(raised.value)
    np.save(tmp_path / "hole.npy", hole)
    for call in (lambda path: unisphere.estimate(path), lambda path: unisphere.evaluate(path, max_memory="1G")):
        with pytest.raises(unisphere.FileError, match="hole.npy: row 3"):
            call(tmp_path / "hole.npy")
        with pytest.raises(unisphere.FileError, match="^x: .*nosuch.npy"):
            call(tmp_path / "nosuch.npy")
    with pytest.raises(TypeError, match="colour"):
        unisphere.evaluate(files[0], colour="red")
