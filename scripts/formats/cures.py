"""Files that the program refuses: each error names its cure, and what the cure makes is read to the right value.

A cure is Python on `x`, what numpy.load gives, or a command of the shell.
"""

import bz2
import gzip
import lzma
import pickle
import re
import shutil
import subprocess
import tarfile

import ml_dtypes
import numpy
import pandas
import pyarrow
import pyarrow.parquet

from program import check, run, uniformity

rng = numpy.random.default_rng(2)
X = rng.standard_normal((60, 12)).astype("f4")
VALUE = uniformity(X)


def refused(file, *parts, options=()):
    """That a file is refused as a fault of the input, in words that these are parts of; and what is said."""
    code, _, said = run(file, *options)
    assert code == 3, f"{file}: exit code {code}: {said}"
    for part in (file, *parts):
        assert part in said, f"{file}: '{part}' is not in: {said}"
    return said


def by_python(file, array, cure, expected):
    """A .npy file that is refused, and the expression that its error gives."""
    numpy.save(file, array, allow_pickle=True)
    refused(file, cure)
    x = numpy.load(file, allow_pickle=True)
    numpy.save("cured.npy", eval(cure, {"numpy": numpy, "x": x}))
    check(f"{file}: {cure}", expected, "cured.npy")


def of_views(what, array, file):
    """That the uniformity of each view (n, views, dims) is what the formula gives."""
    code, report, said = run(file, "--views")
    assert code == 0, f"{what}: exit code {code}: {said}"
    for view, measured in enumerate(report["uniformity"][0]["views"]):
        assert abs(measured["value"] - uniformity(array[:, view])) < 2e-6, f"{what}: {report}"
    print(f"{what}: {report['uniformity'][0]['mean']:.6f}")


def by_shell(file, command, made, *words):
    """A file that is refused, and the command that its error gives."""
    refused(file, *words, command.split()[0])
    subprocess.run(command.replace("FILE", file), shell=True, check=True)
    check(f"{file}: {command}", VALUE, made)


