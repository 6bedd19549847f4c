"""The forward process and the conversions, against stored reference arrays and against themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import (
    DATA_TIME, PREDICTIONS, CosineNoiseScheduler, LinearNoiseScheduler, NoiseScheduler, broadcast_to_rank)
from leokit.utils import UserError

REFERENCE = np.load(Path(__file__).parent / 'data' / 'reference.npz')
TOLERANCE = 1e-9
SCHEDULERS = [LinearNoiseScheduler(), CosineNoiseScheduler()]


def reference_samples():
    """x0 and eps of the reference, in the documented order of sampling."""
    random = np.random.RandomState(701)
    shape = (2, 8, 20)
    random.standard_normal(shape)
    x0 = 0.5 * random.standard_normal(shape)
    return torch.tensor(x0), torch.tensor(random.standard_normal(shape))


def batch(size=20, seed=0):
    """x0, eps (B, 5, B) and t (B,), with equal first and last dimension, so that wrong broadcasting is detected."""
    generator = torch.Generator().manual_seed(seed)
    x0, eps = torch.randn(2, size, 5, size, generator=generator, dtype=torch.float64)
    t = torch.randint(0, 1000, (size,), generator=generator)
    t[0], t[1] = 0, 999
    return x0, eps, t


def test_conversions_equal_the_reference():
    x0, eps = reference_samples()
    scheduler = LinearNoiseScheduler()
    for k, time in enumerate(REFERENCE['v_timesteps'].tolist()):
        t = torch.full((2,), time)
        x_t = scheduler.add_noise(x0, eps, t)
        v = scheduler.target('v', x0, eps, t)
        prediction = scheduler.interpret('v', v, x_t, t)
        for name, value in (('v_x_t', x_t), ('v_velocity', v), ('v_pred_x0', prediction.x0),
                            ('v_pred_eps', prediction.eps)):
            assert np.abs(value.numpy() - REFERENCE[name][k]).max() < TOLERANCE, (name, time)


@pytest.mark.parametrize('scheduler', SCHEDULERS)
@pytest.mark.parametrize('prediction', PREDICTIONS)
def test_the_target_leads_back_to_x0_and_eps(scheduler, prediction):
    x0, eps, t = batch()
    x_t = scheduler.add_noise(x0, eps, t)
    result = scheduler.interpret(prediction, scheduler.target(prediction, x0, eps, t), x_t, t)
    assert torch.allclose(result.x0, x0, atol=1e-9)
    assert torch.allclose(result.eps, eps, atol=1e-9)


@pytest.mark.parametrize('scheduler', SCHEDULERS)
def test_each_sample_has_its_own_time(scheduler):
    x0, eps, t = batch()
    together = scheduler.add_noise(x0, eps, t)
    for i in range(len(t)):
        level = scheduler.alphas_cumprod[t[i]]
        assert torch.allclose(together[i], level.sqrt() * x0[i] + (1 - level).sqrt() * eps[i], atol=1e-12)


def test_noise_keeps_the_variance():
    generator = torch.Generator().manual_seed(0)
    x0, eps = torch.randn(2, 8, 20_000, generator=generator, dtype=torch.float64)
    t = torch.linspace(0, 999, 8).long()
    assert torch.allclose(LinearNoiseScheduler().add_noise(x0, eps, t).var(1), torch.ones(8).double(), atol=0.05)


def test_data_time_is_the_data():
    x0, eps, t = batch()
    assert torch.equal(LinearNoiseScheduler().add_noise(x0, eps, torch.full_like(t, DATA_TIME)), x0)


def test_signal_to_noise_falls():
    for scheduler in SCHEDULERS:
        snr = scheduler.signal_to_noise(torch.arange(1000))
        assert (snr[1:] < snr[:-1]).all() and snr[0] > 1000 and snr[-1] < 1e-4


def test_posterior_is_that_of_bayes():
    scheduler = LinearNoiseScheduler()
    t, t_prev = torch.tensor([7, 500, 999]), torch.tensor([6, 300, 0])
    x0, x_t = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean, variance = scheduler.posterior(x0, x_t, t, t_prev)
    # product of N(x_prev; sqrt(a_prev) x0, 1 - a_prev) and N(x_t; sqrt(a / a_prev) x_prev, 1 - a / a_prev)
    a, a_prev = scheduler.signal_level(t)[:, None], scheduler.signal_level(t_prev)[:, None]
    gain, beta = (a / a_prev).sqrt(), 1 - a / a_prev
    precision = 1 / (1 - a_prev) + gain ** 2 / beta
    expected = (a_prev.sqrt() * x0 / (1 - a_prev) + gain * x_t / beta) / precision
    assert torch.allclose(mean, expected, atol=1e-10)
    assert torch.allclose(variance[:, None], 1 / precision, atol=1e-12)


def test_posterior_at_the_last_step_is_the_prediction():
    x0, x_t, t = batch()
    mean, variance = LinearNoiseScheduler().posterior(x0, x_t, t, torch.full_like(t, DATA_TIME))
    assert torch.allclose(mean, x0, atol=1e-12) and (variance == 0).all()


def test_tables_stay_float64_and_out_of_the_state_dict():
    scheduler = LinearNoiseScheduler()
    before = scheduler.alphas_cumprod.clone()
    scheduler.to(torch.bfloat16)
    assert scheduler.state_dict() == {}
    assert scheduler.alphas_cumprod.dtype == torch.float64 and torch.equal(scheduler.alphas_cumprod, before)
    assert scheduler.to('meta').betas.device.type == 'meta'


def test_results_have_the_dtype_of_the_samples():
    x0, eps, t = batch()
    for dtype in (torch.float32, torch.bfloat16):
        assert LinearNoiseScheduler().add_noise(x0.to(dtype), eps.to(dtype), t).dtype == dtype


def test_times_and_shapes_are_checked():
    x0, eps, t = batch()
    scheduler = LinearNoiseScheduler()
    with pytest.raises(ValueError, match='t must have shape'):
        scheduler.add_noise(x0, eps, t[:1])
    with pytest.raises(ValueError, match='t must have shape'):
        scheduler.add_noise(x0, eps, t[:, None])
    with pytest.raises(ValueError, match='eps'):
        scheduler.add_noise(x0, eps[:, :1], t)
    with pytest.raises(ValueError, match='output'):
        scheduler.interpret('v', eps[:, :1], x0, t)


def test_unknown_prediction_names_the_choices():
    x0, eps, t = batch()
    for call in (LinearNoiseScheduler().target, LinearNoiseScheduler().interpret):
        with pytest.raises(UserError, match="'noise' is unknown.*'epsilon', 'x0', 'v'"):
            call('noise', x0, eps, t)


@pytest.mark.parametrize('betas', [[], [0.1, 0.0], [0.1, 1.0], [[0.1]], [float('nan')]])
def test_invalid_betas_are_errors(betas):
    with pytest.raises(UserError, match='beta'):
        NoiseScheduler(torch.tensor(betas))


def test_broadcast_to_rank():
    values = broadcast_to_rank(torch.arange(3).double(), torch.zeros(3, 3, 3))
    assert values.shape == (3, 1, 1) and values.dtype == torch.float32
