"""Triton kernels of :mod:`leokit.encoders.fused_encoder`: everything between two convolutions is one kernel.

Maps are channels last: element (b, c, y, x) lies at ``((b * H + y) * W + x) * C + c``. Arithmetic is float32. The
columns of all images of a batch are numbered as one axis, so that sizes such as 257 leave no program nearly empty.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from leokit.nn.equalized import ACTIVATION_GAIN, LEAKY_SLOPE
from leokit.nn.fused_filter import TAP_SUM
from leokit.utils.pixels import HALF_RANGE

CHANNELS = 64  # of one program, in all kernels but that of join
POSITIONS = 64  # of a program of from_rgb; the smallest image has 32 x 32
COLUMNS = 16  # of a program that blurs: columns, or pairs of columns
MIN_ROWS, ROWS = 2, 16  # which it computes one after the other; as few as give a GPU enough programs
ENOUGH_PROGRAMS = 1024
JOIN_POSITIONS, JOIN_CHANNELS, JOIN_DEPTH, JOIN_STAGES = 64, 128, 64, 2  # half the depth in float32
MIN_DOT = 16  # smallest side of a matrix product
UNROLL = tl.constexpr(4)  # after four rows, the registers that hold filtered ones are the same again
SLOPE, GAIN = tl.constexpr(LEAKY_SLOPE), tl.constexpr(ACTIVATION_GAIN)


@triton.jit
def _leaky(x):
    return tl.maximum(x, x * SLOPE)


@triton.jit
def _from_rgb(images, weight, bias, out, area, channels, scale, offset, positions: tl.constexpr,
              num_channels: tl.constexpr):
    """Three contiguous planes per image to channels, bias, activation."""
    blocks = area // positions
    image = (tl.program_id(0) // blocks).to(tl.int64)
    pixel = tl.program_id(0) % blocks * positions + tl.arange(0, positions)
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    is_channel = channel < channels
    result = tl.load(bias + channel, mask=is_channel, other=0.0)[None, :]
    for plane in tl.static_range(3):
        shade = tl.load(images + (image * 3 + plane) * area + pixel).to(tl.float32) * scale + offset
        factor = tl.load(weight + plane * channels + channel, mask=is_channel, other=0.0)
        result += shade[:, None] * factor[None, :]
    place = (image * area + pixel) * channels
    tl.store(out + place[:, None] + channel[None, :], (_leaky(result) * GAIN).to(out.dtype.element_ty),
             mask=is_channel[None, :])


@triton.jit
def _column(x, image, column, size, channel, channels):
    """Pointers to the first pixels of columns of images, and 1; for one beyond the map to another column, and 0."""
    place = image * size * size + tl.minimum(tl.maximum(column, 0), size - 1)
    return x + (place * channels)[:, None] + channel[None, :], tl.where((column >= 0) & (column < size), 1.0, 0.0)


@triton.jit
def _row(row, size, channels, gain):
    """Offset of a row from the first one, and the gain; for one beyond the map that of another one, and 0."""
    return tl.minimum(tl.maximum(row, 0), size - 1) * size * channels, tl.where((row >= 0) & (row < size), gain, 0.0)


@triton.jit
def _activated(pointers, offset, mask):
    return _leaky(tl.load(pointers, mask=mask).to(tl.float32) + offset)


@triton.jit
def _blurred_pair(p0, p1, p2, p3, p4, w0, w1, w2, w3, w4, offset, mask, row, size, channels, gain):
    """Two neighbors of a row after the activation: five columns, the first and the last four with [1, 3, 3, 1]."""
    step, gain = _row(row, size, channels, gain)
    w0, w1, w2, w3, w4 = w0 * gain, w1 * gain, w2 * gain, w3 * gain, w4 * gain
    v0, v1, v2 = _activated(p0 + step, offset, mask), _activated(p1 + step, offset, mask), _activated(
        p2 + step, offset, mask)
    v3, v4 = _activated(p3 + step, offset, mask), _activated(p4 + step, offset, mask)
    left = v0 * w0[:, None] + v1 * (3 * w1)[:, None] + v2 * (3 * w2)[:, None] + v3 * w3[:, None]
    right = v1 * w1[:, None] + v2 * (3 * w2)[:, None] + v3 * (3 * w3)[:, None] + v4 * w4[:, None]
    return left, right


@triton.jit(do_not_specialize=['size', 'pairs', 'rows', 'strips'])
def _activate_blur(x, bias, out, size, pairs, rows, strips, channels, gain, num_pairs: tl.constexpr,
                   num_channels: tl.constexpr):
    """Bias, activation, and the blur with two zeros around the map; the result has one row and one column more.

    A program computes a strip of rows one after the other; a filtered row serves four of them. Two columns are
    computed together, for which five values are activated instead of eight.
    """
    out_size = size + 1
    per_row = (out_size + 1) // 2
    pair = tl.program_id(0) // strips * num_pairs + tl.arange(0, num_pairs)
    first = tl.program_id(0) % strips * rows
    exists = pair < pairs
    pair = tl.minimum(pair, pairs - 1)
    image, column = (pair // per_row).to(tl.int64), pair % per_row * 2
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    mask = (channel < channels)[None, :]
    offset = tl.load(bias + channel, mask=channel < channels, other=0.0)[None, :]
    p0, w0 = _column(x, image, column - 2, size, channel, channels)
    p1, w1 = _column(x, image, column - 1, size, channel, channels)
    p2, w2 = _column(x, image, column, size, channel, channels)
    p3, w3 = _column(x, image, column + 1, size, channel, channels)
    p4, w4 = _column(x, image, column + 2, size, channel, channels)
    above_left, above_right = _blurred_pair(
        p0, p1, p2, p3, p4, w0, w1, w2, w3, w4, offset, mask, first - 2, size, channels, gain)
    upper_left, upper_right = _blurred_pair(
        p0, p1, p2, p3, p4, w0, w1, w2, w3, w4, offset, mask, first - 1, size, channels, gain)
    lower_left, lower_right = _blurred_pair(
        p0, p1, p2, p3, p4, w0, w1, w2, w3, w4, offset, mask, first, size, channels, gain)
    target = out + ((image * out_size * out_size + column) * channels)[:, None] + channel[None, :]
    has_left, has_right = exists[:, None] & mask, (exists & (column + 1 < out_size))[:, None] & mask
    for row in tl.range(first, tl.minimum(first + rows, out_size), loop_unroll_factor=UNROLL):
        below_left, below_right = _blurred_pair(
            p0, p1, p2, p3, p4, w0, w1, w2, w3, w4, offset, mask, row + 1, size, channels, gain)
        left = above_left + below_left + 3 * (upper_left + lower_left)
        right = above_right + below_right + 3 * (upper_right + lower_right)
        place = target + row * out_size * channels
        tl.store(place, left.to(out.dtype.element_ty), mask=has_left)
        tl.store(place + channels, right.to(out.dtype.element_ty), mask=has_right)
        above_left, upper_left, lower_left = upper_left, lower_left, below_left
        above_right, upper_right, lower_right = upper_right, lower_right, below_right


@triton.jit
def _blurred_row(p0, p1, p2, p3, w0, w1, w2, w3, mask, row, size, channels, gain):
    """A row of four columns with [1, 3, 3, 1]."""
    step, gain = _row(row, size, channels, gain)
    v0, v1 = tl.load(p0 + step, mask=mask).to(tl.float32), tl.load(p1 + step, mask=mask).to(tl.float32)
    v2, v3 = tl.load(p2 + step, mask=mask).to(tl.float32), tl.load(p3 + step, mask=mask).to(tl.float32)
    return (v0 * (w0 * gain)[:, None] + v1 * (3 * w1 * gain)[:, None] + v2 * (3 * w2 * gain)[:, None]
            + v3 * (w3 * gain)[:, None])


@triton.jit(do_not_specialize=['half', 'total_columns', 'rows', 'strips'])
def _blur_halve(x, out, half, total_columns, rows, strips, channels, gain, num_columns: tl.constexpr,
                num_channels: tl.constexpr):
    """The blur with one zero around the map, at every second row and column; programs as those of _activate_blur."""
    size = 2 * half
    number = tl.program_id(0) // strips * num_columns + tl.arange(0, num_columns)
    first = tl.program_id(0) % strips * rows
    exists = number < total_columns
    number = tl.minimum(number, total_columns - 1)
    image, column = (number // half).to(tl.int64), number % half
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    mask = (channel < channels)[None, :]
    p0, w0 = _column(x, image, 2 * column - 1, size, channel, channels)
    p1, w1 = _column(x, image, 2 * column, size, channel, channels)
    p2, w2 = _column(x, image, 2 * column + 1, size, channel, channels)
    p3, w3 = _column(x, image, 2 * column + 2, size, channel, channels)
    above = _blurred_row(p0, p1, p2, p3, w0, w1, w2, w3, mask, 2 * first - 1, size, channels, gain)
    upper = _blurred_row(p0, p1, p2, p3, w0, w1, w2, w3, mask, 2 * first, size, channels, gain)
    target = out + ((image * half * half + column) * channels)[:, None] + channel[None, :]
    for row in tl.range(first, tl.minimum(first + rows, half), loop_unroll_factor=UNROLL):
        lower = _blurred_row(p0, p1, p2, p3, w0, w1, w2, w3, mask, 2 * row + 1, size, channels, gain)
        below = _blurred_row(p0, p1, p2, p3, w0, w1, w2, w3, mask, 2 * row + 2, size, channels, gain)
        result = above + below + 3 * (upper + lower)
        tl.store(target + row * half * channels, result.to(out.dtype.element_ty), mask=exists[:, None] & mask)
        above, upper = lower, below


@triton.jit(do_not_specialize=['pixels'])
def _join(x, bias, shortcut, weight, out, pixels, channels, in_channels, positions: tl.constexpr,
          num_channels: tl.constexpr, depth: tl.constexpr):
    """Bias and leaky ReLU of the residual branch, plus the product of the shortcut with its weights."""
    blocks = tl.cdiv(channels, num_channels)
    pixel = tl.program_id(0) // blocks * positions + tl.arange(0, positions)
    pixel = tl.minimum(pixel, pixels - 1).to(tl.int64)  # beyond the last one, that one again
    channel = tl.program_id(0) % blocks * num_channels + tl.arange(0, num_channels)
    mask = (channel < channels)[None, :]
    total = tl.zeros((positions, num_channels), tl.float32)
    for start in range(0, in_channels, depth):
        inner = start + tl.arange(0, depth)
        is_inner = inner < in_channels
        left = tl.load(shortcut + (pixel * in_channels)[:, None] + inner[None, :], mask=is_inner[None, :], other=0.0)
        right = tl.load(weight + (inner * channels)[:, None] + channel[None, :], mask=is_inner[:, None] & mask,
                        other=0.0)
        total = tl.dot(left, right, total, input_precision='ieee')
    place = (pixel * channels)[:, None] + channel[None, :]
    offset = tl.load(bias + channel, mask=channel < channels, other=0.0)
    total += _leaky(tl.load(x + place, mask=mask).to(tl.float32) + offset[None, :])
    tl.store(out + place, total.to(out.dtype.element_ty), mask=mask)


def from_rgb(images: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> Tensor:
    """The 1x1 convolution of the colors, bias and activation.

    Args:
        images (Tensor): Shape (B, 3, s, s), in [-1, 1] or uint8.
        weight (Tensor): Scaled, shape (3, C), float32, contiguous.
        bias (Tensor): Shape (C,), float32.
        dtype (torch.dtype): Of the result.

    Returns:
        Tensor: Shape (B, C, s, s), channels last.
    """
    images = images.contiguous()
    (batch, _, size, _), channels = images.shape, len(bias)
    out = _channels_last(images, batch, channels, size, dtype)
    scale, offset = (1 / HALF_RANGE, -1.0) if images.dtype == torch.uint8 else (1.0, 0.0)
    num_channels = min(CHANNELS, triton.next_power_of_2(channels))
    with torch.cuda.device_of(images):
        _from_rgb[batch * (size * size // POSITIONS), triton.cdiv(channels, num_channels)](
            images, weight, bias, out, size * size, channels, scale, offset, positions=POSITIONS,
            num_channels=num_channels)
    return out


def activate_blur(x: Tensor, bias: Tensor) -> Tensor:
    """Bias, activation, and the blur before a convolution of stride 2.

    Args:
        x (Tensor): Shape (B, C, s, s).
        bias (Tensor): Shape (C,), float32.

    Returns:
        Tensor: Shape (B, C, s + 1, s + 1), channels last.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    batch, channels, size, _ = x.shape
    out = _channels_last(x, batch, channels, size + 1, x.dtype)
    pairs, num_channels = batch * (size // 2 + 1), min(CHANNELS, triton.next_power_of_2(channels))
    tiles, blocks = triton.cdiv(pairs, COLUMNS), triton.cdiv(channels, num_channels)
    strips, rows = _strips(size + 1, tiles * blocks)
    with torch.cuda.device_of(x):
        _activate_blur[tiles * strips, blocks](
            x, bias, out, size, pairs, rows, strips, channels, ACTIVATION_GAIN / TAP_SUM**2, num_pairs=COLUMNS,
            num_channels=num_channels)
    return out


def blur_halve(x: Tensor) -> Tensor:
    """Every second row and column of the blur with one zero around the map: (B, C, s, s) to (B, C, s/2, s/2)."""
    x = x.contiguous(memory_format=torch.channels_last)
    batch, channels, half = *x.shape[:2], x.shape[2] // 2
    out = _channels_last(x, batch, channels, half, x.dtype)
    num_channels = min(CHANNELS, triton.next_power_of_2(channels))
    tiles, blocks = triton.cdiv(batch * half, COLUMNS), triton.cdiv(channels, num_channels)
    strips, rows = _strips(half, tiles * blocks)
    with torch.cuda.device_of(x):
        _blur_halve[tiles * strips, blocks](
            x, out, half, batch * half, rows, strips, channels, 1 / TAP_SUM**2, num_columns=COLUMNS,
            num_channels=num_channels)
    return out


def join(x: Tensor, bias: Tensor, shortcut: Tensor, weight: Tensor) -> Tensor:
    """Both branches of a block: ``leaky_relu(x + bias) + weight.T @ shortcut``.

    The gain sqrt(2) of the activation and the factor 1 / sqrt(2) of the sum cancel; the weights have the latter.

    Args:
        x (Tensor): Output of the second convolution, shape (B, C, s, s).
        bias (Tensor): Of its activation, shape (C,), float32.
        shortcut (Tensor): Of :func:`blur_halve`, shape (B, C', s, s), type of ``x``.
        weight (Tensor): Shape (C', C), type of ``x``, contiguous.

    Returns:
        Tensor: Shape (B, C, s, s), channels last.
    """
    x, shortcut = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (x, shortcut))
    (batch, channels, size, _), in_channels = x.shape, shortcut.shape[1]
    out = torch.empty_like(x)
    pixels = batch * size * size
    num_channels, depth = (max(MIN_DOT, min(limit, triton.next_power_of_2(count))) for limit, count in (
        (JOIN_CHANNELS, channels), (JOIN_DEPTH if x.element_size() < 4 else JOIN_DEPTH // 2, in_channels)))
    with torch.cuda.device_of(x):
        _join[triton.cdiv(pixels, JOIN_POSITIONS) * triton.cdiv(channels, num_channels),](
            x, bias, shortcut, weight, out, pixels, channels, in_channels, positions=JOIN_POSITIONS,
            num_channels=num_channels, depth=depth, num_stages=JOIN_STAGES)
    return out


def _strips(total_rows: int, programs: int) -> tuple[int, int]:
    """Number of strips that all rows are divided into, and the rows of each, for so many programs per strip."""
    strips = max(1, total_rows // ROWS, min(total_rows // MIN_ROWS, triton.cdiv(ENOUGH_PROGRAMS, programs)))
    return strips, triton.cdiv(total_rows, strips)


def _channels_last(like: Tensor, batch: int, channels: int, size: int, dtype: torch.dtype) -> Tensor:
    return torch.empty((batch, channels, size, size), dtype=dtype, device=like.device,
                       memory_format=torch.channels_last)
