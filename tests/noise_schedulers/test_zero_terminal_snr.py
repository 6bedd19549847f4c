"""Rescaling to zero terminal SNR (arXiv 2305.08891, algorithm 1)."""

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import CosineNoiseScheduler, LinearNoiseScheduler, NoiseScheduler, zero_terminal_snr


def test_roots_are_shifted_and_scaled():
    betas = np.linspace(1e-4, 0.02, 20)
    root = np.sqrt(np.cumprod(1 - betas))
    expected = (root - root[-1]) * root[0] / (root[0] - root[-1])
    rescaled = NoiseScheduler(torch.tensor(betas), rescale_zero_terminal_snr=True)
    assert np.allclose(rescaled.alphas_cumprod.sqrt(), expected, atol=1e-12)


@pytest.mark.parametrize('kind', [LinearNoiseScheduler, CosineNoiseScheduler])
def test_the_first_level_stays_and_the_last_is_zero(kind):
    plain, rescaled = kind(100), kind(100, rescale_zero_terminal_snr=True)
    assert rescaled.alphas_cumprod[-1] == 0 and rescaled.betas[-1] == 1
    assert rescaled.alphas_cumprod[0].item() == pytest.approx(plain.alphas_cumprod[0].item(), abs=1e-12)
    assert zero_terminal_snr(plain.betas).diff().ge(0).all()


@pytest.mark.parametrize('prediction', ['v', 'x0'])
def test_conversions_hold_at_pure_noise(prediction):
    scheduler = LinearNoiseScheduler(10, rescale_zero_terminal_snr=True)
    t = torch.tensor([9, 4])
    x0, eps = torch.randn(2, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    target, x_t = scheduler.target(prediction, x0, eps, t), scheduler.add_noise(x0, eps, t)
    found = scheduler.interpret(prediction, target, x_t, t)
    assert torch.allclose(found.x0, x0) and torch.allclose(found.eps, eps)
