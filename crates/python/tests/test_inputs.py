"""What is taken, without a copy or with one, and what is refused."""

import array
import tracemalloc

import formulas
import numpy as np
import pytest
import unisphere
from unisphere import _arrays


def test_contiguous_f32_is_taken_without_a_copy(x, tmp_path):
    assert _arrays.rows(x, "x") is x
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(_arrays.rows(mapped, "x"), mapped)
    assert np.shares_memory(_arrays.rows(memoryview(x), "x"), x)
    large = np.random.default_rng(1).normal(size=(2000, 500)).astype(np.float32)
    unisphere.alignment(large, large)
    tracemalloc.start()
    unisphere.alignment(large, large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < large.nbytes / 10


def test_others_with_the_same_value(x, tmp_path):
    want = unisphere.uniformity(x)
    wide = np.zeros((60, 24), np.float32)
    wide[:, ::2] = x
    strided = [wide[:, ::2], np.asfortranarray(x), x[::-1][::-1], x.astype(">f4"), x.astype(np.float64)]
    for value in [*strided, x.tolist(), memoryview(x), np.ma.array(x), tuple(map(tuple, x.tolist()))]:
        assert unisphere.uniformity(value) == want
    half = x.astype(np.float16)
    assert unisphere.uniformity(half) == unisphere.uniformity(half.astype(np.float32))
    assert unisphere.uniformity([[1, 0], [0, 1], [-1, 0]]) == pytest.approx(formulas.uniformity([[1, 0], [0, 1], [-1, 0]]))
    unaligned = np.frombuffer(b"0" + x.tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(x.shape)
    assert not unaligned.flags.aligned and unisphere.uniformity(unaligned) == want


def test_protocols(x):
    class OfArray:
        def __array__(self, dtype=None, copy=None):
            return x

    class OfDLPack:
        def __dlpack__(self, **options):
            return x.__dlpack__(**options)

        def __dlpack_device__(self):
            return x.__dlpack_device__()

    for value in (OfArray(), OfDLPack()):
        assert np.shares_memory(_arrays.rows(value, "x"), x)
        assert unisphere.uniformity(value) == unisphere.uniformity(x)


BAD = [
    (lambda x: (x[0], x), "x must have the shape"),
    (lambda x: (x, x[0]), "y must have the shape"),
    (lambda x: (x, x[None]), "y must have the shape"),
    (lambda x: (x.astype(complex), x), "x must hold real numbers"),
    (lambda x: (x, x > 0), "y must hold real numbers"),
    (lambda x: (x.astype(str), x), "x must hold real numbers"),
    (lambda x: ([[1.0], [1.0, 2.0]], x), "x cannot be read"),
    (lambda x: (x, object()), "y must hold real numbers"),
    (lambda x: (x, x[:5]), "x and y"),
    (lambda x: (x, x[:, :5]), "x and y"),
    (lambda x: (np.where(np.arange(60)[:, None] == 3, np.nan, x), x), "x: row 3"),
    (lambda x: (x, np.where(np.arange(60)[:, None] == 4, 0, x)), "y: row 4"),
    (lambda x: (x, x.astype(np.float64) * 1e300), "y: row 0"),
    (lambda x: (x[:0], x[:0]), "^x: "),
    (lambda x: (x[:, :0], x[:, :0]), "^x: "),
    (lambda x: (np.ma.masked_less(x, 0), x), "x is a masked array"),
]


@pytest.mark.parametrize("make, text", BAD)
def test_bad_rows_are_named(make, text, x):
    with pytest.raises(unisphere.InvalidInput, match=text) as raised:
        unisphere.alignment(*make(x))
    assert isinstance(raised.value, ValueError)


def test_bad_parameters_are_named(x, y):
    nan = float("nan")
    for call, name in [
        (lambda: unisphere.uniformity(x, 0.0), "t"),
        (lambda: unisphere.uniformity(x, nan), "t"),
        (lambda: unisphere.uniformity(x, []), "t"),
        (lambda: unisphere.uniformity(x, y=y, pairs="all"), "pairs"),
        (lambda: unisphere.uniformity(x[:1]), "x"),
        (lambda: unisphere.uniformity(x, weights=[1.0]), "weights"),
        (lambda: unisphere.uniformity(x, weights=["a"] * 60), "weights"),
        (lambda: unisphere.uniformity(x, y=y, weights=[1.0] * 60), "weights"),
        (lambda: unisphere.alignment(x, y, -1.0), "alpha"),
        (lambda: unisphere.contrastive(x, y, 0.0), "tau|τ"),
        (lambda: unisphere.contrastive(x, y, candidates="all"), "candidates"),
        (lambda: unisphere.contrastive(x, y, queue=y[:, :3]), "queue|candidates|contrastive"),
        (lambda: unisphere.supcon(x, [1, 2]), "labels"),
        (lambda: unisphere.supcon(x, [0.5] * 60), "labels"),
        (lambda: unisphere.supcon(x, np.arange(60)), "labels"),
        (lambda: unisphere.value_and_grad(unisphere.mmd, x, y), "mmd"),
        (lambda: unisphere.value_and_grad("uniformity", x, [1.0, 2.0]), "t"),
        (lambda: unisphere.histogram(x, 0), "bins"),
        (lambda: unisphere.evaluate(x, tau=0.1), "tau"),
        (lambda: unisphere.evaluate(x, y, protocol="none"), "protocol"),
        (lambda: unisphere.evaluate(x, labels=[1, 2]), "labels"),
        (lambda: unisphere.evaluate(x, y[:4]), "y"),
    ]:
        with pytest.raises(unisphere.InvalidInput, match=rf"\b({name})\b"):
            call()


def test_other_errors(x, tmp_path):
    with pytest.raises(OSError, match="nosuch") as raised:
        unisphere.Engine("nosuch")
    assert isinstance(raised.value, unisphere.DeviceError)
    with pytest.raises(unisphere.FileError, match="y: .*nosuch.npy"):
        unisphere.evaluate(x, tmp_path / "nosuch.npy")
    with pytest.raises(unisphere.InvalidInput, match="t must be a number"):
        unisphere.uniformity(x, "2")
    with pytest.raises(unisphere.InvalidInput, match="one row a point"):
        unisphere.uniformity(array.array("f", [1.0, 2.0]))
