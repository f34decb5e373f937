import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def pairs():
    """(60, 12) of f32, twice: rows of either are positive pairs."""
    random = np.random.default_rng(7)
    x = random.normal(size=(60, 12)).astype(np.float32)
    return x, (x + 0.4 * random.normal(size=x.shape)).astype(np.float32)


@pytest.fixture
def x(pairs):
    return pairs[0]


@pytest.fixture
def y(pairs):
    return pairs[1]
