"""Classifier-free guidance."""

import pytest
import torch

from leokit.noise_schedulers import LinearNoiseScheduler
from leokit.samplers import DDIMSampler, guide, mark_condition

SCHEDULER = LinearNoiseScheduler()


@pytest.mark.parametrize('weight, expected', [(0.0, -1.0), (1.0, 3.0), (0.5, 1.0), (2.0, 7.0)])
def test_samples_are_extrapolated(oracle, weight, expected):
    conditional = oracle(torch.full((1,), 3.0).double(), SCHEDULER)
    unconditional = oracle(torch.full((1,), -1.0).double(), SCHEDULER)
    noise = torch.randn(2, 3, dtype=torch.float64)
    result = DDIMSampler(10).sample(guide(conditional, unconditional, weight), noise, SCHEDULER)
    assert torch.allclose(result, torch.full((2, 3), expected).double(), atol=1e-9)


def test_x0_and_epsilon_stay_consistent(oracle):
    x, t = torch.randn(2, 3, dtype=torch.float64), torch.tensor([5, 700])
    guided = guide(oracle(torch.ones(1).double(), SCHEDULER), oracle(torch.zeros(1).double(), SCHEDULER), 3.0)(x, t)
    assert torch.allclose(SCHEDULER.add_noise(guided.x0, guided.eps, t), x, atol=1e-9)


def test_without_guidance_the_unconditional_denoiser_is_not_run(oracle):
    conditional = oracle(torch.ones(1), SCHEDULER)
    assert guide(conditional, lambda x, t: pytest.fail('was run'), 1.0) is conditional


def test_conditions_are_dropped_and_flagged():
    cond = torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]])
    marked = mark_condition(cond, torch.tensor([True, False, True]))
    assert marked.tolist() == [[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    with pytest.raises(ValueError, match='present'):
        mark_condition(cond, torch.tensor([True]))
