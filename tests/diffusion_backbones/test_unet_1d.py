"""The temporal U-Net and its layers."""

import pytest
import torch

from leokit.diffusion_backbones import UNet1D
from leokit.diffusion_backbones.unet_1d import (
    ResidualBlock, TemporalAttention, TemporalConv, TemporalGroupNorm, temporal_conv_reference)
from leokit.utils import UserError


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_default_size():
    assert 14e6 < count(UNet1D(20)) < 16e6


@pytest.mark.parametrize('channels', [(16,), (16, 24), (8, 16, 24, 32)])
@pytest.mark.parametrize('num_blocks', [1, 2])
def test_any_depth(channels, num_blocks):
    model = UNet1D(3, channels, num_blocks=num_blocks, attention_levels=(), embedding_dim=8, head_dim=8)
    x = torch.randn(2, 11, 3)
    assert model(x, torch.tensor([1, 2])).shape == x.shape
    assert count(model.modulation) == 9 * sum(model.modulation_widths)


@pytest.mark.parametrize('options, key', [
    (dict(attention_levels=(3,)), 'attention_levels'), (dict(channels=()), 'attention_levels'),
    (dict(channels=(8, 12)), 'head_dim'), (dict(channels=(12, 16), attention_levels=(0,)), 'head_dim'),
])
def test_invalid_levels_are_errors(options, key):
    with pytest.raises(UserError, match=key):
        UNet1D(3, **{'channels': (8, 16), 'attention_levels': (), 'head_dim': 8, **options})


def test_lists_are_accepted():
    UNet1D(3, [8, 16], attention_levels=[1], head_dim=8, embedding_dim=8)


@pytest.mark.parametrize('kernel_size, stride', [(1, 1), (3, 1), (5, 1), (3, 2), (5, 3)])
@pytest.mark.parametrize('frames', [1, 2, 5, 8])
def test_convolution_equals_its_reference(kernel_size, stride, frames):
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


def test_even_kernels_are_an_error():
    with pytest.raises(ValueError, match='odd'):
        TemporalConv(1, 1, kernel_size=2)


@pytest.mark.parametrize('groups', [1, 2, 8])
def test_group_norm_equals_that_of_torch(groups):
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
def test_residual_block_is_initialized_as_its_shortcut(width):
    block, x = ResidualBlock(8, width), torch.randn(2, 5, 8)
    scale, shift = torch.randn(2, 2, width)
    assert torch.equal(block(x, scale, shift), block.shortcut(x))


def test_attention_is_initialized_as_the_identity_and_reaches_every_frame():
    torch.manual_seed(0)
    layer, x = TemporalAttention(16, head_dim=8), torch.randn(2, 5, 16, requires_grad=True)
    assert torch.equal(layer(x), x)
    torch.nn.init.normal_(layer.out.weight)
    (gradient,) = torch.autograd.grad(layer(x)[:, 0].sum(), x)
    assert (gradient.abs().sum(2) > 0).all()


def test_attention_is_permutation_equivariant():
    """The convolutions provide the positions."""
    torch.manual_seed(0)
    layer, x = TemporalAttention(16, head_dim=8), torch.randn(2, 5, 16)
    torch.nn.init.normal_(layer.out.weight)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(layer(x[:, order]), layer(x)[:, order], atol=1e-5)


def test_a_head_width_that_does_not_divide_the_channels_is_an_error():
    with pytest.raises(ValueError, match='head_dim'):
        TemporalAttention(10, head_dim=4)
