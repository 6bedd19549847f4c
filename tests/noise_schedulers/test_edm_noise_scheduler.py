"""EDM's noise levels, and its preconditioning as v-prediction."""

import math

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import EDMNoiseScheduler, karras_sigmas
from leokit.utils import UserError


def test_sigmas_follow_equation_5():
    expected = [(0.002 ** (1 / 7) + i / 17 * (80 ** (1 / 7) - 0.002 ** (1 / 7))) ** 7 for i in range(18)]
    assert np.allclose(karras_sigmas(18, 0.002, 80.0, 7.0), expected, rtol=1e-12)


def test_noise_levels_are_sigma_over_alpha():
    scheduler = EDMNoiseScheduler(40)
    t = torch.arange(40)
    assert np.allclose((-scheduler.half_log_snr(t)).exp(), karras_sigmas(40, 0.002, 80.0, 7.0), rtol=1e-9)


def test_preconditioned_denoiser_is_v_prediction():
    """D(x; sigma) = c_skip x + c_out F(c_in x) for sigma_data = 1 (EDM, table 1), with F = -v."""
    scheduler, t = EDMNoiseScheduler(12), torch.tensor([7])
    sigma = float(karras_sigmas(12, 0.002, 80.0, 7.0)[7])
    noisy, output = torch.tensor([[1.3]], dtype=torch.float64), torch.tensor([[0.4]], dtype=torch.float64)
    c_skip, c_out, c_in = 1 / (1 + sigma ** 2), sigma / math.sqrt(1 + sigma ** 2), 1 / math.sqrt(1 + sigma ** 2)
    found = scheduler.interpret('v', -output, c_in * noisy, t).x0
    assert found.item() == pytest.approx((c_skip * noisy + c_out * output).item(), abs=1e-9)


@pytest.mark.parametrize('options', [
    dict(sigma_min=0.0), dict(sigma_min=90.0), dict(sigma_min=80.0), dict(num_train_timesteps=1), dict(rho=0)])
def test_invalid_options_are_errors(options):
    with pytest.raises(UserError, match='EDMNoiseScheduler'):
        EDMNoiseScheduler(**options)


def test_the_smallest_options():
    """Two levels are the bounds; rho = 1 / 2 spaces the squares evenly."""
    t = torch.arange(2)
    assert np.allclose((-EDMNoiseScheduler(2).half_log_snr(t)).exp(), [0.002, 80])
    levels = (-EDMNoiseScheduler(3, sigma_min=1.0, sigma_max=7.0, rho=0.5).half_log_snr(torch.arange(3))).exp()
    assert np.allclose(levels, [1, 5, 7])  # (1 + 49) / 2 = 25
