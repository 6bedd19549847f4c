"""The networks, written out a second time with torch's functions, on the weights of the first."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from support.signatures import defaults

from leokit.diffusion_backbones import MLPDenoiser, MotionTransformer, TemporalConvNet, UNet1D, UNet2D
from leokit.diffusion_backbones.mlp_denoiser import MLPBlock
from leokit.diffusion_backbones.temporal_conv_net import DilatedBlock
from leokit.diffusion_backbones.unet_1d import ResidualBlock, TemporalAttention, TemporalConv, TemporalGroupNorm
from leokit.diffusion_backbones.unet_2d import SpatialAttention, SpatialBlock, spatial_conv, spatial_norm

TIMES = torch.tensor([3, 640])


def test_the_default_sizes():
    none = dict(cond_dim=0, dropout=0.0)
    assert defaults(MLPDenoiser) == dict(none, motion_dim=20, dim=768, depth=4, embedding_dim=256)
    assert defaults(MotionTransformer) == dict(
        none, motion_dim=20, dim=384, depth=8, head_dim=64, mlp_ratio=4, control_dim=0)
    assert defaults(TemporalConvNet) == dict(
        none, motion_dim=20, channels=448, depth=10, cycle=5, kernel_size=3, embedding_dim=256, control_dim=0)
    assert defaults(UNet1D) == dict(none, motion_dim=20, channels=(256, 256, 384), num_blocks=2,
                                    attention_levels=(1, 2), embedding_dim=256, head_dim=64, control_dim=0,
                                    norm_kernel='auto')
    assert defaults(UNet2D) == dict(none, image_channels=3, channels=(128, 192, 256, 384), num_blocks=2,
                                    attention_levels=(2, 3), embedding_dim=512, extra_channels=0, head_dim=64)
    assert defaults(TemporalConv) == dict(kernel_size=3, stride=1, bias=True, zero_init=False)
    assert defaults(TemporalGroupNorm) == dict(groups=8, affine=True, eps=1e-5)  # eps as torch's
    for block in (ResidualBlock, SpatialBlock):
        assert defaults(block) == dict(dropout=0.0)
    for attention in (TemporalAttention, SpatialAttention):
        assert defaults(attention) == dict(head_dim=64)
    assert defaults(spatial_conv) == dict(stride=1, bias=True, zero_init=False)
    assert defaults(spatial_norm) == dict(affine=True)


def randomized(model):
    """The model in float64, with weights at which every layer matters."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.double().parameters():
        torch.nn.init.normal_(parameter, std=0.4 * parameter.shape[-1] ** -0.5 + 0.1, generator=generator)
    return model


