"""DPM-Solver++ 2M against the reference runs."""

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import LinearNoiseScheduler, Prediction
from leokit.samplers import DDIMSampler, DPMSolverPlusPlusSampler


def test_run(reference):
    sampler = DPMSolverPlusPlusSampler(20)
    reference.assert_trajectory('dpm20_traj', reference.run(sampler))
    reference.assert_times('dpm20', sampler)


def test_noise_levels(reference):
    steps = DPMSolverPlusPlusSampler(20).steps(reference.scheduler)
    snr = reference.scheduler.signal_to_noise(torch.tensor([t for t, _ in steps]))
    assert np.abs(snr.rsqrt().numpy() - reference.arrays['dpm20_sigmas'][:-1]).max() < 1e-9
    assert reference.arrays['dpm20_sigmas'][-1] == 0


def test_trailing_spacing(reference):
    sampler = DPMSolverPlusPlusSampler(20, timestep_spacing='trailing')
    reference.assert_last('dpm20_trailing_x0', reference.run(sampler))
    reference.assert_times('dpm20_trailing', sampler)


def test_velocity(reference):
    reference.assert_last('dpm20_v_x0', reference.run(DPMSolverPlusPlusSampler(20), prediction='v'))


@pytest.mark.parametrize('num_inference_steps', [20, 50])
def test_it_is_more_accurate_than_first_order(num_inference_steps):
    """Distance from the solution of the probability-flow equation for Gaussian data, which is known."""
    scheduler = LinearNoiseScheduler()
    variance = 0.25

    def denoise(x, t):
        level = scheduler.signal_level(t)[:, None]
        x0 = level.sqrt() * variance / (level * variance + 1 - level) * x
        return Prediction(x0, scheduler.eps_from_x0(x, x0, t))

    noise = torch.randn(1, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    level = scheduler.alphas_cumprod[-1]
    exact = noise * (variance / (level * variance + 1 - level)).sqrt()
    errors = [(sampler.sample(denoise, noise, scheduler) - exact).abs().max()
              for sampler in (DPMSolverPlusPlusSampler(num_inference_steps),
                              DDIMSampler(num_inference_steps, timestep_spacing='linspace'))]
    assert errors[0] < 0.6 * errors[1]