def arrays():
    rows = numpy.empty(len(X), dtype=object)
    rows[:] = list(X)
    by_python("objects.npy", rows, "numpy.stack(x).astype('float32')", VALUE)
    parts = X.reshape(len(X), 2, -1)
    cure = "numpy.concatenate([x.real, x.imag], axis=1)"
    by_python("complex.npy", parts[:, 0] + 1j * parts[:, 1], cure, VALUE)
    by_python("digits.npy", X.astype("U32"), "x.astype('float32')", VALUE)
    views = X.reshape(len(X) // 2, 2, -1)
    by_python("views.npy", views, "x.reshape(-1, x.shape[-1])", VALUE)
    of_views("views.npy: eval X --views", views, "views.npy")
    numpy.save("fortran.npy", numpy.asfortranarray(views))
    refused("fortran.npy", "numpy.ascontiguousarray(x)", options=["--views"])
    numpy.save("cured.npy", numpy.ascontiguousarray(numpy.load("fortran.npy")))
    of_views("fortran.npy: numpy.ascontiguousarray(x)", views, "cured.npy")
    swapped = numpy.ascontiguousarray(views[:8].swapaxes(0, 1))
    numpy.save("swapped.npy", swapped)
    cure = "numpy.ascontiguousarray(x.swapaxes(0, 1))"
    code, _, said = run("swapped.npy", "--views")
    assert code == 0 and cure in said, f"swapped.npy: exit code {code}: {said}"
    numpy.save("straight.npy", eval(cure, {"numpy": numpy, "x": swapped}))
    of_views(f"swapped.npy: {cure}", views[:8], "straight.npy")
    records = numpy.zeros(len(X), dtype=[("field", "f4", X.shape[1])])
    records["field"] = X
    by_python("records.npy", records, "x['field'].astype('float32')", VALUE)
    raw = X.astype(ml_dtypes.bfloat16)
    numpy.save("raw.npy", raw)
    refused("raw.npy", "--dtype", "x.astype('float32')")
    check("raw.npy: --dtype bf16", uniformity(raw.astype("f4")), "raw.npy", "--dtype", "bf16")
    numpy.save("cured.npy", raw.astype("float32"))
    check("raw.npy: x.astype('float32')", uniformity(raw.astype("f4")), "cured.npy")


def labels():
    numpy.save("x.npy", X)
    words = numpy.array(["cat", "dog"] * (len(X) // 2))
    halves = numpy.arange(len(X)) // 2 / 2
    unique = "numpy.unique(x, return_inverse=True)[1]"
    for name, column, cure in (("objects", words.astype(object), "x.astype('U')"), ("halves", halves, unique)):
        numpy.save("labels.npy", column, allow_pickle=True)
        code, _, said = run("x.npy", "--labels", "labels.npy")
        assert code == 3 and cure in said, f"{name}: {said}"
        numpy.save("cured.npy", eval(cure, {"numpy": numpy, "x": column}))
        check(f"labels of {name}: {cure}", VALUE, "x.npy", "--labels", "cured.npy")


def labels_of_text():
    numpy.save("x.npy", X)
    with open("labels.txt", "w") as file:
        file.write("cat\ndog\n" * (len(X) // 2))
    check("labels.txt", VALUE, "x.npy", "--labels", "labels.txt")


def others():
    numpy.save("x.npy", X)
    bytes_of_x = open("x.npy", "rb").read()
    for module, ending, command in ((gzip, "gz", "gunzip FILE"), (bz2, "bz2", "bunzip2 FILE"), (lzma, "xz", "unxz FILE")):
        made = f"from_{ending}.npy"
        with module.open(f"{made}.{ending}", "wb") as file:
            file.write(bytes_of_x)
        if shutil.which(command.split()[0]):
            by_shell(f"{made}.{ending}", command, made, "compressed")
        else:
            print(f"not tried: {command}, which is not on this machine")
    with tarfile.open("archive.tar", "w") as tar:
        tar.add("x.npy", "inside.npy")
    by_shell("archive.tar", "tar -xf FILE", "inside.npy", "a tar archive")
    with open("pointer.npy", "w") as file:
        file.write("version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 61568\n")
    refused("pointer.npy", "git lfs pull")
    with open("page.npy", "w") as file:
        file.write("<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n")
    refused("page.npy", "a web page")
    with open("points.pkl", "wb") as file:
        pickle.dump(X, file)
    refused("points.pkl", "pickle", "never executed", "numpy.save")
    numpy.save("cured.npy", pickle.load(open("points.pkl", "rb")))
    check("points.pkl: numpy.save", VALUE, "cured.npy")


def columns():
    table = pyarrow.table({"a": list(X), "b": list(2 * X), "row": numpy.arange(len(X))})
    pyarrow.parquet.write_table(table, "several.parquet")
    refused("several.parquet", "a", "b", "--column")
    check("several.parquet: --column b", VALUE, "several.parquet", "--column", "b")
    numpy.savez("several.npz", first=X, second=2 * X)
    refused("several.npz", "first", "second", "--member")
    check("several.npz: --member second", VALUE, "several.npz", "--member", "second")


def by_cure(file, pattern, *words, options=()):
    """A text that is refused, and the command or the expression of its error that this pattern matches; options are of what it makes."""
    cure = re.search(pattern, refused(file, *words))[0]
    there = cure.replace("FILE", file).replace("COPY", "cured.csv")
    if cure.startswith(("sed", "iconv")):
        subprocess.run(there, shell=True, check=True)
    else:
        eval(there, {"pandas": pandas})
    check(f"{file}: {cure}", VALUE, "cured.csv", *options)


def texts():
    frame = pandas.DataFrame(X.astype("f8"), columns=[f"d{i}" for i in range(X.shape[1])])
    decimals = "decimal commas"
    frame.to_csv("semicolons.csv", sep=";", decimal=",", index=False)
    by_cure("semicolons.csv", "sed .*COPY", decimals)
    frame.to_csv("quoted.csv", decimal=",", index=False)
    by_cure("quoted.csv", r"pandas\..*False\)", decimals)
    frame.to_csv("nameless.csv", decimal=",", index=False, header=False)
    by_cure("nameless.csv", r"pandas\..*False\)", decimals)
    with open("commas.csv", "w") as file:
        file.writelines(",".join(f"{value:.9f}".replace(".", ",") for value in row) + "\n" for row in X)
    by_cure("commas.csv", "sed .*COPY", decimals)
    large = frame * 1e4
    with open("thousands.csv", "w") as file:
        swapped = str.maketrans(".,", ",.")
        file.writelines(";".join(f"{value:,.9f}".translate(swapped) for value in row) + "\n" for row in large.values)
    by_cure("thousands.csv", r"pandas\..*False\)", decimals, "thousands")
    with open("parted.csv", "w") as file:
        file.writelines(";".join(f"{round(value * 1e6):,}" for value in row) + "\n" for row in X)
    by_cure("parted.csv", "sed 's[^;]*COPY", decimals, "where commas part thousands")
    frame.assign(name="a b").to_csv("named.csv", sep=";", decimal=",", index=False)
    by_cure("named.csv", "sed .*COPY", decimals, options=("--column", "d*"))
    frame.rename(columns=lambda name: name.replace("d", "ß")).to_csv("western.csv", index=False, encoding="cp1252")
    by_cure("western.csv", "iconv .*COPY", "another encoding")
    for encoding in ("utf-16", "utf-16-le"):
        frame.to_csv(f"{encoding}.csv", index=False, encoding=encoding)
        by_cure(f"{encoding}.csv", "iconv .*COPY", "UTF-16")
    for orient in ("columns", "index"):
        frame.to_json(f"{orient}.json", orient=orient, double_precision=15)
        refused(f"{orient}.json", "df.to_json(FILE, orient='records', lines=True)")
    frame.to_json("cured.jsonl", orient="records", lines=True, double_precision=15)
    check("to_json(orient='records', lines=True)", VALUE, "cured.jsonl")


def names():
    frame = pandas.DataFrame(X)
    pandas.concat([frame, pandas.Series(range(len(X)))], axis=1).to_csv("twice.csv", index=False)
    refused("twice.csv", "several columns '0'", "a name of its own")
    renamed = pandas.concat([frame, pandas.Series(range(len(X)), name="row")], axis=1)
    renamed.to_csv("renamed.csv", index=False)
    check("twice.csv: a name of its own, and !row", VALUE, "renamed.csv", "--column", "!row")


for part in (arrays, labels, labels_of_text, others, columns, texts, names):
    part()
