#!/usr/bin/env python3
"""Writes the Parquet and Arrow fixtures of one column per dimension beside this script, with pandas and pyarrow.

All sound ones hold the points (7, 3) of columns.py under the names 0, 1 and 2.
"""

import pathlib

import numpy
import pandas
import pyarrow
import pyarrow.feather

HERE = pathlib.Path(__file__).parent
ROWS, DIMS = 7, 3
POINTS = numpy.array([[(row - 3) * 4 + dim / 4 + 0.125 for dim in range(DIMS)] for row in range(ROWS)])


def frame(dtype="float32"):
    frame = pandas.DataFrame(POINTS.astype(dtype))
    frame.columns = [str(name) for name in frame.columns]
    return frame


def write(name, frame, **options):
    frame.to_parquet(HERE / f"{name}.parquet", engine="pyarrow", **options)
    # Feather has no index but that which counts the rows, so that pandas refuses it.
    table = pyarrow.Table.from_pandas(frame)
    pyarrow.feather.write_feather(table, HERE / f"{name}.arrow", chunksize=options.get("row_group_size"))


for dtype in ["float16", "float32", "float64"]:
    write(f"wide_{dtype}", frame(dtype))
# Pages and row groups that end within the rows, and values that are indices of a dictionary.
write("wide_groups", frame(), row_group_size=3, data_page_size=1, compression="zstd")
write("wide_strings_index", frame().set_index(pandas.Index([f"doc {row}" for row in range(ROWS)])))
numbers = [3, 1, 4, 15, 9, 2, 6]
write("wide_numbers_index", frame().set_index(pandas.Index(numbers)))
write("wide_named_index", frame().set_index(pandas.Index(numbers, name="doc")))
write("wide_label", frame().assign(label=[row % 2 for row in range(ROWS)]))
write("wide_text", frame().assign(text=[f"row {row}" for row in range(ROWS)]))
write("wide_null", frame().mask(lambda values: values == POINTS[4, 1]), row_group_size=3)
types = frame()
types["0"], types["1"] = (types["0"] * 8).astype("int64"), types["1"].astype("float64")
write("wide_types", types)
few = pandas.DataFrame({"a": POINTS[:, 0], "b": POINTS[:, 1], "year": range(2000, 2000 + 2 * ROWS, 2)})
write("wide_year", few)
write("wide_counts", few.assign(year=range(ROWS)))
