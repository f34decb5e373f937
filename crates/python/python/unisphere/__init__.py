"""Alignment and uniformity of embeddings (Wang & Isola 2020, arXiv 2005.10242): values and gradients, on the CPU and on GPUs.

    unisphere.uniformity(x)                  log mean exp(−2‖xᵢ−xⱼ‖²): how evenly points cover the sphere
    unisphere.alignment(x, y)                mean ‖xᵢ−yᵢ‖²: how close positive pairs lie
    unisphere.evaluate(x, y, full=True)      a report
    unisphere.estimate("large.npy")          uniformity of any number of rows, with an interval
    unisphere.compare({"a": a, "b": b})      which model is better, and is the difference real?
    unisphere.value_and_grad(unisphere.uniformity, x)

Points are (n, d): arrays of NumPy, tensors, buffers, lists of lists. Rows are scaled to unit length unless raw=True.
`unisphere.torch` has losses for PyTorch. `unisphere.sentence_transformers`, `.torchmetrics`, `.lightning` and `.ray` are for these
libraries. None of them is imported before its module is.
"""

from ._analysis import ClosePairs, Histogram, Spectrum, floor
from ._compare import Comparison
from ._engine import Engine
from ._errors import (
    DeviceError,
    FileError,
    ForkError,
    InternalError,
    InvalidInput,
    OutOfMemory,
    UnisphereError,
)
from ._estimate import Estimate, Estimates
from ._labels import GroupUniformity, Retrieval, RetrievalWay, Unpaired
from ._native import __version__
from ._report import Report

_engine_of_functions = Engine._of_functions()

uniformity = _engine_of_functions.uniformity
alignment = _engine_of_functions.alignment
loss = _engine_of_functions.loss
contrastive = _engine_of_functions.contrastive
sigmoid = _engine_of_functions.sigmoid
supcon = _engine_of_functions.supcon
mmd = _engine_of_functions.mmd
value_and_grad = _engine_of_functions.value_and_grad
potentials = _engine_of_functions.potentials
pair_distances = _engine_of_functions.pair_distances
spectrum = _engine_of_functions.spectrum
histogram = _engine_of_functions.histogram
close_pairs = _engine_of_functions.close_pairs
evaluate = _engine_of_functions.evaluate
estimate = _engine_of_functions.estimate
compare = _engine_of_functions.compare
alignment_by_label = _engine_of_functions.alignment_by_label
group_uniformity = _engine_of_functions.group_uniformity
retrieval = _engine_of_functions.retrieval
unpaired = _engine_of_functions.unpaired

__all__ = [
    "ClosePairs", "Comparison", "DeviceError", "Engine", "Estimate", "Estimates", "FileError", "ForkError", "GroupUniformity",
    "Histogram", "InternalError", "InvalidInput", "OutOfMemory", "Report", "Retrieval", "RetrievalWay",
    "Spectrum", "UnisphereError", "Unpaired", "__version__", "alignment", "alignment_by_label", "close_pairs", "compare",
    "contrastive", "estimate", "evaluate", "floor", "group_uniformity", "histogram", "loss", "mmd", "pair_distances",
    "potentials", "retrieval", "sigmoid", "spectrum", "supcon", "uniformity", "unpaired", "value_and_grad",
]