def inputs(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def linear(weights, name, x):
    return F.linear(x, weights[f'{name}.weight'], weights.get(f'{name}.bias'))


def embedding(weights, t, cond):
    """SiLU of Linear, SiLU, Linear on 64 cosines and 64 sines, plus a linear map of the condition."""
    angles = torch.stack([t.float() * torch.tensor(10_000.0) ** (-k / 64) for k in range(64)], 1)
    features = torch.cat([angles.cos(), angles.sin()], 1).double()
    hidden = F.silu(linear(weights, 'embed.mlp.0', features))
    return F.silu(linear(weights, 'embed.mlp.2', hidden) + linear(weights, 'embed.condition', cond))


def attention(q, k, v, head_dim):
    """Attention of each head by its definition, (B, T, C) each."""
    heads = []
    for at in range(0, q.shape[-1], head_dim):
        part = slice(at, at + head_dim)
        weight = (q[..., part] @ k[..., part].transpose(1, 2) / math.sqrt(head_dim)).softmax(-1)
        heads.append(weight @ v[..., part])
    return torch.cat(heads, -1)


def same(model, expected, *args, **kwargs):
    assert torch.allclose(model(*args, **kwargs), expected, rtol=0, atol=1e-4)  # angles are float32
    assert expected.std() > 0.1  # there is something to compare


def test_mlp():
    model = randomized(MLPDenoiser(3, 6, depth=3, embedding_dim=5, cond_dim=2))
    weights, x, cond = model.state_dict(), inputs(2, 3), inputs(2, 2)
    modulation = linear(weights, 'modulation', embedding(weights, TIMES, cond))
    h = linear(weights, 'stem', x)
    for k in range(3):
        scale, shift = modulation[:, 12 * k:12 * k + 6], modulation[:, 12 * k + 6:12 * k + 12]
        name = f'blocks.{k}'
        normed = F.layer_norm(h, (6,), weights[f'{name}.norm.weight'], weights[f'{name}.norm.bias'])
        hidden = F.silu(linear(weights, f'{name}.linear1', F.silu(normed * (1 + scale) + shift)))
        h = h + linear(weights, f'{name}.linear2', hidden)
    normed = F.layer_norm(h, (6,), weights['out_norm.weight'], weights['out_norm.bias'])
    same(model, linear(weights, 'out', F.silu(normed)), x, TIMES, cond)


def test_transformer():
    model = randomized(MotionTransformer(3, 8, depth=2, head_dim=4, mlp_ratio=3, cond_dim=2, control_dim=2))
    weights, x, cond, control = model.state_dict(), inputs(2, 5, 3), inputs(2, 2), inputs(2, 5, 2)
    modulation = linear(weights, 'modulation', embedding(weights, TIMES, cond))

    def rotated(x):  # by the angle of frame t and frequency 10000^(-k / 2), k = 0, 1, as complex numbers
        angles = torch.outer(torch.arange(5).double(), torch.tensor([1.0, 0.01], dtype=torch.float64))
        turned = [torch.complex(part[..., :2], part[..., 2:]) * torch.polar(torch.ones_like(angles), angles)
                  for part in x.split(4, -1)]
        return torch.cat([torch.cat([part.real, part.imag], -1) for part in turned], -1)

    h = linear(weights, 'stem', x) + linear(weights, 'control.linear', control)
    for name in ('blocks.0', 'blocks.1'):
        parts = (modulation + weights[f'{name}.table'])[:, None].split(8, -1)
        q, k, v = linear(weights, f'{name}.qkv', F.layer_norm(h, (8,)) * (1 + parts[0]) + parts[1]).split(8, -1)
        attended = attention(rotated(q), rotated(k), v, 4)
        h = h + parts[2] * linear(weights, f'{name}.attention_out', attended)
        hidden = linear(weights, f'{name}.mlp.0', F.layer_norm(h, (8,)) * (1 + parts[3]) + parts[4])
        h = h + parts[5] * linear(weights, f'{name}.mlp.2', F.gelu(hidden, approximate='tanh'))
    normed = F.layer_norm(h, (8,), weights['out_norm.weight'], weights['out_norm.bias'])
    same(model, linear(weights, 'out', normed), x, TIMES, cond, control=control)


def test_convolution_net():
    model = randomized(TemporalConvNet(3, 16, depth=3, cycle=2, embedding_dim=5, cond_dim=2, control_dim=2))
    weights, x, cond, control = model.state_dict(), inputs(2, 9, 3), inputs(2, 2), inputs(2, 9, 2)

    def conv(name, h, dilation=1):
        return F.conv1d(h, weights[f'{name}.weight'], weights[f'{name}.bias'], padding=dilation, dilation=dilation)

    def norm(name, h):
        return F.group_norm(h, 8, weights.get(f'{name}.weight'), weights.get(f'{name}.bias'))

    time = embedding(weights, TIMES, cond)
    h = conv('stem', x.transpose(1, 2)) + linear(weights, 'control.linear', control).transpose(1, 2)
    for k, dilation in enumerate((1, 2, 1)):
        name = f'blocks.{k}'
        scale, shift = linear(weights, f'{name}.modulation', time)[..., None].split(16, 1)
        hidden = norm(f'{name}.norm2', conv(f'{name}.conv1', F.silu(norm(f'{name}.norm1', h)), dilation))
        h = h + conv(f'{name}.conv2', F.silu(hidden * (1 + scale) + shift))
    same(model, conv('out', F.silu(norm('out_norm', h))).transpose(1, 2), x, TIMES, cond, control=control)


def unet(weights, x, t, cond, *, widths, blocks, attention_levels, conv, norm, attend, repeat, enter=lambda h: h):
    """A U-Net with channels at axis 1: the levels, the skip connections and the order of the modulations."""
    modulation, at = linear(weights, 'modulation', embedding(weights, t, cond)), 0

    def block(name, h, width):
        nonlocal at
        scale, shift = modulation[:, at:at + width], modulation[:, at + width:at + 2 * width]
        at += 2 * width
        scale, shift = (part.reshape(*part.shape, *[1] * (h.ndim - 2)) for part in (scale, shift))
        hidden = norm(f'{name}.norm2', conv(f'{name}.conv1', F.silu(norm(f'{name}.norm1', h))))
        hidden = conv(f'{name}.conv2', F.silu(hidden * (1 + scale) + shift))
        shortcut = weights.get(f'{name}.shortcut.weight')
        return hidden + (h if shortcut is None else torch.einsum('oi,bi...->bo...', shortcut.flatten(1), h))

    def level(name, h, width, attends):
        for k in range(blocks):
            h = block(f'{name}.blocks.{k}', h, width)
        return attend(f'{name}.attention', h) if attends else h

    h, skips = enter(conv('stem', x)), []
    for i, width in enumerate(widths):
        h = level(f'down.{i}', h, width, i in attention_levels)
        skips.append(h)
        if i < len(widths) - 1:
            h = conv(f'halve.{i}', h, stride=2)
    h = level('middle', h, widths[-1], True)
    for k, i in enumerate(reversed(range(len(widths)))):
        if k:
            h = repeat(h)[(..., *(slice(size) for size in skips[i].shape[2:]))]
        h = level(f'up.{k}', torch.cat([h, skips[i]], 1), widths[i], i in attention_levels)
    assert at == modulation.shape[1]
    return conv('out', F.silu(norm('out_norm', h)))


def attend_with(weights, norm, name, h):
    """Attention with heads of 4 channels over all positions of (B, C, ...), added to the input."""
    q, k, v = linear(weights, f'{name}.qkv', norm(f'{name}.norm', h).flatten(2).transpose(1, 2)).chunk(3, -1)
    attended = linear(weights, f'{name}.out', attention(q, k, v, 4))
    return h + attended.transpose(1, 2).reshape(h.shape)


def test_temporal_unet():
    widths = (8, 8, 12)
    model = randomized(UNet1D(3, widths, num_blocks=2, attention_levels=(1,), embedding_dim=5, cond_dim=2, head_dim=4,
                              control_dim=2))
    weights, x, cond, control = model.state_dict(), inputs(2, 7, 3), inputs(2, 2), inputs(2, 7, 2)

    def conv(name, h, stride=1):
        weight = weights[f'{name}.weight'].unflatten(1, (3, -1)).transpose(1, 2)  # taps before channels
        return F.conv1d(h, weight, weights.get(f'{name}.bias'), stride=stride, padding=1)

    def norm(name, h):
        return F.group_norm(h, math.gcd(8, h.shape[1]), weights.get(f'{name}.weight'), weights.get(f'{name}.bias'))

    expected = unet(weights, x.transpose(1, 2), TIMES, cond, widths=widths, blocks=2, attention_levels=(1,), conv=conv,
                    norm=norm, attend=partial(attend_with, weights, norm),
                    repeat=lambda h: F.interpolate(h, scale_factor=2),
                    enter=lambda h: h + linear(weights, 'control.linear', control).transpose(1, 2))
    same(model, expected.transpose(1, 2), x, TIMES, cond, control=control)


def test_image_unet():
    widths = (8, 40)
    model = randomized(UNet2D(3, widths, num_blocks=1, attention_levels=(), embedding_dim=5, cond_dim=2, head_dim=4,
                              extra_channels=2))
    weights, x, cond, extra = model.state_dict(), inputs(2, 3, 5, 6), inputs(2, 2), inputs(2, 2, 5, 6)

    def conv(name, h, stride=1):
        return F.conv2d(h, weights[f'{name}.weight'], weights.get(f'{name}.bias'), stride=stride, padding=1)

    def norm(name, h):
        return F.group_norm(h, math.gcd(32, h.shape[1]), weights.get(f'{name}.weight'), weights.get(f'{name}.bias'))

    expected = unet(weights, torch.cat([x, extra], 1), TIMES, cond, widths=widths, blocks=1, attention_levels=(),
                    conv=conv, norm=norm, attend=partial(attend_with, weights, norm),
                    repeat=lambda h: h.repeat_interleave(2, 2).repeat_interleave(2, 3))
    same(model, expected, x, TIMES, cond, extra=extra)


@pytest.mark.parametrize('make, shape, conditions', [
    (lambda: MLPBlock(6, dropout=0.0), (2, 6), [(2, 12)]),
    (lambda: DilatedBlock(8, kernel_size=3, dilation=2, embedding_dim=5, dropout=0.0), (2, 8, 7), [(2, 5)]),
    (lambda: ResidualBlock(8, 8), (2, 7, 8), [(2, 8), (2, 8)]),
    (lambda: SpatialBlock(8, 8), (2, 8, 4, 4), [(2, 8), (2, 8)]),
    (lambda: TemporalAttention(8, head_dim=4), (2, 7, 8), []),
    (lambda: SpatialAttention(8, head_dim=4), (2, 8, 4, 4), [])],
    ids=['mlp', 'dilated', 'temporal', 'spatial', 'temporal attention', 'spatial attention'])
def test_a_new_block_is_the_identity(make, shape, conditions):
    """Residual branches end in a layer of zeros; so does the bias of that layer."""
    x, conditions = inputs(*shape).float(), [inputs(*one).float() for one in conditions]
    assert torch.equal(make()(x, *conditions), x)


def test_initial_weights():
    """Convolutions as torch's, without their bias; norms do nothing."""
    torch.manual_seed(0)
    conv = TemporalConv(16, 64)  # 48 inputs of each output
    assert conv.weight.min().item() == pytest.approx(-48 ** -0.5, rel=0.01)
    assert conv.weight.max().item() == pytest.approx(48 ** -0.5, rel=0.01)
    assert not conv.bias.any() and not spatial_conv(4, 4).bias.any()
    assert not spatial_conv(4, 4, zero_init=True).weight.any()
    assert spatial_conv(4, 4).weight.any() and not TemporalConv(4, 4, zero_init=True).weight.any()
    assert TemporalConv(4, 4, bias=False).bias is None and spatial_conv(4, 4, bias=False).bias is None
    for norm in (TemporalGroupNorm(16), spatial_norm(16)):
        assert norm.weight.eq(1).all() and norm.bias.eq(0).all()
    assert TemporalGroupNorm(16, affine=False).weight is None and spatial_norm(16, affine=False).weight is None


def test_the_tables_of_the_transformer_start_as_in_pixart():
    """Normal numbers of variance 1 / dim."""
    torch.manual_seed(0)
    table = MotionTransformer(3, 256, depth=1).blocks[0].table.detach()
    assert abs(table.mean()) < 0.006 and table.std().item() == pytest.approx(1 / 16, rel=0.05)
    assert table.abs().max() > 3 / 16  # normal, not uniform
