#!/usr/bin/env python3
"""Trains an encoder of digits by alignment and uniformity, and tells how well a linear probe reads its embeddings.

    pip install './crates/python[lightning]' scikit-learn
    python digits.py                # by unisphere and by plain PyTorch, five seeds each

The data are scikit-learn's 1,797 digits of 8 × 8 pixels. A positive pair are two noisy views of one digit: no label is seen before the
probe. Prints the accuracy of each seed, and both means.
"""
import argparse
import statistics

import lightning
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import normalize
from torch.utils.data import DataLoader, TensorDataset

from unisphere.lightning import AlignmentUniformityCallback
from unisphere.torch import AlignUniformLoss


def plain_loss(x, y):
    """The same loss as its authors write it."""
    x, y = normalize(x), normalize(y)
    uniformity = [torch.pdist(z).pow(2).mul(-2).exp().mean().log() for z in (x, y)]
    return (x - y).norm(dim=1).pow(2).mean() + sum(uniformity) / 2


def views(images):
    """Two views of each image (n, 8, 8): moved by up to a pixel, brighter or darker, with noise."""

    def view():
        moved = torch.stack([
            torch.roll(image, (int(down), int(right)), (0, 1))
            for image, (down, right) in zip(images, torch.randint(-1, 2, (len(images), 2)))
        ])
        return moved * (0.7 + 0.6 * torch.rand(len(images), 1, 1)) + 0.15 * torch.randn_like(images)

    return view(), view()


class Encoder(lightning.LightningModule):
    """Images (n, 8, 8) to points (n, 16)."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss
        self.layers = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 16)
        )

    def forward(self, images):
        return self.layers(images)

    def training_step(self, batch):
        x, y = views(batch[0])
        return self.loss(self(x), self(y))

    def validation_step(self, batch):
        pass

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 3e-3)


def embedded_views(encoder, batch):
    """The pairs that the callback measures, of the same noise in every epoch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x, y = views(batch[0])
    return encoder(x), encoder(y)


def train(loss, seed, epochs, folder=None, **options):
    """A trained encoder, and the trainer with what it logged."""
    lightning.seed_everything(seed, verbose=False)
    images = torch.tensor(load_digits().images / 16, dtype=torch.float32)
    seen, held = TensorDataset(images[:1200]), TensorDataset(images[1200:])
    encoder = Encoder(loss)
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder, num_sanity_val_steps=0,
        **{"callbacks": [AlignmentUniformityCallback(embedded_views)], **options},
    )
    trainer.fit(encoder, DataLoader(seen, 100, shuffle=True), DataLoader(held, 200))
    return encoder, trainer


def probe(encoder):
    """The share of held-out digits that a linear classifier of the embeddings names."""
    digits = load_digits()
    with torch.no_grad():
        points = normalize(encoder(torch.tensor(digits.images / 16, dtype=torch.float32))).numpy()
    classifier = LogisticRegression(C=10, max_iter=2000).fit(points[:1200], digits.target[:1200])
    return classifier.score(points[1200:], digits.target[1200:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    for name, loss in (("unisphere", AlignUniformLoss()), ("plain PyTorch", plain_loss)):
        found = []
        for seed in range(options.seeds):
            encoder, trainer = train(loss, seed, options.epochs)
            found.append(probe(encoder))
            logged = {key: round(value.item(), 4) for key, value in trainer.callback_metrics.items() if key[-2:] not in ("_x", "_y")}
            print(f"{name}, seed {seed}: accuracy {found[-1]:.4f}  {logged}", flush=True)
        print(f"{name}: {statistics.mean(found):.4f} ± {statistics.stdev(found) if len(found) > 1 else 0:.4f}", flush=True)


if __name__ == "__main__":
    main()
