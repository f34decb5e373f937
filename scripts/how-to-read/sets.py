"""Makes the sets of digits that docs/how-to-read.md measures, in the folder that is named: python sets.py FOLDER

scikit-learn has 1,797 handwritten digits of 8 by 8 pixels. A small encoder is trained on every second of them; the others are
measured. A positive pair is a digit and the same digit moved by up to a pixel, with noise. All numbers are in f64 and all
draws seeded, so that every run makes the same sets.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

HIDDEN = 128
BATCH = 256
STEPS = 2000
RATE = 0.003
NOISE = 0.1
# Weights are multiples of 1 / GRID: the rounding of one processor or another does not grow into other sets.
GRID = 2.0**20


def moved(images, rng):
    """The images (n, 64), each moved by up to a pixel along both axes, with noise."""
    n = len(images)
    padded = np.pad(images.reshape(n, 8, 8), ((0, 0), (1, 1), (1, 1)))
    for axis in 1, 2:
        by = rng.uniform(-1, 1, (n, 1, 1))
        neighbour = np.where(by > 0, np.roll(padded, 1, axis), np.roll(padded, -1, axis))
        padded = (1 - abs(by)) * padded + abs(by) * neighbour
    return padded[:, 1:9, 1:9].reshape(n, 64) + NOISE * rng.standard_normal((n, 64))


def alignment(x, y):
    """Mean |x - y|^2, and its gradients."""
    apart = x - y
    return (apart**2).sum(1).mean(), 2 * apart / len(x), -2 * apart / len(x)


def uniformity(x, t=2.0):
    """Log mean exp(-t |x - x'|^2) over the pairs i < j, and its gradient."""
    weights = np.exp(-2 * t * (1 - x @ x.T))
    np.fill_diagonal(weights, 0)
    total = weights.sum()
    return np.log(total / (len(x) * (len(x) - 1))), -4 * t / total * (weights.sum(1, keepdims=True) * x - weights @ x)


class Encoder:
    """Two layers: z = tanh(x W1 + b1) W2 + b2, scaled to unit length."""

    def __init__(self, dims, rng):
        self.parameters = [
            rng.standard_normal((64, HIDDEN)) / 8,
            np.zeros(HIDDEN),
            rng.standard_normal((HIDDEN, dims)) / HIDDEN**0.5,
            np.zeros(dims),
        ]

    def forward(self, images):
        first, b1, second, b2 = self.parameters
        hidden = np.tanh(images @ first + b1)
        z = hidden @ second + b2
        length = np.linalg.norm(z, axis=1, keepdims=True)
        return z / length, (images, hidden, length)

    def backward(self, points, kept, gradient):
        images, hidden, length = kept
        gradient = (gradient - (gradient * points).sum(1, keepdims=True) * points) / length
        inner = gradient @ self.parameters[2].T * (1 - hidden**2)
        return [images.T @ inner, inner.sum(0), hidden.T @ gradient, gradient.sum(0)]


def trained(images, dims, weight_of_uniformity, steps=STEPS):
    """An encoder that was trained with alignment + weight * uniformity, by Adam."""
    rng = np.random.default_rng(14)
    encoder = Encoder(dims, rng)
    means, squares = ([np.zeros_like(of) for of in encoder.parameters] for _ in range(2))
    for step in range(1, steps + 1):
        batch = images[rng.choice(len(images), BATCH, replace=False)]
        (x, kept_x), (y, kept_y) = encoder.forward(moved(batch, rng)), encoder.forward(moved(batch, rng))
        _, gx, gy = alignment(x, y)
        gx += weight_of_uniformity / 2 * uniformity(x)[1]
        gy += weight_of_uniformity / 2 * uniformity(y)[1]
        gradients = zip(encoder.backward(x, kept_x, gx), encoder.backward(y, kept_y, gy))
        for value, mean, square, (a, b) in zip(encoder.parameters, means, squares, gradients):
            mean += 0.1 * (a + b - mean)
            square += 0.001 * ((a + b) ** 2 - square)
            value -= RATE * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)) ** 0.5 + 1e-8)
            value[...] = np.round(value * GRID) / GRID
    return encoder


def same_label(points, labels):
    """How often the row of the greatest cosine with a row has its label."""
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosines = points @ points.T
    np.fill_diagonal(cosines, -2)
    return (labels[cosines.argmax(1)] == labels).mean()


def main(folder):
    digits = load_digits()
    images = digits.data / 16
    for_training, measured = images[0::2], images[1::2]
    partners = moved(measured, np.random.default_rng(1797))
    labels = digits.target[1::2]
    (folder / "digits.txt").write_text("".join(f"{label}\n" for label in labels))

    def write(name, points_of):
        for role, of in ("x", measured), ("y", partners):
            np.save(folder / f"{name}-{role}.npy", points_of(of).astype(np.float32))
        print(f"{name}: the nearest other row has the same label in {100 * same_label(points_of(measured), labels):.1f} % of rows")

    write("pixels", lambda of: of)
    encoders = {
        "circle": trained(for_training, 2, 1.0),
        "trained": trained(for_training, 32, 1.0),
        "collapsed": trained(for_training, 32, 0.0, steps=50),
    }
    for name, encoder in encoders.items():
        write(name, lambda of, encoder=encoder: encoder.forward(of)[0])


main(Path(sys.argv[1]))
