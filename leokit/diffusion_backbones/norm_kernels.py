"""Triton kernels of :mod:`leokit.diffusion_backbones.fused_norm`.

A program has one group of one sequence: all frames (rows) and the channels of the group (columns). Arithmetic is
float32. Sequences (B, T, C) are contiguous; gains and shifts have a stride of 0 where all sequences share them.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

MAX_TILE = 2**14  # elements of a program, with both sides rounded up to powers of two; they stay in registers


@triton.jit
def _tile(frames, channels, width, num_rows: tl.constexpr, num_columns: tl.constexpr):
    """Sequence, row and channel numbers of a program, and which of them exist."""
    groups = channels // width
    sequence, group = tl.program_id(0) // groups, tl.program_id(0) % groups
    row, column = tl.arange(0, num_rows), tl.arange(0, num_columns)
    return sequence, row, group * width + column, row < frames, column < width


@triton.jit
def _parameters(values, sequence, stride, channel, is_column):
    return tl.load(values + sequence * stride + channel, mask=is_column, other=0.0).to(tl.float32)[None, :]


@triton.jit
def _forward(x, gain, shift, out, statistics, frames, channels, width, gain_stride, shift_stride, eps,
             one_plus: tl.constexpr, silu: tl.constexpr, taps: tl.constexpr, num_rows: tl.constexpr,
             num_columns: tl.constexpr):
    """Normalize, modulate, activate, and write each frame where a convolution reads it."""
    sequence, row, channel, is_row, is_column = _tile(frames, channels, width, num_rows, num_columns)
    inside = is_row[:, None] & is_column[None, :]
    first = sequence.to(tl.int64) * frames
    values = tl.load(x + (first + row)[:, None] * channels + channel[None, :], mask=inside, other=0.0).to(tl.float32)
    count = frames * width
    mean = tl.sum(tl.sum(values, 1), 0) / count
    centered = tl.where(inside, values - mean, 0.0)
    scale = 1.0 / tl.sqrt(tl.sum(tl.sum(centered * centered, 1), 0) / count + eps)
    tl.store(statistics + 2 * tl.program_id(0), mean)
    tl.store(statistics + 2 * tl.program_id(0) + 1, scale)
    factor = _parameters(gain, sequence, gain_stride, channel, is_column) + (1.0 if one_plus else 0.0)
    result = centered * scale * factor + _parameters(shift, sequence, shift_stride, channel, is_column)
    if silu:
        result = result * tl.sigmoid(result)
    result = result.to(out.dtype.element_ty)
    for k in tl.static_range(taps):
        offset = k - taps // 2  # row t of tap k has frame t + offset, or zeros
        target, source = row - offset, row + offset
        place = ((first + target) * taps + k)[:, None] * channels + channel[None, :]
        tl.store(out + place, result, mask=inside & ((target >= 0) & (target < frames))[:, None])
        place = ((first + row) * taps + k)[:, None] * channels + channel[None, :]
        tl.store(out + place, tl.zeros_like(result), mask=inside & ((source < 0) | (source >= frames))[:, None])


@triton.jit
def _backward(grad, x, gain, shift, statistics, of_x, of_parameters, frames, channels, width, gain_stride,
              shift_stride, gradients, one_plus: tl.constexpr, silu: tl.constexpr, taps: tl.constexpr,
              num_rows: tl.constexpr, num_columns: tl.constexpr):
    """Gradients of the sequence, and of gain and shift per sequence (``gradients`` is their distance)."""
    sequence, row, channel, is_row, is_column = _tile(frames, channels, width, num_rows, num_columns)
    inside = is_row[:, None] & is_column[None, :]
    first = sequence.to(tl.int64) * frames
    place = (first + row)[:, None] * channels + channel[None, :]
    mean, scale = tl.load(statistics + 2 * tl.program_id(0)), tl.load(statistics + 2 * tl.program_id(0) + 1)
    normed = tl.load(x + place, mask=inside, other=0.0).to(tl.float32)
    normed = tl.where(inside, (normed - mean) * scale, 0.0)
    factor = _parameters(gain, sequence, gain_stride, channel, is_column) + (1.0 if one_plus else 0.0)
    slope = tl.zeros((num_rows, num_columns), tl.float32)
    for k in tl.static_range(taps):
        target = row - (k - taps // 2)
        reached = ((first + target) * taps + k)[:, None] * channels + channel[None, :]
        slope += tl.load(grad + reached, mask=inside & ((target >= 0) & (target < frames))[:, None],
                         other=0.0).to(tl.float32)
    if silu:
        before = normed * factor + _parameters(shift, sequence, shift_stride, channel, is_column)
        gate = tl.sigmoid(before)
        slope *= gate * (1.0 + before * (1.0 - gate))
    start = of_parameters + sequence.to(tl.int64) * channels + channel
    tl.store(start, tl.sum(slope * normed, 0), mask=is_column)
    tl.store(start + gradients, tl.sum(slope, 0), mask=is_column)
    slope *= factor
    count = frames * width
    along = tl.sum(tl.sum(slope * normed, 1), 0) / count
    slope = scale * (slope - tl.sum(tl.sum(slope, 1), 0) / count - normed * along)
    tl.store(of_x + place, slope.to(of_x.dtype.element_ty), mask=inside)


def forward(x: Tensor, gain: Tensor, shift: Tensor, groups: int, eps: float, *, one_plus: bool, silu: bool,
            taps: int) -> tuple[Tensor, Tensor]:
    """Result, shape (B, T, taps * C), and mean and inverse deviation of each group, shape (B, groups, 2)."""
    batch, frames, channels = x.shape
    out = torch.empty((batch, frames, taps * channels), dtype=x.dtype, device=x.device)
    statistics = torch.empty((batch, groups, 2), device=x.device)
    with torch.cuda.device_of(x):
        _forward[batch * groups,](
            x, gain, shift, out, statistics, frames, channels, channels // groups, _stride(gain), _stride(shift), eps,
            one_plus=one_plus, silu=silu, taps=taps, **_sizes(frames, channels // groups))
    return out, statistics


def backward(grad: Tensor, x: Tensor, gain: Tensor, shift: Tensor, statistics: Tensor, *, one_plus: bool, silu: bool,
             taps: int) -> tuple[Tensor, Tensor]:
    """Gradients of the sequence, shape (B, T, C), and of gains and shifts of each sequence, shape (2, B, C)."""
    batch, frames, channels = x.shape
    width = channels // statistics.shape[1]
    of_x, of_parameters = torch.empty_like(x), torch.empty((2, batch, channels), device=x.device)
    with torch.cuda.device_of(x):
        _backward[batch * statistics.shape[1],](
            grad, x, gain, shift, statistics, of_x, of_parameters, frames, channels, width, _stride(gain),
            _stride(shift), batch * channels, one_plus=one_plus, silu=silu, taps=taps, **_sizes(frames, width))
    return of_x, of_parameters


def tile_of(frames: int, width: int) -> tuple[int, int]:
    """Rows and columns of a program."""
    return triton.next_power_of_2(frames), triton.next_power_of_2(width)


def _sizes(frames: int, width: int) -> dict[str, int]:
    rows, columns = tile_of(frames, width)
    return dict(num_rows=rows, num_columns=columns, num_warps=4 if rows * columns <= 4096 else 8)


def _stride(parameters: Tensor) -> int:
    return parameters.stride(0) if len(parameters) > 1 else 0
