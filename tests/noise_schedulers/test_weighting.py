"""Weights of the training loss."""

import pytest
import torch

from leokit.noise_schedulers import FlowMatchingScheduler, LinearNoiseScheduler, min_snr_weight
from leokit.utils import UserError

GAMMA = 5.0


@pytest.mark.parametrize('prediction', ['epsilon', 'v'])
def test_every_target_gives_the_same_weight_to_an_error(prediction):
    """An error of x0 has the same loss for every target."""
    scheduler = LinearNoiseScheduler()
    t = torch.tensor([0, 10, 100, 400, 900])
    snr = scheduler.signal_to_noise(t)
    x0, eps, error = torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x_t = scheduler.add_noise(x0, eps, t)

    def cost(kind):
        wrong = scheduler.target(kind, x0 + error, scheduler.eps_from_x0(x_t, x0 + error, t), t)
        squared = (wrong - scheduler.target(kind, x0, eps, t)).square().mean(1)
        return min_snr_weight(snr, GAMMA, kind) * squared

    assert torch.allclose(cost(prediction), cost('x0'))


def test_x0_weight_is_bounded():
    assert min_snr_weight(torch.tensor([0.5, 5.0, 400.0]), GAMMA, 'x0').tolist() == [0.5, 5.0, 5.0]


def test_unknown_prediction_is_an_error():
    with pytest.raises(UserError, match='unknown'):
        min_snr_weight(torch.ones(1), GAMMA, 'score')


def test_velocities_of_straight_paths_give_the_same_weight_to_an_error():
    """In flow matching too, an error of x0 has the same loss for a velocity target."""
    scheduler = FlowMatchingScheduler(10)
    t = torch.tensor([0, 3, 8])
    x0, eps, error = torch.randn(3, 3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x_t = scheduler.add_noise(x0, eps, t)
    wrong = scheduler.target('v', x0 + error, scheduler.eps_from_x0(x_t, x0 + error, t), t)
    squared = (wrong - scheduler.target('v', x0, eps, t)).square().mean(1)
    weight = min_snr_weight(scheduler.signal_to_noise(t), GAMMA, 'v', noise_level=scheduler.noise_level(t))
    expected = min_snr_weight(scheduler.signal_to_noise(t), GAMMA, 'x0') * error.square().mean(1)
    assert torch.allclose(weight * squared, expected)
