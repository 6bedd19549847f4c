"""Triton kernels of :func:`~leokit.feature_extractors.depthwise.depthwise_relu6`, forward and backward.

Activations are channels last: element (b, c, h, w) lies at ``((b * H + h) * W + w) * C + c``. A program computes some
positions of some channels; it reads its inputs once for each tap of the kernel, nearly always from the cache, and
writes nothing but the result.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

POSITIONS, CHANNELS = 32, 64  # of one program
MAX_ELEMENTS = 2**31 - 1  # indices are int32


@triton.jit
def _relu6(values):
    return tl.minimum(tl.maximum(values, 0.0), 6.0)


@triton.jit
def _forward(x, weight, bias, out, height, width, out_height, out_width, channels, positions, top, left,
             stride: tl.constexpr, kernel: tl.constexpr, num_positions: tl.constexpr, num_channels: tl.constexpr):
    position = tl.program_id(0) * num_positions + tl.arange(0, num_positions)
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    exists, is_channel = position < positions, channel < channels
    column, row = position % out_width, position // out_width
    image, row = row // out_height, row % out_height
    total = tl.zeros((num_positions, num_channels), tl.float32)
    for i in range(kernel):  # only the inner loop is unrolled: both would take seconds to compile
        h = row * stride + i - top
        for j in tl.static_range(kernel):
            w = column * stride + j - left
            inside = exists & (h >= 0) & (h < height) & (w >= 0) & (w < width)
            source = (((image * height + h) * width + w) * channels)[:, None] + channel[None, :]
            values = tl.load(x + source, mask=inside[:, None] & is_channel[None, :], other=0.0).to(tl.float32)
            factor = tl.load(weight + (i * kernel + j) * channels + channel, mask=is_channel, other=0.0)
            total += _relu6(values) * factor[None, :]
    total = _relu6(total + tl.load(bias + channel, mask=is_channel, other=0.0)[None, :])
    tl.store(out + position[:, None] * channels + channel[None, :], total.to(out.dtype.element_ty),
             mask=exists[:, None] & is_channel[None, :])


@triton.jit
def _backward(grad, out, x, weight, grad_x, height, width, out_height, out_width, channels, positions, top, left,
              stride: tl.constexpr, kernel: tl.constexpr, num_positions: tl.constexpr, num_channels: tl.constexpr):
    position = tl.program_id(0) * num_positions + tl.arange(0, num_positions)
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    exists, is_channel = position < positions, channel < channels
    column, row = position % width, position // width
    image, row = row // height, row % height
    total = tl.zeros((num_positions, num_channels), tl.float32)
    for i in range(kernel):
        h = row + top - i  # times the stride
        for j in tl.static_range(kernel):
            w = column + left - j
            inside = exists & (h >= 0) & (w >= 0) & (h % stride == 0) & (w % stride == 0) & (
                h // stride < out_height) & (w // stride < out_width)
            mask = inside[:, None] & is_channel[None, :]
            target = ((image * out_height + h // stride) * out_width + w // stride) * channels
            target = target[:, None] + channel[None, :]
            result = tl.load(out + target, mask=mask, other=0.0).to(tl.float32)
            values = tl.load(grad + target, mask=mask & (result > 0) & (result < 6), other=0.0).to(tl.float32)
            factor = tl.load(weight + (i * kernel + j) * channels + channel, mask=is_channel, other=0.0)
            total += values * factor[None, :]
    mask = exists[:, None] & is_channel[None, :]
    index = position[:, None] * channels + channel[None, :]
    value = tl.load(x + index, mask=mask, other=0.0).to(tl.float32)
    total = tl.where((value > 0) & (value < 6), total, 0.0)
    tl.store(grad_x + index, total.to(grad_x.dtype.element_ty), mask=mask)


def forward(x: Tensor, weight: Tensor, bias: Tensor, out_size: tuple[int, int], padding: tuple[int, int],
            stride: int) -> Tensor:
    """The result of the layer.

    Args:
        x (Tensor): Shape (B, C, H, W), channels last.
        weight (Tensor): float32, shape (k * k, C).
        bias (Tensor): float32, shape (C,).
        out_size (tuple[int, int]): Height and width of the result.
        padding (tuple[int, int]): Rows above and columns to the left of the input.
        stride (int): Stride.
    """
    batch, channels, height, width = x.shape
    out = x.new_empty((batch, channels, *out_size)).contiguous(memory_format=torch.channels_last)
    positions = batch * out_size[0] * out_size[1]
    _forward[_grid(positions, channels)](
        x, weight, bias, out, height, width, *out_size, channels, positions, *padding, stride=stride,
        kernel=_kernel_size(weight), num_positions=POSITIONS, num_channels=CHANNELS)
    return out


def backward(grad: Tensor, out: Tensor, x: Tensor, weight: Tensor, padding: tuple[int, int], stride: int) -> Tensor:
    """The gradient of the input; ``grad`` and ``out`` are channels last, the other arguments as in :func:`forward`."""
    batch, channels, height, width = x.shape
    grad_x = torch.empty_like(x)
    positions = batch * height * width
    _backward[_grid(positions, channels)](
        grad, out, x, weight, grad_x, height, width, *out.shape[2:], channels, positions, *padding, stride=stride,
        kernel=_kernel_size(weight), num_positions=POSITIONS, num_channels=CHANNELS)
    return grad_x


def _grid(positions: int, channels: int) -> tuple[int, int]:
    return triton.cdiv(positions, POSITIONS), triton.cdiv(channels, CHANNELS)


def _kernel_size(weight: Tensor) -> int:
    return round(len(weight) ** 0.5)
