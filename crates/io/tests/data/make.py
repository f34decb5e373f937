"""Writes the files beside it, each by the library that people use for its format.

    pip install numpy ml_dtypes safetensors
    python crates/io/tests/data/make.py

All hold the same points, (6, 5), but for the integers, which hold four times as much.
"""

from pathlib import Path

import ml_dtypes
import numpy
import safetensors.numpy

HERE = Path(__file__).parent

# Exact in every float, of 8 bits too.
POINTS = numpy.array([[((7 * i + 3 * j) % 11 - 5) / 4 for j in range(5)] for i in range(6)])

FLOATS = {
    "f16": numpy.float16,
    "f32": numpy.float32,
    "f64": numpy.float64,
    "bf16": ml_dtypes.bfloat16,
    "f8e4m3": ml_dtypes.float8_e4m3fn,
    "f8e5m2": ml_dtypes.float8_e5m2,
}

INTEGERS = {"i8": numpy.int8, "i16": numpy.int16, "i32": numpy.int32, "i64": numpy.int64}

ARRAYS = {name: POINTS.astype(dtype) for name, dtype in FLOATS.items()} | {
    name: (4 * POINTS).astype(dtype) for name, dtype in INTEGERS.items()
}


def npy():
    for name, array in ARRAYS.items():
        numpy.save(HERE / f"{name}.npy", array)
    numpy.save(HERE / "fortran.npy", numpy.asfortranarray(POINTS))
    numpy.save(HERE / "axis.npy", POINTS[:, 0])


def npz():
    labels = numpy.arange(6)
    numpy.savez(HERE / "one.npz", points=ARRAYS["f32"], labels=labels)
    numpy.savez_compressed(HERE / "compressed.npz", points=ARRAYS["f16"], labels=labels)
    numpy.savez(HERE / "two.npz", ARRAYS["f32"], numpy.asfortranarray(2 * POINTS))


def tensors():
    for name, array in ARRAYS.items():
        safetensors.numpy.save_file({"points": array}, HERE / f"{name}.safetensors")
    several = {"a": ARRAYS["f32"], "bias": POINTS[0], "b": 2 * POINTS, "axis": POINTS[:, 0].copy()}
    safetensors.numpy.save_file(several, HERE / "several.safetensors", metadata={"format": "np"})


def vecs():
    """As the readers of faiss and of the sets of corpus-texmex.irisa.fr expect them."""

    def write(name, values):
        with open(HERE / name, "wb") as file:
            for row in values:
                numpy.int32(len(row)).tofile(file)
                row.tofile(file)

    write("points.fvecs", ARRAYS["f32"])
    write("points.ivecs", ARRAYS["i32"])
    write("points.bvecs", (4 * POINTS + 5).astype(numpy.uint8))


def bins():
    """As the readers of big-ann-benchmarks expect them."""

    def write(name, values):
        with open(HERE / name, "wb") as file:
            numpy.array(values.shape, dtype=numpy.uint32).tofile(file)
            values.tofile(file)

    write("points.fbin", ARRAYS["f32"])
    write("points.f16bin", ARRAYS["f16"])
    write("points.i8bin", ARRAYS["i8"])
    write("points.ibin", ARRAYS["i32"])
    write("points.u8bin", (4 * POINTS + 5).astype(numpy.uint8))


def codes():
    """Codes of 8 bits, of a scale and a zero, and the signs as packed bits."""
    wide = numpy.concatenate([POINTS, -POINTS, POINTS[:, :3]], axis=1)
    numpy.save(HERE / "codes.npy", (4 * POINTS + 128).astype(numpy.uint8))
    numpy.save(HERE / "bits.npy", numpy.packbits(wide > 0, axis=1))


if __name__ == "__main__":
    for write in (npy, npz, tensors, vecs, bins, codes):
        write()
