"""A large set like real sentences: the verses again and again, each copy with noise of its own.

    python benches/scale/make.py 1000000 large.npy

Rows are f16 of 384 dimensions. Row i is verse i mod 4096, of unit length, plus noise of length 0.5. Needs numpy.
"""

import sys
from pathlib import Path

import numpy as np

ROWS_AT_A_TIME = 65_536

rows, out = int(sys.argv[1]), sys.argv[2]
verses = np.load(Path(__file__).parents[2] / "examples/data/verses-kjv.npy").astype(np.float32)
verses /= np.linalg.norm(verses, axis=1, keepdims=True)
dims = verses.shape[1]
target = np.lib.format.open_memmap(out, mode="w+", dtype=np.float16, shape=(rows, dims))
for start in range(0, rows, ROWS_AT_A_TIME):
    end = min(rows, start + ROWS_AT_A_TIME)
    noise = np.random.default_rng([7, start]).standard_normal((end - start, dims), dtype=np.float32)
    target[start:end] = verses[np.arange(start, end) % len(verses)] + (0.5 / dims**0.5) * noise
target.flush()
