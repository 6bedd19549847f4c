"""Agreement of realized with asked values."""

import pytest
import torch

from leokit.metrics.control_error import control_error


def test_known_values():
    asked = torch.tensor([[[0.0], [1.0], [2.0]], [[5.0], [5.0], [8.0]]])
    same = control_error(asked, asked)
    assert same.correlation.item() == pytest.approx(1) and same.error.item() == 0
    # offsets and slopes: each sequence minus its mean correlates, the error is that of the values
    doubled = control_error(asked, 2 * asked + 3)
    assert doubled.correlation.item() == pytest.approx(1)
    assert doubled.error.item() == pytest.approx(float(((asked + 3) ** 2).mean().sqrt()))
    assert control_error(asked, -asked).correlation.item() == pytest.approx(-1)


def test_chance_compares_with_another_sequence():
    asked = torch.tensor([[[-1.0], [1.0], [0.0]], [[1.0], [-1.0], [0.0]]])
    errors = control_error(asked, asked)
    assert errors.correlation.item() == pytest.approx(1) and errors.chance.item() == pytest.approx(-1)
    assert errors.chance_error.item() == pytest.approx((8 / 3) ** 0.5)


def test_what_does_not_vary_has_no_correlation():
    asked, realized = torch.randn(2, 4, 2), torch.randn(2, 4, 2)
    realized[..., 1] = 3
    correlation = control_error(asked, realized).correlation
    assert torch.isnan(correlation[1]) and not torch.isnan(correlation[0])


def test_shapes():
    with pytest.raises(ValueError, match='asked must have shape'):
        control_error(torch.zeros(3, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match='realized must have shape'):
        control_error(torch.zeros(2, 3, 2), torch.zeros(2, 3, 1))


def test_one_sequence_has_no_chance():
    with pytest.raises(ValueError, match='at least 2 sequences, got 1'):
        control_error(torch.zeros(1, 3, 1), torch.zeros(1, 3, 1))
