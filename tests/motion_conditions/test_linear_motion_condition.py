"""The Linear Motion Condition's algebra."""

import pytest
import torch

from leokit.motion_conditions import LinearMotionCondition

MOTION = torch.tensor([[[1.0, 2.0], [1.5, 1.0], [4.0, 0.0]]])


def test_residuals_by_hand():
    residuals, start = LinearMotionCondition().split(MOTION)
    assert start.tolist() == [[1.0, 2.0]]
    assert residuals.tolist() == [[[0.5, -1.0], [3.0, -2.0]]]


def test_network_input_by_hand():
    start, noisy = torch.tensor([[1.0, 2.0]]), torch.tensor([[[10.0, 20.0], [-1.0, 0.0]]])
    x, cond = LinearMotionCondition().network_input(noisy, start)
    assert x.tolist() == [[[1.0, 2.0], [11.0, 22.0], [0.0, 2.0]]]
    assert cond is None


def test_network_input_of_clean_residuals_is_the_sequence():
    condition = LinearMotionCondition()
    assert torch.equal(condition.network_input(*condition.split(MOTION)).x, MOTION)


def test_network_input_commutes_with_normalization():
    """Normalizing with one factor per dimension commutes with adding the first code."""
    condition = LinearMotionCondition()
    mean, unit = torch.tensor([3.0, -1.0]), torch.tensor([0.5, 4.0])
    residuals, start = condition.split((MOTION - mean) / unit)
    noise = torch.tensor([[[0.3, -0.2], [1.0, 0.5]]])
    x = condition.network_input(residuals + noise, start).x * unit + mean
    expected = MOTION.clone()
    expected[:, 1:] += noise * unit
    assert torch.allclose(x, expected, atol=1e-6)


def test_sequences_have_three_dimensions():
    with pytest.raises(ValueError, match='motion must have shape'):
        LinearMotionCondition().split(torch.zeros(4, 2))
