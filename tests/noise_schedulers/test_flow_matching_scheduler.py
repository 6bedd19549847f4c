"""Flow matching against its formulas, written out by hand."""

import math

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import DATA_TIME, FlowMatchingScheduler
from leokit.registry import NOISE_SCHEDULERS
from leokit.utils import UserError

S = 8


@pytest.fixture
def batch():
    random = np.random.RandomState(0)
    x0, eps = (torch.tensor(random.standard_normal((S, 5, 3))) for _ in range(2))
    return x0, eps, torch.arange(S)


def test_paths_are_straight(batch):
    x0, eps, t = batch
    scheduler = NOISE_SCHEDULERS.build(dict(type='FlowMatchingScheduler', num_train_timesteps=S))
    s = torch.tensor([(i + 1) / S for i in range(S)], dtype=torch.float64)[:, None, None]
    assert torch.allclose(scheduler.add_noise(x0, eps, t), (1 - s) * x0 + s * eps, atol=1e-14)
    assert torch.equal(scheduler.target('v', x0, eps, t), eps - x0)
    assert torch.equal(scheduler.add_noise(x0, eps, torch.full((S,), DATA_TIME)), x0)


def test_the_last_time_is_pure_noise(batch):
    x0, eps, _ = batch
    last = torch.full((S,), S - 1)
    scheduler = FlowMatchingScheduler(S)
    assert torch.equal(scheduler.add_noise(x0, eps, last), eps)
    assert scheduler.signal_to_noise(last).eq(0).all()


@pytest.mark.parametrize('prediction', ['v', 'x0', 'epsilon'])
def test_conversions_invert(batch, prediction):
    x0, eps, t = batch
    if prediction == 'epsilon':  # the last time holds no signal: epsilon says nothing of x0 there
        x0, eps, t = x0[:-1], eps[:-1], t[:-1]
    scheduler = FlowMatchingScheduler(S, shift=3.0)
    x_t = scheduler.add_noise(x0, eps, t)
    found = scheduler.interpret(prediction, scheduler.target(prediction, x0, eps, t), x_t, t)
    assert torch.allclose(found.x0, x0, atol=1e-12) and torch.allclose(found.eps, eps, atol=1e-12)


def test_shift_moves_times_towards_noise():
    s = np.arange(1, S + 1) / S
    times = FlowMatchingScheduler(S, shift=3.0).path_time(torch.arange(S)).numpy()
    assert np.allclose(times, 3 * s / (1 + 2 * s), atol=1e-15)
    assert times[-1] == 1 and (times[:-1] > s[:-1]).all()


def test_signal_to_noise_and_its_logarithm():
    scheduler = FlowMatchingScheduler(S)
    t = torch.arange(S - 1)
    s = [(i + 1) / S for i in range(S - 1)]
    assert np.allclose(scheduler.signal_to_noise(t), [((1 - x) / x) ** 2 for x in s])
    assert np.allclose(scheduler.half_log_snr(t), [math.log((1 - x) / x) for x in s])


def test_posterior_is_that_of_two_gaussians():
    """The product of q(x_prev | x0) and q(x_t | x_prev), by completing the square."""
    scheduler, t, t_prev = FlowMatchingScheduler(S), torch.tensor([5]), torch.tensor([2])
    alpha, sigma, alpha_prev, sigma_prev = 1 - 6 / S, 6 / S, 1 - 3 / S, 3 / S
    step, x0, x_t = alpha / alpha_prev, 0.7, -0.4
    step_variance = sigma ** 2 - step ** 2 * sigma_prev ** 2
    precision = 1 / sigma_prev ** 2 + step ** 2 / step_variance
    mean = (alpha_prev * x0 / sigma_prev ** 2 + step * x_t / step_variance) / precision
    found_mean, variance = scheduler.posterior(
        torch.tensor([[x0]], dtype=torch.float64), torch.tensor([[x_t]], dtype=torch.float64), t, t_prev)
    assert found_mean.item() == pytest.approx(mean, abs=1e-12)
    assert variance.item() == pytest.approx(1 / precision, abs=1e-12)


@pytest.mark.parametrize('options', [dict(num_train_timesteps=0), dict(shift=0.0), dict(shift=-1.0)])
def test_invalid_options_are_errors(options):
    with pytest.raises(UserError, match='FlowMatchingScheduler'):
        FlowMatchingScheduler(**options)


def test_one_time_is_pure_noise():
    scheduler = FlowMatchingScheduler(1, shift=0.5)
    assert scheduler.num_train_timesteps == 1 and scheduler.path_time(torch.tensor([0, DATA_TIME])).tolist() == [1, 0]
