"""Layers over motion sequences."""

import pytest
import torch

from leokit.diffusion_backbones.temporal import (
    ResidualBlock, TemporalAttention, TemporalConv, TemporalGroupNorm, temporal_conv_reference)


@pytest.mark.parametrize('kernel_size, stride', [(1, 1), (3, 1), (5, 1), (3, 2), (5, 3)])
@pytest.mark.parametrize('frames', [1, 2, 5, 8])
def test_convolution_equals_its_plain_twin(kernel_size, stride, frames):
    torch.manual_seed(0)
    layer = TemporalConv(4, 6, kernel_size=kernel_size, stride=stride).double()
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, frames, 4, dtype=torch.float64, requires_grad=True)
    out, expected = layer(x), temporal_conv_reference(x, layer)
    assert out.shape == (3, -(-frames // stride), 6)
    assert torch.allclose(out, expected, atol=1e-12)
    inputs = [x, layer.weight, layer.bias]
    for a, b in zip(torch.autograd.grad(out.sin().sum(), inputs), torch.autograd.grad(expected.sin().sum(), inputs)):
        assert torch.allclose(a, b, atol=1e-12)


def test_convolution_refuses_even_kernels():
    with pytest.raises(ValueError, match='odd'):
        TemporalConv(1, 1, kernel_size=2)


@pytest.mark.parametrize('groups', [1, 2, 8])
def test_group_norm_equals_torchs(groups):
    torch.manual_seed(0)
    norm = TemporalGroupNorm(8, groups)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    x = 3 + 2 * torch.randn(4, 5, 8)
    expected = torch.nn.functional.group_norm(x.transpose(1, 2), groups, norm.weight, norm.bias).transpose(1, 2)
    assert torch.allclose(norm(x), expected, atol=1e-5)
    scale, shift = torch.randn(2, 4, 8)
    assert torch.allclose(norm(x, scale, shift), expected * (1 + scale[:, None]) + shift[:, None], atol=1e-5)


def test_group_norm_lowers_the_groups_to_a_divisor():
    assert TemporalGroupNorm(48, 32).groups == 16
    assert TemporalGroupNorm(20, 32).groups == 4


@pytest.mark.parametrize('width', [8, 16])
def test_residual_block_starts_as_its_shortcut(width):
    block, x = ResidualBlock(8, width), torch.randn(2, 5, 8)
    scale, shift = torch.randn(2, 2, width)
    assert torch.equal(block(x, scale, shift), block.shortcut(x))


def test_attention_starts_as_the_identity_and_then_reaches_every_frame():
    torch.manual_seed(0)
    layer, x = TemporalAttention(16, head_dim=8), torch.randn(2, 5, 16, requires_grad=True)
    assert torch.equal(layer(x), x)
    torch.nn.init.normal_(layer.out.weight)
    (gradient,) = torch.autograd.grad(layer(x)[:, 0].sum(), x)
    assert (gradient.abs().sum(2) > 0).all()


def test_attention_does_not_care_for_order():
    """Positions are the convolutions' affair."""
    torch.manual_seed(0)
    layer, x = TemporalAttention(16, head_dim=8), torch.randn(2, 5, 16)
    torch.nn.init.normal_(layer.out.weight)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(layer(x[:, order]), layer(x)[:, order], atol=1e-5)


def test_attention_refuses_uneven_heads():
    with pytest.raises(ValueError, match='head_dim'):
        TemporalAttention(10, head_dim=4)
