"""Multistep consistency sampling."""

import torch

from leokit.noise_schedulers import CosineNoiseScheduler, FlowMatchingScheduler, Prediction
from leokit.samplers import ConsistencySampler


def test_one_step_is_the_prediction():
    scheduler = FlowMatchingScheduler(100)
    noise = torch.randn(4, 3)
    sample = ConsistencySampler(1).sample(lambda x, t: Prediction(2 * x + 1, x), noise, scheduler)
    assert torch.equal(sample, 2 * noise + 1)


def test_steps_between_add_fresh_noise():
    scheduler, clean = CosineNoiseScheduler(100), torch.full((2, 3), 0.7)
    fresh = [torch.randn(2, 3), torch.randn(2, 3), torch.randn(2, 3)]
    draws = iter(fresh)
    seen = []

    def denoise(x, t):
        seen.append((x, int(t[0])))
        return Prediction(clean, x)

    samples = list(ConsistencySampler(3).iterate(denoise, torch.zeros(2, 3), scheduler,
                                                 noise_source=lambda like: next(draws)))
    assert [t for _, t in seen] == [99, 66, 32]
    for (x, t), noise in zip(seen[1:], fresh):
        level = scheduler.alphas_cumprod[t]
        assert torch.allclose(x, (level.sqrt() * clean + (1 - level).sqrt() * noise).float(), atol=1e-6)
    assert torch.allclose(samples[-1], clean)


def test_the_exact_map_gives_the_exact_distribution_in_any_number_of_steps():
    """The consistency function of N(0, 0.5^2) scales a sample at time t by 0.5 over its standard deviation."""
    scheduler = FlowMatchingScheduler(100)

    def denoise(x, t):
        std = (0.25 * scheduler.signal_level(t) + scheduler.noise_level(t)).sqrt()[:, None]
        return Prediction((0.5 * x / std).float(), x)

    for steps in (1, 2, 4):
        noise = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))
        assert abs(float(ConsistencySampler(steps).sample(denoise, noise, scheduler).std()) - 0.5) < 0.01
