"""The linear schedule."""

from pathlib import Path

import numpy as np
import pytest

from leokit.noise_schedulers import LinearNoiseScheduler
from leokit.registry import NOISE_SCHEDULERS
from leokit.utils import UserError

REFERENCE = np.load(Path(__file__).parent / 'data' / 'reference.npz')


def test_tables_equal_the_reference():
    scheduler = NOISE_SCHEDULERS.build(dict(type='LinearNoiseScheduler'))
    assert np.abs(scheduler.betas.numpy() - REFERENCE['linear_betas']).max() < 1e-12
    assert np.abs(scheduler.alphas_cumprod.numpy() - REFERENCE['linear_alphas_cumprod']).max() < 1e-12


def test_options():
    scheduler = LinearNoiseScheduler(3, start=0.1, end=0.3)
    assert scheduler.num_train_timesteps == 3
    assert np.allclose(scheduler.betas, [0.1, 0.2, 0.3])
    assert np.allclose(scheduler.alphas_cumprod, [0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7])
    with pytest.raises(UserError, match='beta'):
        LinearNoiseScheduler(end=2.0)
