"""Distributions of training times."""

import math

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import EDMNoiseScheduler, FlowMatchingScheduler
from leokit.registry import TIME_SAMPLERS
from leokit.utils import UserError
from leokit.utils.batch_random import batch_share

COUNT = 200_000


def sample(kind, scheduler, **options):
    sampler = TIME_SAMPLERS.build(dict(type=kind, **options))
    return sampler.sample(COUNT, scheduler, device=torch.device('cpu'), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('generator', [None, torch.Generator().manual_seed(0)], ids=['global', 'given'])
def test_uniform(generator):
    torch.manual_seed(0)
    times = TIME_SAMPLERS.build(dict(type='UniformTimeSampler')).sample(
        COUNT, FlowMatchingScheduler(10), device=torch.device('cpu'), generator=generator)
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


@pytest.mark.parametrize('kind', ['UniformTimeSampler', 'LogitNormalTimeSampler', 'LogNormalTimeSampler',
                                  'GridTimeSampler'])
def test_processes_share_the_global_generator_and_not_a_given_one(kind):
    options = dict(num_steps=8) if kind == 'GridTimeSampler' else {}
    sampler, scheduler = TIME_SAMPLERS.build(dict(type=kind, **options)), FlowMatchingScheduler(1000)

    def times(count, generator=None):
        torch.manual_seed(3)
        return sampler.sample(count, scheduler, device=torch.device('cpu'), generator=generator).tolist()

    def seeded():
        return torch.Generator().manual_seed(3)

    whole, given = times(8), times(4, seeded())
    with batch_share(1, 2):
        assert times(4) == whole[1::2] and times(4, seeded()) == given


def test_the_defaults_are_those_of_the_papers():
    """EDM, table 1: P_mean = -1.2, P_std = 1.2; Stable Diffusion 3, section 3.1: a standard logit-normal."""
    times = sample('LogitNormalTimeSampler', FlowMatchingScheduler(10))
    assert (times < 5).double().mean().item() == pytest.approx(0.5, abs=0.005)
    assert (times < 2).double().mean().item() == pytest.approx(0.5 * (1 + math.erf(math.log(0.25) / 2**0.5)), abs=0.005)


def test_the_nearest_noise_level_is_decided_at_the_middle():
    """log(sigma / alpha) of the times 2 and 3 of 5 (s = 3 / 5 and 4 / 5) are log 1.5 and log 4."""
    scheduler = FlowMatchingScheduler(5)
    middle = (math.log(1.5) + math.log(4)) / 2
    for shift, expected in ((-0.01, 2), (0.01, 3)):
        assert sample('LogNormalTimeSampler', scheduler, mean=middle + shift, std=1e-6).eq(expected).all()


def test_extreme_values_are_the_first_and_the_last_time():
    for kind, scheduler in (('LogitNormalTimeSampler', FlowMatchingScheduler(10)),
                            ('LogNormalTimeSampler', EDMNoiseScheduler(10))):
        for mean, expected in ((-60.0, 0), (60.0, 9)):
            assert sample(kind, scheduler, mean=mean, std=0.1).eq(expected).all()


@pytest.mark.parametrize('kind', ['LogitNormalTimeSampler', 'LogNormalTimeSampler'])
def test_the_normal_variable_is_drawn_in_float64(kind):
    sampler = TIME_SAMPLERS.build(dict(type=kind, mean=0.5, std=2.0))
    sampler._to_times = lambda normal, scheduler: normal
    drawn = sampler.sample(5, None, device=torch.device('cpu'), generator=torch.Generator().manual_seed(1))
    normal = torch.randn(5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert drawn.dtype == torch.float64 and torch.equal(drawn, 0.5 + 2 * normal)


@pytest.mark.parametrize('num_steps,expected', [(1, {999}), (4, {999, 749, 499, 249}), (3, {999, 666, 332})])
def test_grid_times_are_those_of_the_sampling_steps_in_equal_shares(num_steps, expected):
    """The trailing grid: S - i S / n, rounded, minus one, for i = 0 ... n-1."""
    times = sample('GridTimeSampler', FlowMatchingScheduler(1000), num_steps=num_steps)
    assert times.dtype == torch.long
    values, counts = times.unique(return_counts=True)
    assert set(values.tolist()) == expected
    assert np.allclose(counts / COUNT, 1 / num_steps, atol=0.005)


@pytest.mark.parametrize('num_steps', [0, 1001])
def test_a_grid_that_does_not_fit_is_an_error(num_steps):
    with pytest.raises(UserError, match=f'num_steps={num_steps}'):
        sample('GridTimeSampler', FlowMatchingScheduler(1000), num_steps=num_steps)
