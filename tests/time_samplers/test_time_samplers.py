"""Distributions of training times."""

import math

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import EDMNoiseScheduler, FlowMatchingScheduler
from leokit.registry import TIME_SAMPLERS
from leokit.utils import UserError

COUNT = 200_000


def sample(kind, scheduler, **options):
    sampler = TIME_SAMPLERS.build(dict(type=kind, **options))
    return sampler.sample(COUNT, scheduler, device=torch.device('cpu'), generator=torch.Generator().manual_seed(0))


def test_uniform():
    times = sample('UniformTimeSampler', FlowMatchingScheduler(10))
    assert times.dtype == torch.long
    assert np.allclose(torch.bincount(times, minlength=10) / COUNT, 0.1, atol=0.005)


@pytest.mark.parametrize('mean,std', [(0.0, 1.0), (0.7, 0.5)])
def test_logit_normal_cumulates_as_its_formula_says(mean, std):
    """P(t < k) = Phi((logit(k / S) - mean) / std)."""
    times = sample('LogitNormalTimeSampler', FlowMatchingScheduler(10), mean=mean, std=std)
    for k in range(1, 10):
        z = (math.log(k / (10 - k)) - mean) / std
        assert (times < k).double().mean().item() == pytest.approx(0.5 * (1 + math.erf(z / math.sqrt(2))), abs=0.005)


def test_log_normal_noise_levels():
    scheduler = EDMNoiseScheduler(2000)
    log_noise = -scheduler.half_log_snr(sample('LogNormalTimeSampler', scheduler))
    assert log_noise.mean().item() == pytest.approx(-1.2, abs=0.01)
    assert log_noise.std().item() == pytest.approx(1.2, abs=0.01)


def test_log_normal_takes_the_nearest_time_and_stays_in_range():
    scheduler = FlowMatchingScheduler(5)
    times = sample('LogNormalTimeSampler', scheduler, mean=math.log(0.6 / 0.4), std=1e-6)
    assert times.eq(2).all()  # s = 3 / 5
    wide = sample('LogNormalTimeSampler', scheduler, mean=0.0, std=50.0)
    assert 0 <= wide.min() and wide.max() <= 4


def test_a_generator_fixes_the_times():
    scheduler = FlowMatchingScheduler(1000)
    for kind in ('UniformTimeSampler', 'LogitNormalTimeSampler', 'LogNormalTimeSampler'):
        assert torch.equal(sample(kind, scheduler), sample(kind, scheduler))


def test_a_deviation_of_zero_is_an_error():
    with pytest.raises(UserError, match='std=0'):
        TIME_SAMPLERS.build(dict(type='LogitNormalTimeSampler', std=0))
