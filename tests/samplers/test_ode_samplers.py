"""Samplers against the closed-form flow of a Gaussian.

For data ``x0 ~ N(m, s^2)`` the best denoiser is linear, every marginal is Gaussian, and the probability flow ODE maps
each sample to the one of the same standard score: ``x -> m + s (x_T - alpha_T m) / sqrt(alpha_T^2 s^2 + sigma_T^2)``.
"""

import pytest
import torch

from leokit.noise_schedulers import (
    CosineNoiseScheduler, EDMNoiseScheduler, FlowMatchingScheduler, LinearNoiseScheduler, Prediction)
from leokit.registry import SAMPLERS
from leokit.samplers import (
    DDIMSampler, DDPMSampler, DPMSolverPlusPlusSampler, EulerSampler, HeunSampler, MidpointSampler, karras_grid)
from leokit.utils import UserError

MEAN, STD = 0.3, 0.5
STEPS = 4096  # fine enough for the integer times not to matter
PROCESSES = {
    'linear': lambda: LinearNoiseScheduler(STEPS, start=1e-4 * 1000 / STEPS, end=0.02 * 1000 / STEPS),
    'cosine': lambda: CosineNoiseScheduler(STEPS),
    'edm': lambda: EDMNoiseScheduler(STEPS),
    'flow': lambda: FlowMatchingScheduler(STEPS),
    'flow_shift': lambda: FlowMatchingScheduler(STEPS, shift=3.0),
    'zero_snr': lambda: LinearNoiseScheduler(STEPS, start=1e-4 * 1000 / STEPS, end=0.02 * 1000 / STEPS,
                                             rescale_zero_terminal_snr=True),
}


def denoiser(scheduler, std=STD):
    """E[x0 | x_t], in closed form."""
    def denoise(x, t):
        signal, noise = scheduler.signal_level(t).sqrt()[:, None], scheduler.noise_level(t).sqrt()[:, None]
        x0 = MEAN + signal * std ** 2 / (signal ** 2 * std ** 2 + noise ** 2) * (x - signal * MEAN)
        return Prediction(x0, (x - signal * x0) / noise)
    return denoise


def exact(scheduler, noise):
    last = torch.tensor([scheduler.num_train_timesteps - 1])
    signal, sigma2 = scheduler.signal_level(last).sqrt(), scheduler.noise_level(last)
    return MEAN + STD * (noise - signal * MEAN) / (signal ** 2 * STD ** 2 + sigma2).sqrt()


def error(sampler, scheduler):
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    return (sampler.sample(denoiser(scheduler), noise, scheduler) - exact(scheduler, noise)).abs().max().item()


@pytest.mark.parametrize('process', PROCESSES)
@pytest.mark.parametrize('kind,order', [
    (EulerSampler, 1), (DDIMSampler, 1), (MidpointSampler, 2), (HeunSampler, 2), (DPMSolverPlusPlusSampler, 2)])
def test_order_of_convergence(kind, order, process):
    scheduler = PROCESSES[process]()
    # Karras levels for the solver in log-SNR, whose last step otherwise crosses an infinite distance
    spacing = 'karras' if kind is DPMSolverPlusPlusSampler else 'trailing'
    coarse, fine = (error(kind(n, timestep_spacing=spacing), scheduler) for n in (32, 128))
    assert fine < (0.04 if order == 1 else 0.004)
    assert fine < coarse / 4 ** order * 2.5  # four times the steps: 4 or 16 times less error, nearly


@pytest.mark.parametrize('kind', [EulerSampler, DDIMSampler, HeunSampler, MidpointSampler])
@pytest.mark.parametrize('steps', [1, 2, 3, 7])
def test_straight_paths_to_one_point_are_exact_at_any_number_of_steps(kind, steps):
    """All data at one point: the straight path leads there in one step."""
    scheduler = FlowMatchingScheduler(1000)
    noise = torch.tensor([[-1.5], [0.2], [2.0]], dtype=torch.float64)
    found = kind(steps).sample(denoiser(scheduler, std=0.0), noise, scheduler)
    assert torch.allclose(found, torch.full_like(noise, MEAN), atol=1e-12)


def test_euler_on_straight_paths_is_ddim():
    scheduler = FlowMatchingScheduler(1000)
    noise = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None]
    euler, ddim = (list(kind(9).iterate(denoiser(scheduler), noise, scheduler)) for kind in (EulerSampler, DDIMSampler))
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(euler, ddim))


