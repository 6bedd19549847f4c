"""Classifier-free guidance."""

import pytest
import torch

from leokit.noise_schedulers import LinearNoiseScheduler, Prediction
from leokit.samplers import DDIMSampler, guide, guide_in_order, mark_condition

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


def test_each_condition_has_its_scale():
    """D_0 + s_1 (D_1 - D_0) + s_2 (D_2 - D_1) of constant predictions, in arithmetic."""
    x, t = torch.zeros(2, 3), torch.zeros(2, dtype=torch.long)
    denoisers = [lambda x, t, value=value: Prediction(torch.full_like(x, value), torch.full_like(x, -value))
                 for value in (1.0, 10.0, 100.0)]
    guided = guide_in_order(denoisers, [3.0, 2.0])(x, t)
    assert guided.x0.eq(1 + 3 * 9 + 2 * 90).all() and guided.eps.eq(-208).all()
    assert guide_in_order(denoisers, [1.0, 1.0]) is denoisers[2] and guide_in_order(denoisers[:1], []) is denoisers[0]
    with pytest.raises(ValueError, match='1 guidance scales need 2 denoisers, got 3'):
        guide_in_order(denoisers, [2.0])


def test_only_denoisers_that_count_are_evaluated():
    """D_0 + s (D_2 - D_0) for equal scales s, whatever D_1 is; with the first scale 1, D_0 does not count."""
    x, t = torch.zeros(2, 3), torch.zeros(2, dtype=torch.long)
    first, last = (lambda x, t, value=value: Prediction(x + value, x - value) for value in (1.0, 10.0))

    def never(x, t):
        pytest.fail('was run')

    assert guide_in_order([first, never, last], [3.0, 3.0])(x, t).x0.eq(1 + 3 * 9).all()
    assert guide_in_order([never, first, last], [1.0, 2.0])(x, t).eps.eq(-(1 + 2 * 9)).all()
    assert guide_in_order([first, last, never], [0.5, 0.0])(x, t).x0.eq(1 + 0.5 * 9).all()


def test_conditions_of_each_frame_have_a_flag_in_each_frame():
    marked = mark_condition(torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]]), torch.tensor([True, False]))
    assert marked.tolist() == [[[1, 1], [2, 1]], [[0, 0], [0, 0]]]
