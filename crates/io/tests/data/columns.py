#!/usr/bin/env python3
"""Writes the Parquet and Arrow fixtures beside this script, with pyarrow.

All sound ones hold the points (7, 3) of value(row, dim); those of int8 hold 10 * row - dim.
"""

import pathlib

import numpy
import pyarrow
import pyarrow.feather
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
ROWS, DIMS = 7, 3


def value(row, dim):
    """Exact in f16, and different in every place."""
    return (row - 3) * 4 + dim / 4 + 0.125


POINTS = numpy.array([[value(row, dim) for dim in range(DIMS)] for row in range(ROWS)])
WHOLE = numpy.array([[10 * row - dim for dim in range(DIMS)] for row in range(ROWS)], "int8")


def column(dtype, kind=None):
    """A column of lists."""
    values = WHOLE if dtype == "int8" else POINTS.astype(dtype)
    flat = pyarrow.array(values.reshape(-1))
    match kind:
        case "fixed":
            return pyarrow.FixedSizeListArray.from_arrays(flat, DIMS)
        case "large":
            offsets = pyarrow.array(range(0, values.size + 1, DIMS), pyarrow.int64())
            return pyarrow.LargeListArray.from_arrays(offsets, flat)
        case _:
            offsets = pyarrow.array(range(0, values.size + 1, DIMS), pyarrow.int32())
            return pyarrow.ListArray.from_arrays(offsets, flat)


def table(points):
    """A table as people have it: the points among other columns."""
    return pyarrow.table({
        "id": pyarrow.array(range(len(points))),
        "text": pyarrow.array([f"row {row}" for row in range(len(points))]),
        "embedding": points,
    })


def parquet(name, points, **options):
    pyarrow.parquet.write_table(table(points), HERE / f"{name}.parquet", **options)


def arrow(name, points, **options):
    pyarrow.feather.write_feather(table(points), HERE / f"{name}.arrow", **options)


def lists(rows, kind="float32"):
    return pyarrow.array(rows, pyarrow.list_(getattr(pyarrow, kind)()))


for dtype in ["float16", "float32", "float64", "int8"]:
    for kind in ["list", "fixed", "large"]:
        parquet(f"{dtype}_{kind}", column(dtype, kind), row_group_size=3)
        arrow(f"{dtype}_{kind}", column(dtype, kind), chunksize=3)

points = column("float32")
parquet("plain", points, use_dictionary=False)
parquet("split", points, use_dictionary=False, use_byte_stream_split=["embedding.list.element"])
parquet("v2", points, data_page_version="2.0", row_group_size=4)
parquet("indexed", points, write_page_index=True)
for codec in ["none", "snappy", "gzip", "lz4", "zstd"]:
    parquet(f"codec_{codec}", points, compression=codec)
for codec in ["uncompressed", "lz4", "zstd"]:
    arrow(f"codec_{codec}", points, compression=codec)
parquet("brotli", points, compression="brotli")
with pyarrow.OSFile(str(HERE / "stream.arrow"), "wb") as sink:
    with pyarrow.ipc.new_stream(sink, table(points).schema) as writer:
        writer.write_table(table(points), max_chunksize=2)
# Row groups without rows, and lists that may not be null.
item = pyarrow.field("element", pyarrow.float32(), nullable=False)
strict = pyarrow.schema([pyarrow.field("embedding", pyarrow.list_(item), nullable=False)])
rows = POINTS.astype("float32").tolist()
with pyarrow.parquet.ParquetWriter(HERE / "strict.parquet", strict) as writer:
    for part in [[], rows[:2], [], rows[2:]]:
        writer.write_table(pyarrow.table({"embedding": pyarrow.array(part, strict.field(0).type)}, strict))
# Pages of few values, which end within rows, and pages of whole rows.
long = numpy.arange(40 * 33, dtype="float32")
long = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(long), 33)
parquet("pages", long, data_page_size=64, write_batch_size=10, use_dictionary=False)
parquet("pages_v2", long, data_page_size=64, write_batch_size=4, data_page_version="2.0", use_dictionary=["embedding.list.element"])

for name, points in {
    "null_row": lists([[1, 2], [3, 4], None, [5, 6]]),
    "null_first": lists([None, [3, 4], [5, 6]]),
    "empty_row": lists([[1, 2], [], [3, 4]]),
    "null_value": lists([[1, 2], [3, 4], [5, None], [6, 7]]),
    "short": lists([[1, 2, 3], [4, 5, 6], [7, 8], [9, 10, 11, 12]]),
    "long": lists([[1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]),
    "short_last": lists([[1, 2, 3], [4, 5, 6], [8, 9]]),
    "long_last": lists([[1, 2, 3], [4, 5, 6], [8, 9, 10, 11]]),
    "no_rows": lists([]),
    "strings": pyarrow.array([["a"], ["b"]]),
    "integers": lists([[1, 2], [3, 4]], "int64"),
}.items():
    parquet(name, points)
    arrow(name, points)
several = {"text": ["a", "b"], "image": lists([[1, 2], [3, 4]]), "title": lists([[5], [6]])}
pyarrow.parquet.write_table(pyarrow.table(several), HERE / "several.parquet")
pyarrow.feather.write_feather(pyarrow.table(several), HERE / "several.arrow")
pyarrow.feather.write_feather(pyarrow.table({"x": [1.0]}), HERE / "version1.feather", version=1)

# One value a row: labels and weights, in two row groups and two record batches.
scalars = pyarrow.table({
    "name": ["dog", "cat", "dog", "ä b", "cat"],
    "class": pyarrow.array([3, 1, 3, -2, 1], pyarrow.int64()),
    "byte": pyarrow.array([3, 1, 3, 200, 1], pyarrow.uint8()),
    "weight": pyarrow.array([0.5, 1, 2, 0, 4], pyarrow.float32()),
    "holes": ["dog", "cat", None, "cat", None],
})
pyarrow.parquet.write_table(scalars, HERE / "scalars.parquet", row_group_size=3)
with pyarrow.OSFile(str(HERE / "scalars.arrow"), "wb") as sink, pyarrow.ipc.new_stream(sink, scalars.schema) as writer:
    writer.write_table(scalars, max_chunksize=3)
categories = pyarrow.table({"category": scalars["name"].dictionary_encode()})
pyarrow.parquet.write_table(categories, HERE / "categories.parquet")
pyarrow.feather.write_feather(categories, HERE / "categories.arrow")
