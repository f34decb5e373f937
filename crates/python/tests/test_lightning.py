"""The callback for Lightning: what it logs, against the formulas in f64 of the same embeddings."""

import sys
from pathlib import Path

import formulas
import pytest
import unisphere

REASON = "scripts/test-python-clients installs it"
torch = pytest.importorskip("torch", reason=REASON)
lightning = pytest.importorskip("lightning", reason=REASON)
pytest.importorskip("torchmetrics", reason=REASON)

from torch.utils.data import DataLoader, TensorDataset  # noqa: E402
from unisphere.lightning import AlignmentUniformityCallback  # noqa: E402
from unisphere.torch import AlignUniformLoss  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))


class Pairs(lightning.LightningModule):
    """An encoder of 6 numbers into 4, whose batches are pairs."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.layer = torch.nn.Linear(6, 4)
        self.embedded = 0

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch):
        return AlignUniformLoss()(self(batch[0]), self(batch[1]))

    def validation_step(self, batch, batch_idx, dataloader_idx=0):
        pass

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def embed(module, batch):
    assert not torch.is_grad_enabled() and not module.training
    module.embedded += 1
    return module(batch[0]), module(batch[1])


def pairs(rows, seed=1):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 6, generator=random)
    return x, x + 0.3 * torch.randn(rows, 6, generator=random)


def loader(rows, seed=1, size=16):
    return DataLoader(TensorDataset(*pairs(rows, seed)), size)


def trainer(folder, callback, **options):
    return lightning.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=folder, callbacks=callback, **{"devices": 1, **options},
    )


def want(module, x, y, alpha=2.0, t=2.0, weight=1.0):
    with torch.no_grad():
        x, y = module(x), module(y)
    of_pairs, of_x, of_y = formulas.alignment(x, y, alpha), formulas.uniformity(x, t), formulas.uniformity(y, t)
    mean = (of_x + of_y) / 2
    of_sets = {"uniformity": mean, "uniformity_x": of_x, "uniformity_y": of_y}
    return {"alignment": of_pairs, **of_sets, "align_uniform": weight * of_pairs + mean}


def holds(metrics, of, prefix="val_", place=""):
    for name, value in of.items():
        assert metrics[f"{prefix}{name}{place}"].item() == pytest.approx(value, abs=2e-6), name


def test_values_are_those_of_all_batches(tmp_path):
    module, callback = Pairs(), AlignmentUniformityCallback(embed, alpha=1.0, t=3.0, weight=0.5, prefix="held/")
    # 65 rows: the last batch has one.
    of = trainer(tmp_path, callback)
    of.validate(module, loader(65), verbose=False)
    holds(of.callback_metrics, want(module, *pairs(65), 1.0, 3.0, 0.5), "held/")
    assert module.embedded == 5


def test_rows_are_bounded(tmp_path):
    module = Pairs()
    of = trainer(tmp_path, AlignmentUniformityCallback(embed, max_rows=20))
    of.validate(module, loader(65), verbose=False)
    x, y = pairs(65)
    holds(of.callback_metrics, want(module, x[:20], y[:20]))
    assert module.embedded == 2


def test_a_check_of_one_row_ends_no_training(tmp_path):
    callback = AlignmentUniformityCallback(embed)
    of = trainer(tmp_path, callback, fast_dev_run=True)
    with pytest.warns(UserWarning, match="fewer than two pairs"):
        of.fit(Pairs(), loader(8, size=4), loader(8, size=1))
    assert "val_alignment" not in of.callback_metrics
    with pytest.raises(unisphere.InvalidInput, match="validation loader 0 has fewer than two pairs"):
        trainer(tmp_path, callback).validate(Pairs(), loader(1, size=1))


def test_loaders_are_told_apart(tmp_path):
    module = Pairs()
    of = trainer(tmp_path, AlignmentUniformityCallback(embed))
    of.validate(module, [loader(40), loader(30, seed=2)], verbose=False)
    for place, (rows, seed) in enumerate(((40, 1), (30, 2))):
        holds(of.callback_metrics, want(module, *pairs(rows, seed)), place=f"/dataloader_idx_{place}")


def test_precision_is_the_trainers(tmp_path):
    module, seen = Pairs(), []

    def told(module, batch):
        x, y = module(batch[0]), module(batch[1])
        seen.append(x.dtype)
        return x, y

    of = trainer(tmp_path, AlignmentUniformityCallback(told), precision="bf16-mixed")
    of.validate(module, loader(40), verbose=False)
    assert set(seen) == {torch.bfloat16}
    assert of.callback_metrics["val_alignment"].item() == pytest.approx(want(module, *pairs(40))["alignment"], abs=1e-2)


def test_every_epoch_begins_anew_and_other_callbacks_see_it(tmp_path):
    from lightning.pytorch.callbacks import EarlyStopping

    class Kept(lightning.Callback):
        values = []

        def on_validation_end(self, trainer, pl_module):
            if not trainer.sanity_checking:
                holds(trainer.callback_metrics, want(pl_module, *pairs(48)))
                self.values.append(trainer.callback_metrics["val_align_uniform"].item())

    stopping = EarlyStopping("val_align_uniform", mode="min", min_delta=10.0, patience=1)
    of = trainer(tmp_path, [AlignmentUniformityCallback(embed), Kept(), stopping], max_epochs=5)
    of.fit(Pairs(), loader(64, seed=9), loader(48))
    # No epoch is better by 10, so that training ends with the second.
    assert len(Kept.values) == 2 and Kept.values[1] < Kept.values[0]


def test_two_processes_have_the_values_of_one(tmp_path):
    module = Pairs()
    of = trainer(tmp_path, AlignmentUniformityCallback(embed, max_rows=60), strategy="ddp_spawn", devices=2, max_epochs=1)
    of.fit(module, loader(64, seed=9), loader(80))
    x, y = pairs(80)
    # Rows go to the processes in turn, and each takes the first 30 of its own.
    holds(of.callback_metrics, want(module, x[:60], y[:60]))


def test_a_trainer_of_pytorch_lightning_takes_it(tmp_path):
    other = pytest.importorskip("pytorch_lightning", reason=REASON)

    class Module(other.LightningModule):
        embedded = 0

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(6, 4)

        def forward(self, x):
            return self.layer(x)

        def validation_step(self, batch):
            pass

    of = other.Trainer(
        accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        default_root_dir=tmp_path, callbacks=[AlignmentUniformityCallback(embed)],
    )
    module = Module()
    of.validate(module, loader(40), verbose=False)
    holds(of.callback_metrics, want(module, *pairs(40)))


def test_bad_arguments_are_told(tmp_path):
    for options, words in [({"max_rows": 1}, "max_rows must be at least 2"), ({"t": 0.0}, "t must"), ({"alpha": -1.0}, "alpha must")]:
        with pytest.raises(unisphere.InvalidInput, match=words):
            AlignmentUniformityCallback(embed, **options)
    with pytest.raises(unisphere.InvalidInput, match="embed must be a function"):
        AlignmentUniformityCallback(None)
    one = AlignmentUniformityCallback(lambda module, batch: module(batch[0]))
    with pytest.raises(unisphere.InvalidInput, match="embed must return two tensors"):
        trainer(tmp_path, one).validate(Pairs(), loader(20), verbose=False)


def test_training_on_digits_lowers_what_is_logged(tmp_path):
    pytest.importorskip("sklearn", reason=REASON)
    import digits

    def logged(loss, epochs):
        return digits.train(loss, 0, epochs, tmp_path)[1].callback_metrics["val_align_uniform"].item()

    first = logged(AlignUniformLoss(), 1)
    assert logged(AlignUniformLoss(), 6) < first - 0.2
    # The loss is that of plain PyTorch: so is the first epoch, to rounding.
    assert logged(digits.plain_loss, 1) == pytest.approx(first, abs=1e-3)