@pytest.mark.parametrize('kind,steps,expected', [
    (EulerSampler, 5, 5), (HeunSampler, 5, 9), (HeunSampler, 1, 1), (MidpointSampler, 5, 10)])
def test_number_of_network_evaluations(kind, steps, expected):
    scheduler, calls = FlowMatchingScheduler(100), []
    exact_denoiser = denoiser(scheduler)

    def denoise(x, t):
        calls.append(int(t[0]))
        return exact_denoiser(x, t)

    kind(steps).sample(denoise, torch.zeros(1, 1, dtype=torch.float64), scheduler)
    assert len(calls) == expected and all(0 <= t < 100 for t in calls)


@pytest.mark.parametrize('process', PROCESSES)
def test_ancestral_sampling_has_the_marginal_of_the_data(process):
    """DDPM with many steps: mean and deviation of 20,000 samples."""
    scheduler = PROCESSES[process]()
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(20_000, 1, dtype=torch.float64, generator=generator)
    samples = DDPMSampler(256, timestep_spacing='trailing').sample(
        denoiser(scheduler), noise, scheduler,
        noise_source=lambda like: torch.randn(like.shape, dtype=like.dtype, generator=generator))
    assert samples.mean().item() == pytest.approx(MEAN, abs=0.025)
    assert samples.std().item() == pytest.approx(STD, abs=0.025)


def test_every_sampler_takes_every_step_by_default():
    scheduler = FlowMatchingScheduler(20)
    noise = torch.zeros(1, 1, dtype=torch.float64)
    for name in ('DDIMSampler', 'DDPMSampler', 'DPMSolverPlusPlusSampler', 'EulerSampler', 'HeunSampler',
                 'MidpointSampler'):
        sampler = SAMPLERS.build(dict(type=name, num_inference_steps=None))
        assert sampler.steps(scheduler) == tuple((t, t - 1) for t in range(19, -1, -1))
        assert torch.isfinite(sampler.sample(denoiser(scheduler), noise, scheduler)).all()


def test_karras_grid_follows_equation_5():
    scheduler = EDMNoiseScheduler(4096)
    log_noise = -scheduler.half_log_snr(torch.arange(4096))
    grid = karras_grid(log_noise, 18)
    expected = [(80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7 for i in range(18)]
    assert torch.allclose(log_noise[grid].exp(), torch.tensor(expected, dtype=torch.float64), rtol=0.01)


@pytest.mark.parametrize('process', PROCESSES)
@pytest.mark.parametrize('steps', [1, 2, 5, 50])
def test_karras_grids_start_at_noise_and_never_repeat(process, steps):
    scheduler = PROCESSES[process]()
    grid = [t for t, _ in DDIMSampler(steps, timestep_spacing='karras').steps(scheduler)]
    assert grid[0] == STEPS - 1 and len(grid) == steps
    assert all(a > b >= 0 for a, b in zip(grid, grid[1:]))


def test_where_second_order_steps_evaluate_the_network():
    assert [MidpointSampler().intermediate_time(*pair) for pair in ((10, 4), (5, 3), (5, 4), (1, -1), (0, -1))] == [
        7, 4, None, 0, None]
    assert [HeunSampler().intermediate_time(*pair) for pair in ((5, 3), (5, 0), (5, -1))] == [3, 0, None]


def test_karras_grids_by_hand():
    """Levels 1, 2, 3, 4 and infinity, which counts as ``max_noise``."""
    log_noise = torch.tensor([1.0, 2.0, 3.0, 4.0, torch.inf], dtype=torch.float64).log()
    assert karras_grid(log_noise, 3, rho=1.0, max_noise=5.0) == [4, 2, 0]  # 5, 3, 1
    assert karras_grid(log_noise, 2, rho=1.0, max_noise=5.0) == [4, 0]
    assert karras_grid(log_noise, 3, rho=1.0, max_noise=6.9) == [4, 3, 0]  # 3.95
    assert karras_grid(log_noise, 3, rho=-1.0, max_noise=4.6) == [4, 1, 0]  # 1 / mean(1, 1 / 4.6) = 1.64
    assert karras_grid(log_noise, 5, rho=1.0, max_noise=1000.0) == [4, 3, 2, 1, 0]  # 750, 500, 250: the next ones down
    assert karras_grid(log_noise, 1) == [4]
    assert karras_grid(log_noise, 3, rho=50.0, max_noise=1.0001) == [4, 1, 0]  # nothing below 1: room for what follows
    for steps in (0, 6):
        with pytest.raises(UserError, match='between 1 and 5'):
            karras_grid(log_noise, steps)
