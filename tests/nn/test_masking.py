"""Statistics over the frames that count are those of the sequence without the others."""

import pytest
import torch

from leokit.nn.control_input import ControlInput
from leokit.nn.masking import masked_var_mean, zero_padding

X = torch.arange(24.0).reshape(2, 4, 3).square()
MASK = torch.tensor([[True, False, False, False], [True, True, True, False]])[:, :, None]


def test_padding_is_zero():
    assert zero_padding(X, None) is X
    padded = zero_padding(X, MASK)
    assert torch.equal(padded[0, :1], X[0, :1]) and torch.equal(padded[1, :3], X[1, :3])
    assert not padded[0, 1:].any() and not padded[1, 3:].any()


@pytest.mark.parametrize('dims', [(1,), (1, 2)])
def test_variance_and_mean_are_those_of_the_frames_that_count(dims):
    variance, mean = masked_var_mean(X, MASK, dims)
    for row, length in ((0, 1), (1, 3)):
        known = X[row:row + 1, :length]
        expected = known.mean(dims, keepdim=True)
        assert torch.allclose(mean[row:row + 1], expected)
        assert torch.allclose(variance[row:row + 1], (known - expected).square().mean(dims, keepdim=True))


def test_without_a_mask_all_frames_count():
    variance, mean = masked_var_mean(X, None, (1,))
    assert mean.shape == variance.shape == (2, 1, 3)
    assert torch.allclose(mean, X.sum(1, keepdim=True) / 4)
    assert torch.allclose(variance, ((X - mean)**2).sum(1, keepdim=True) / 4)


def test_a_sequence_of_padding_alone_is_finite():
    variance, mean = masked_var_mean(X, torch.zeros_like(MASK), (1,))
    assert not variance.any() and not mean.any()


def test_control_is_added_and_refused_by_name():
    layer = ControlInput(2, 3)
    assert not layer.linear.weight.any() and not layer.linear.bias.any()  # a backbone begins as without control
    torch.nn.init.normal_(layer.linear.bias)
    torch.nn.init.normal_(layer.linear.weight)
    control = torch.randn(2, 4, 2)
    expected = X + control @ layer.linear.weight.t() + layer.linear.bias
    assert torch.allclose(layer(X, control), expected)
    assert torch.allclose(layer(X, control, MASK)[0, :1], expected[0, :1])
    assert torch.allclose(layer(X, control, MASK)[0, 1:], X[0, 1:] + layer.linear.bias)
    assert torch.equal(ControlInput(0, 3)(X, None), X)
    for wrong in (control[:1], control[..., :1], control[0]):
        with pytest.raises(ValueError, match=r'control must have shape \(2, 4, 2\)'):
            layer(X, wrong)
    for built, given in ((layer, None), (ControlInput(0, 3), control)):
        with pytest.raises(ValueError, match='control must be given if and only if'):
            built(X, given)
