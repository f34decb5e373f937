"""Files of every format, each written by the library that people use for it, and read by the program."""

import io
import json

import ml_dtypes
import numpy
import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import safetensors.numpy

from program import alignment, check, run, uniformity

rng = numpy.random.default_rng(1)
X = rng.standard_normal((300, 24)).astype("f4")
Y = (X + 0.3 * rng.standard_normal(X.shape)).astype("f4")
VALUE = uniformity(X)


def numpys():
    numpy.save("x.npy", X)
    check(".npy", VALUE, "x.npy")
    for dtype in ("f2", "f8", ">f4"):
        numpy.save("d.npy", X.astype(dtype))
        check(f".npy of {dtype}", uniformity(X.astype(dtype)), "d.npy")
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        values = X.astype(getattr(ml_dtypes, name))
        numpy.save("d.npy", values)
        option = {"bfloat16": "bf16", "float8_e4m3fn": "f8e4m3", "float8_e5m2": "f8e5m2"}[name]
        check(f".npy of {name}", uniformity(values.astype("f4")), "d.npy", "--dtype", option)
    codes = numpy.clip(numpy.round(X * 20), -127, 127).astype("i1")
    numpy.save("d.npy", codes)
    check(".npy of int8", uniformity(codes), "d.npy")
    unsigned = (codes.astype("i2") + 128).astype("u1")
    numpy.save("d.npy", unsigned)
    scaled = (unsigned.astype("f4") - 128) * 0.05
    check(".npy of uint8 codes", uniformity(scaled), "d.npy", "--quant-scale", 0.05, "--quant-zero", 128)
    numpy.save("d.npy", numpy.packbits(X > 0, axis=1))
    check(".npy of packed bits", uniformity(numpy.where(X > 0, 1, -1)), "d.npy", "--bits")
    check(".npy from a pipe", VALUE, "/dev/stdin", stdin=open("x.npy", "rb").read())


def archives():
    numpy.savez("x.npz", x=X, labels=numpy.arange(len(X)))
    check(".npz", VALUE, "x.npz")
    numpy.savez_compressed("x.npz", anchor=X, positive=Y)
    check("compressed .npz", VALUE, "x.npz", "--member", "anchor")
    report = check("two members of an .npz", VALUE, "x.npz", "--members", "anchor,positive")
    assert abs(report["alignment"]["value"] - alignment(X, Y)) < 1e-6, report
    safetensors.numpy.save_file({"x": X.astype("f2"), "bias": X[0]}, "x.safetensors")
    check("safetensors", uniformity(X.astype("f2")), "x.safetensors")
    safetensors.numpy.save_file({"x": X, "y": Y}, "x.safetensors")
    check("one of two tensors", uniformity(Y), "x.safetensors", "--tensor", "y")


def vectors():
    for ending, dtype in {"fvecs": "f4", "ivecs": "i4", "bvecs": "u1"}.items():
        values = X if dtype == "f4" else numpy.clip(numpy.round(X * 20) + 100, 0, 255).astype(dtype)
        with open(f"x.{ending}", "wb") as file:
            for row in values:
                file.write(numpy.int32(len(row)).tobytes() + row.tobytes())
        check(f".{ending}", uniformity(values), f"x.{ending}")
    for ending, dtype in {"fbin": "f4", "f16bin": "f2", "u8bin": "u1", "i8bin": "i1"}.items():
        values = X.astype(dtype) if dtype[0] == "f" else numpy.round(X * 10).clip(-100, 100).astype("i2")
        values = values + 100 if dtype == "u1" else values
        with open(f"x.{ending}", "wb") as file:
            file.write(numpy.array(values.shape, dtype="u4").tobytes() + values.astype(dtype).tobytes())
        check(f".{ending}", uniformity(values), f"x.{ending}")


def tables():
    lists = {
        "list": pyarrow.array(list(X), type=pyarrow.list_(pyarrow.float32())),
        "large_list": pyarrow.array(list(X), type=pyarrow.large_list(pyarrow.float32())),
        "fixed": pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(X.ravel()), X.shape[1]),
    }
    words = pyarrow.array([f"text {row}" for row in range(len(X))])
    for kind, column in lists.items():
        table = pyarrow.table({"text": words, "embedding": column})
        pyarrow.parquet.write_table(table, "x.parquet", row_group_size=70)
        check(f"parquet, {kind}", VALUE, "x.parquet")
        pyarrow.feather.write_feather(table, "x.arrow", compression="lz4", chunksize=90)
        check(f"arrow, {kind}", VALUE, "x.arrow", "--column", "embedding")
    pandas.DataFrame({"anchor": list(X), "positive": list(Y)}).to_parquet("pairs.parquet")
    report = check("two columns of pandas", VALUE, "pairs.parquet", "--columns", "anchor,positive")
    assert abs(report["alignment"]["value"] - alignment(X, Y)) < 1e-6, report


def texts():
    frame = pandas.DataFrame(X, columns=[f"d{dim}" for dim in range(X.shape[1])])
    frame.to_csv("x.csv", index=False)
    check("CSV of pandas", VALUE, "x.csv")
    frame.to_csv("x.tsv", index=False, header=False, sep="\t")
    check("TSV without header", VALUE, "x.tsv")
    lists = pandas.DataFrame({"text": ["a, b"] * len(X), "embedding": [json.dumps(row.tolist()) for row in X]})
    lists.to_csv("lists.csv", index=False)
    check("CSV of one column of lists", VALUE, "lists.csv", "--column", "embedding")
    numpy.savetxt("saved.csv", X, delimiter=",")
    check("CSV of numpy.savetxt", VALUE, "saved.csv")
    with open("x.jsonl", "w") as file:
        for index, row in enumerate(X):
            print(json.dumps({"index": index, "embedding": row.tolist()}), file=file)
    check("JSON Lines", VALUE, "x.jsonl")
    check("JSON Lines from a pipe", VALUE, "/dev/stdin", stdin=open("x.jsonl", "rb").read())
    text = io.StringIO()
    for index, row in enumerate(X):
        print(f"word{index}", *(f"{value:.9g}" for value in row), file=text)
    with open("glove.txt", "w") as file:
        file.write(text.getvalue())
    check("GloVe text", VALUE, "glove.txt")
    with open("word2vec.txt", "w") as file:
        file.write(f"{X.shape[0]} {X.shape[1]}\n{text.getvalue()}")
    check("word2vec text", VALUE, "word2vec.txt")


def refusals():
    """What a guess would make of these is worse than an error."""
    numpy.savez("two.npz", a=X, b=Y)
    code, _, said = run("two.npz")
    assert code == 3 and "a" in said and "b" in said and "--member" in said, said
    table = pyarrow.table({"e": [X[0].tolist(), None, X[1].tolist()]})
    pyarrow.parquet.write_table(table, "null.parquet")
    code, _, said = run("null.parquet")
    assert code == 3 and "row 1" in said, said
    table = pyarrow.table({"e": [X[0].tolist(), X[1].tolist()[:-1]]})
    pyarrow.parquet.write_table(table, "ragged.parquet")
    code, _, said = run("ragged.parquet")
    assert code == 3 and "row 1" in said, said


for part in (numpys, archives, vectors, tables, texts, refusals):
    part()
