"""A callback for Lightning: alignment and uniformity of a model's embeddings at the end of every validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor

from ._errors import InvalidInput
from .torchmetrics import Alignment, Uniformity, _TooFewRows

__all__ = ["AlignmentUniformityCallback"]


class AlignmentUniformityCallback(Callback):
    """Logs alignment and uniformity of validation pairs, all of which are better when lower.

    embed(module, batch) returns the embeddings of a batch's positive pairs: x and y, (n, d) each. It is called without gradients, in
    the precision of the trainer. Logged are

        val_alignment        mean ‖xᵢ−yᵢ‖^alpha
        val_uniformity       the mean of val_uniformity_x and val_uniformity_y
        val_align_uniform    weight · alignment + uniformity: the paper's loss

    with `prefix` before them, and Lightning's "/dataloader_idx_K" after them where there are several validation loaders. They are
    of the first `max_rows` pairs of each loader, in all processes together: memory is 8 · max_rows · d bytes, and time goes with
    max_rows² · d. Processes merge sums and rows, so that values are those of one process with the same pairs.

    Raises InvalidInput for parameters that the metrics refuse, and for embeddings that are no pairs, not finite or zero.
    """

    def __init__(
        self,
        embed: Callable[[Any, Any], tuple[Tensor, Tensor]],
        *,
        alpha: float = 2.0,
        t: float = 2.0,
        weight: float = 1.0,
        max_rows: int = 10_000,
        prefix: str = "val_",
    ) -> None:
        super().__init__()
        if not callable(embed):
            raise InvalidInput(f"embed must be a function of the module and a batch, and is {type(embed).__name__}")
        if max_rows < 2:
            raise InvalidInput(f"max_rows must be at least 2, and is {max_rows}")
        # The metrics refuse bad parameters now, not after an epoch.
        Alignment(alpha), Uniformity(t)
        self.embed = embed
        self.alpha, self.t, self.weight = alpha, t, weight
        self.max_rows = max_rows
        self.prefix = prefix
        self._loaders: list[_Pairs] = []

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begins with no pairs."""
        # Its share of the rows for each process, and all loaders in all processes, as these merge them one by one.
        share, left = divmod(self.max_rows, trainer.world_size)
        share += trainer.global_rank < left
        # MPS has no f64, in which sums are kept.
        device = torch.device("cpu") if pl_module.device.type == "mps" else pl_module.device
        count = len(trainer.num_sanity_val_batches if trainer.sanity_checking else trainer.num_val_batches)
        self._loaders = [_Pairs(self.alpha, self.t, share, device) for _ in range(count)]

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Adds the pairs of a batch, until there are enough."""
        pairs = self._loaders[dataloader_idx]
        if pairs.wanted == 0:
            return
        with torch.no_grad(), trainer.precision_plugin.val_step_context():
            embedded = self.embed(pl_module, batch)
        if not isinstance(embedded, (tuple, list)) or len(embedded) != 2:
            raise InvalidInput(f"embed must return two tensors, (x, y), and returned {type(embedded).__name__}")
        pairs.add(*embedded)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Merges and logs."""
        batches = trainer.num_sanity_val_batches if trainer.sanity_checking else trainer.num_val_batches
        for index, (pairs, count) in enumerate(zip(self._loaders, batches)):
            if count == 0:
                continue
            try:
                alignment, of_x, of_y = pairs.merged()
            except _TooFewRows as error:
                # A check of a batch or two need not have two pairs. Lightning sets the second of these without declaring it.
                if trainer.sanity_checking or getattr(trainer, "fast_dev_run", False):
                    rank_zero_warn(f"no alignment and uniformity of validation loader {index}: it had fewer than two pairs")
                    continue
                raise InvalidInput(f"validation loader {index} has fewer than two pairs; give it more, or leave out the callback") from error
            mean = (of_x + of_y) / 2
            values = {
                "alignment": alignment, "uniformity": mean, "uniformity_x": of_x, "uniformity_y": of_y,
                "align_uniform": self.weight * alignment + mean,
            }
            place = f"/dataloader_idx_{index}" if len(self._loaders) > 1 else ""
            # All processes have the merged values by now; sync_dist leaves them as they are, and spares a warning.
            named = {f"{self.prefix}{name}{place}": value for name, value in values.items()}
            pl_module.log_dict(named, sync_dist=True, add_dataloader_idx=False)
        self._loaders = []


class _Pairs:
    """The pairs of one loader, up to so many."""

    def __init__(self, alpha: float, t: float, wanted: int, device: torch.device) -> None:
        self.wanted = wanted
        self.alignment, self.x, self.y = Alignment(alpha).to(device), Uniformity(t).to(device), Uniformity(t).to(device)

    def add(self, x: Tensor, y: Tensor) -> None:
        x, y = x[:self.wanted], y[:self.wanted]
        self.alignment.update(x, y)
        self.x.update(x)
        self.y.update(y)
        self.wanted -= len(x)

    def merged(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.alignment.compute(), self.x.compute(), self.y.compute()
