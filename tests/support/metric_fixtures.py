"""Tiny extractors, and reference features made by rule."""

import numpy as np
import pytest
import torch
from support.tiny_extractors import TinyImageFeatures, TinyVideoFeatures
from torch import Tensor

REFERENCE_SETS = {  # name -> (seed, rank, d, real, fake)
    'singular': (501, 60, 400, 256, 200),
    'full_rank': (502, 24, 24, 512, 384)}


def reference_features(name: str) -> tuple[Tensor, Tensor]:
    """The feature matrices on which the reference implementations were run."""
    seed, rank, d, real_rows, fake_rows = REFERENCE_SETS[name]
    random = np.random.RandomState(seed)
    mixing = random.standard_normal((rank, d)) / np.sqrt(rank)
    mean, shift = 0.5 * random.standard_normal(d), 0.2 * random.standard_normal(d)
    real = random.standard_normal((real_rows, rank)) @ mixing + mean + 0.3 * random.standard_normal((real_rows, d))
    fake = (1.2 * random.standard_normal((fake_rows, rank)) @ mixing + mean + shift
            + 0.4 * random.standard_normal((fake_rows, d)))
    return torch.from_numpy(real.astype(np.float32)), torch.from_numpy(fake.astype(np.float32))


@pytest.fixture(params=sorted(REFERENCE_SETS))
def reference(request):
    """Name, real features and fake features."""
    return request.param, *reference_features(request.param)


@pytest.fixture
def tiny_image():
    """An image extractor."""
    return TinyImageFeatures()


@pytest.fixture
def tiny_video():
    """A video extractor."""
    return TinyVideoFeatures()
