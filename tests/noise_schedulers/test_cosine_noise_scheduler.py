"""The cosine schedule."""

from pathlib import Path

import numpy as np

from leokit.noise_schedulers import CosineNoiseScheduler
from leokit.registry import NOISE_SCHEDULERS

REFERENCE = np.load(Path(__file__).parent / 'data' / 'reference.npz')


def test_tables_equal_the_reference():
    scheduler = NOISE_SCHEDULERS.build(dict(type='CosineNoiseScheduler'))
    assert np.abs(scheduler.betas.numpy() - REFERENCE['cosine_betas']).max() < 1e-12
    assert np.abs(scheduler.alphas_cumprod.numpy() - REFERENCE['cosine_alphas_cumprod']).max() < 1e-12


def test_options():
    assert CosineNoiseScheduler(10).num_train_timesteps == 10
    assert CosineNoiseScheduler(10, max_beta=0.5).betas.max() == 0.5
    assert CosineNoiseScheduler(100, offset=0.1).betas[0] > CosineNoiseScheduler(100).betas[0]
