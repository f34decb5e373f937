"""An evaluator for Sentence Transformers: alignment and uniformity of pairs of texts, while a model trains and after."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.evaluation import SentenceEvaluator

from . import alignment, loss, uniformity
from ._errors import InvalidInput

__all__ = ["AlignmentUniformityEvaluator"]

logger = logging.getLogger(__name__)

METRICS = ("alignment", "uniformity", "uniformity_x", "uniformity_y", "align_uniform")


class AlignmentUniformityEvaluator(SentenceEvaluator):
    """Alignment and uniformity of pairs of texts. All of its numbers are better when lower: `greater_is_better` is False.

    sentences1 and sentences2 are texts, of which those at one place are a positive pair. A call returns

        alignment        mean ‖xᵢ−yᵢ‖^alpha over the pairs, of embeddings that are scaled to unit length
        uniformity       the mean of uniformity_x, of sentences1, and uniformity_y, of sentences2
        align_uniform    weight · alignment + uniformity: the paper's loss

    with `name` before each, and appends them to a CSV file. `primary_metric` is one of them. Trainers take it as

        SentenceTransformerTrainingArguments(metric_for_best_model="eval_NAME_align_uniform", greater_is_better=False, …)

    Raises InvalidInput for lists of different lengths or of fewer than two texts, and parameters that the metrics refuse.
    """

    def __init__(
        self,
        sentences1: Sequence[str],
        sentences2: Sequence[str],
        name: str = "",
        *,
        alpha: float = 2.0,
        t: float = 2.0,
        weight: float = 1.0,
        primary_metric: Literal["alignment", "uniformity", "uniformity_x", "uniformity_y", "align_uniform"] = "align_uniform",
        batch_size: int = 32,
        truncate_dim: int | None = None,
        show_progress_bar: bool = False,
        write_csv: bool = True,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        for texts, side in ((sentences1, "sentences1"), (sentences2, "sentences2")):
            if isinstance(texts, str):
                raise InvalidInput(f"{side} is one text, and must be a list of texts: [text, …]")
        if len(sentences1) != len(sentences2):
            raise InvalidInput(
                f"sentences1 has {len(sentences1)} texts and sentences2 has {len(sentences2)}; give each text its partner"
            )
        if len(sentences1) < 2:
            raise InvalidInput(f"sentences1 must have at least 2 texts, and has {len(sentences1)}")
        if primary_metric not in METRICS:
            raise InvalidInput(f"primary_metric must be one of {', '.join(METRICS)}, and is {primary_metric!r}")
        # Parameters are tried on two points, so that a bad one is told here and not after an epoch.
        loss(np.eye(2), np.eye(2), alpha, t, weight)
        self.sentences1, self.sentences2 = list(sentences1), list(sentences2)
        self.name = name
        self.alpha, self.t, self.weight = alpha, t, weight
        self.batch_size = batch_size
        self.truncate_dim = truncate_dim
        self.show_progress_bar = show_progress_bar
        self.write_csv = write_csv
        self.csv_file = f"alignment_uniformity_evaluation{'_' + name if name else ''}_results.csv"
        self.csv_headers = ["epoch", "steps", *METRICS]
        self.greater_is_better = False
        self.primary_metric: str = primary_metric

    def __call__(  # type: ignore[override]
        self, model: SentenceTransformer, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """The metrics of a model by their names. epoch and steps, −1 for the end of each, go to the log and the CSV file.

        output_path is the folder of the CSV file, or None. Raises InvalidInput for embeddings that are zero or not finite.
        """
        when = "" if epoch == -1 else f" after epoch {epoch}" if steps == -1 else f" in epoch {epoch} after {steps} steps"
        cut = "" if self.truncate_dim is None else f" (truncated to {self.truncate_dim})"
        logger.info(f"Alignment and uniformity (lower = better) on the {self.name} dataset{when}{cut}:")
        metrics = self._measured(self.embed_inputs(model, self.sentences1), self.embed_inputs(model, self.sentences2))
        logger.info("\t".join(f"{name}: {value:.4f}" for name, value in metrics.items()))
        if output_path is not None and self.write_csv:
            self._append(output_path, [epoch, steps, *metrics.values()])
        prefixed: dict[str, float] = self.prefix_name_to_metrics(metrics, self.name)
        self.store_metrics_in_model_card_data(model, prefixed, epoch, steps)
        return prefixed

    def _measured(self, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> dict[str, float]:
        of_pairs, of_x, of_y = alignment(x, y, self.alpha), uniformity(x, self.t), uniformity(y, self.t)
        mean = (of_x + of_y) / 2
        return dict(zip(METRICS, (of_pairs, mean, of_x, of_y, self.weight * of_pairs + mean)))

    def _append(self, folder: str, row: list[float]) -> None:
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.csv_file)
        is_new = not os.path.isfile(path)
        with open(path, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(self.csv_headers)
            writer.writerow(row)

    def embed_inputs(self, model: SentenceTransformer, sentences: Sequence[str], **options: Any) -> npt.NDArray[Any]:
        """(n, d): the embeddings of n texts."""
        embeddings: npt.NDArray[Any] = model.encode(
            sentences,
            batch_size=self.batch_size,
            show_progress_bar=self.show_progress_bar,
            convert_to_numpy=True,
            truncate_dim=self.truncate_dim,
            **options,
        )
        return embeddings

    @property
    def description(self) -> str:
        """What model cards call it."""
        return "Alignment and Uniformity"

    def get_config_dict(self) -> dict[str, Any]:
        """The settings for model cards."""
        settings = {"alpha": self.alpha, "t": self.t, "weight": self.weight, "truncate_dim": self.truncate_dim}
        return {name: value for name, value in settings.items() if value is not None}
