#!/usr/bin/env python3
"""Writes the fixtures of text beside this script, with the libraries that people use: json, pandas, numpy and gensim.

All hold the points (7, 3) of POINTS, which f32 has no exact value for.
"""

import json
import pathlib

import gensim.models
import numpy
import pandas

HERE = pathlib.Path(__file__).parent
POINTS = numpy.array([[(row - 3) / 7 + dim / 1000 for dim in range(3)] for row in range(7)])
WORDS = ["the", ",", "of", "größe", "a_b", "1999", "</s>"]

with open(HERE / "lines.jsonl", "w") as file:
    for word, point in zip(WORDS, POINTS):
        file.write(json.dumps({"text": word, "embedding": point.tolist()}) + "\n")
with open(HERE / "response.json", "w") as file:
    data = [{"object": "embedding", "index": row, "embedding": point.tolist()} for row, point in enumerate(POINTS)]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    json.dump({"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}, file, indent=2)
with open(HERE / "array.json", "w") as file:
    json.dump(POINTS.tolist(), file)

frame = pandas.DataFrame(POINTS, columns=["d0", "d1", "d2"])
frame.to_csv(HERE / "numbers.csv", index=False)
frame.to_csv(HERE / "numbers.tsv", index=False, sep="\t", header=False)
frame.to_csv(HERE / "index.csv")
frame.assign(text=["a, \"b\"\nc"] * 7, id=range(7)).to_csv(HERE / "mixed.csv", index=False)
pandas.DataFrame({"text": WORDS, "embedding": POINTS.tolist()}).to_csv(HERE / "lists.csv", index=False)
numpy.savetxt(HERE / "savetxt.txt", POINTS)

vectors = gensim.models.KeyedVectors(3)
vectors.add_vectors(WORDS, POINTS.astype("float32"))
vectors.save_word2vec_format(HERE / "word2vec.txt", binary=False)
