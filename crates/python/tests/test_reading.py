"""Files of every kind that takes an option, read as the program reads them."""

import json
import subprocess
import sys
import warnings

import formulas
import numpy as np
import pytest
import unisphere

PROGRAM = [sys.executable, "-m", "unisphere"]
ENGINE = unisphere.Engine("cpu")


def of_program(*line):
    done = subprocess.run(
        [*PROGRAM, "eval", *map(str, line), "--device", "cpu", "--json"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def alike(found, want):
    found.pop("seconds"), want.pop("seconds")
    assert found == want


def test_one_file_holds_both_sets(x, y, tmp_path):
    rows = [json.dumps({"anchor": a.tolist(), "positive": b.tolist()}) for a, b in zip(x, y)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(rows))
    np.savez(tmp_path / "pairs.npz", a=x, b=y)
    for name, option, names in [("pairs.jsonl", "columns", ("anchor", "positive")), ("pairs.npz", "members", ("a", "b"))]:
        report = ENGINE.evaluate(tmp_path / name, **{option: names})
        assert report.alignment.value == pytest.approx(formulas.alignment(x, y), rel=1e-6)
        assert report.uniformity.y == pytest.approx(formulas.uniformity(y), abs=1e-6)
        assert report.read[option] == list(names) and names[1] in report.files.y
        alike(report.to_dict(), of_program(tmp_path / name, f"--{option}", ",".join(names)))
    one = ENGINE.evaluate(tmp_path / "pairs.npz", member="b")
    assert one.alignment is None and one.uniformity.x == pytest.approx(formulas.uniformity(y), abs=1e-6)
    pieces = ENGINE.evaluate(tmp_path / "pairs.npz", members=("a", "b"), max_memory="1G")
    assert pieces.alignment.value == pytest.approx(formulas.alignment(x, y), rel=1e-6)
    estimate = ENGINE.estimate(tmp_path / "pairs.npz", members=("a", "b"))
    assert estimate.squared_mmd.value == pytest.approx(formulas.mmd(x, y, paired=True), abs=1e-7)


def test_codes_and_bits(tmp_path):
    random = np.random.default_rng(5)
    codes = random.integers(0, 256, (50, 16)).astype(np.uint8)
    np.save(tmp_path / "codes.npy", codes)
    points = 0.25 * (codes.astype(np.float64) - 128)
    report = ENGINE.evaluate(tmp_path / "codes.npy", quant_scale=0.25, quant_zero=128)
    assert report.uniformity.x == pytest.approx(formulas.uniformity(points), abs=1e-6)
    alike(report.to_dict(), of_program(tmp_path / "codes.npy", "--quant-scale", "0.25", "--quant-zero", "128"))
    report = ENGINE.evaluate(tmp_path / "codes.npy", bits=True)
    assert report.dims == 128
    assert report.uniformity.x == pytest.approx(formulas.uniformity(2.0 * np.unpackbits(codes, axis=1) - 1), abs=1e-6)


def test_raw_floats_and_formats(x, tmp_path):
    narrow = (x.view(np.uint32) >> 16).astype(np.uint16)
    np.save(tmp_path / "narrow.npy", narrow)
    report = ENGINE.evaluate(tmp_path / "narrow.npy", dtype="bf16")
    wide = (narrow.astype(np.uint32) << 16).view(np.float32)
    assert report.uniformity.x == pytest.approx(formulas.uniformity(wide), abs=1e-6)
    header = np.array(x.shape, dtype=np.uint32).tobytes()
    (tmp_path / "points").write_bytes(header + x.tobytes())
    report = ENGINE.evaluate(tmp_path / "points", format="fbin")
    assert report.uniformity.x == pytest.approx(formulas.uniformity(x), abs=1e-6)
    with pytest.raises(unisphere.FileError, match="points"):
        ENGINE.evaluate(tmp_path / "points")


def test_rows_of_zeros_are_left_out(x, y, tmp_path):
    x, y = x.copy(), y.copy()
    x[3], y[10], y[11] = 0, 0, 0
    for name, values in zip("xy", (x, y)):
        np.save(tmp_path / f"{name}.npy", values)
    left = np.setdiff1d(np.arange(60), [3, 10, 11])
    labels = np.arange(60) % 4
    files = tmp_path / "x.npy", tmp_path / "y.npy"
    for sets in (files, (x, y)):
        report = ENGINE.evaluate(*sets, zero_rows="skip", labels=labels, top=60)
        assert report.rows == 57 and report.skipped.rows == [3, 10, 11]
        assert report.alignment.value == pytest.approx(formulas.alignment(x[left], y[left]), rel=1e-6)
        within = [formulas.uniformity(x[left][labels[left] == k]) for k in range(4)]
        np.testing.assert_allclose(report.groups.within.x, within, atol=1e-6)
        with pytest.raises(ValueError if sets[0] is x else OSError, match="row 3"):
            ENGINE.evaluate(*sets)
    alike(ENGINE.evaluate(*files, zero_rows="skip").to_dict(), of_program(*files, "--zero-rows", "skip"))


def test_what_is_guessed_is_warned_of(tmp_path):
    rows = [",".join(f"{(i * (dim + 3)) % 17 + 0.5}" for dim in range(6)) for i in range(9)]
    names = "a_0,a_1,a_2,b_0,b_1,b_2"
    (tmp_path / "points.csv").write_text("\n".join([names, *rows]) + "\n")
    guess = r"points.csv takes the 2 series .* of 3 columns each, .* columns 'a_\*,b_\*', and are they one, .* column '\*'"
    with pytest.warns(UserWarning, match=guess) as warned:
        ENGINE.evaluate(tmp_path / "points.csv")
    assert [w.filename for w in warned] == [__file__], "the warning is of the line that called"
    with pytest.warns(UserWarning, match=guess):
        ENGINE.evaluate(tmp_path / "points.csv", max_memory="1G")
    with pytest.warns(UserWarning, match=guess):
        ENGINE.estimate(tmp_path / "points.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match=guess):
            ENGINE.evaluate(tmp_path / "points.csv")
        ENGINE.evaluate(tmp_path / "points.csv", column="*")
        ENGINE.evaluate(tmp_path / "points.csv", columns=("a_*", "b_*"))
