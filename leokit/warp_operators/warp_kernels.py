"""Triton kernels of masked bilinear warping, forward and backward.

Features are channels last: element (b, c, y, x) lies at ``((b * H + y) * W + x) * C + c``. Flow and mask are
contiguous. With S features and S·T flows, the flows k·T to (k+1)·T - 1 sample feature k.

The gradient of a feature is gathered, not scattered: the first kernel of the backward pass hangs every sampled position
into the list of the cell between four pixels that it lies in, and the second one collects for every pixel what lies in
its four cells. It therefore needs no buffer in float32 and one atomic operation per position instead of four per
position and channel. Where many positions fall into one cell, their list is walked one by one.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

POSITIONS, CHANNELS = 16, 64  # of one program
EMPTY = tl.constexpr(-1)  # the end of a list
FAR = tl.constexpr(-1e4)  # a flow to outside of every image, where nothing is read


@triton.jit
def _pixel(flow, index, length, end, step, scale, offset):
    """Sampling position in pixels: of the identity grid (torch.linspace from -end to end) plus the flow."""
    grid = tl.where(index < length // 2, index * step - end, end - (length - 1 - index) * step)
    return (flow.to(tl.float32) + grid + 1.0) * scale - offset


@triton.jit
def _place(flow, position, exists, frames, height, width, end_x, end_y, step_x, step_y, scale_x, scale_y, offset):
    """The source of each position, and where it samples: x and y in pixels.

    Positions that do not exist sample outside: their source may lie beyond the feature.
    """
    area = height * width
    image, pixel = position // area, position % area
    row, column = pixel // width, pixel % width
    start = image.to(tl.int64) * 2 * area + pixel
    x = _pixel(tl.load(flow + start, mask=exists, other=FAR), column, width, end_x, step_x, scale_x, offset)
    y = _pixel(tl.load(flow + start + area, mask=exists, other=0.0), row, height, end_y, step_y, scale_y, offset)
    return image // frames, x, y


@triton.jit
def _bounded(x, last):
    """x as an integer from 0 to last; converting a number that an integer cannot hold would be undefined.

    Not by tl.where, on which Triton 3.6 fails with some sizes of programs.
    """
    return tl.minimum(tl.maximum(x, 0.0), last.to(tl.float32)).to(tl.int32)


@triton.jit
def _tap(feature, source, x, y, channel, is_channel, height, width, channels):
    """Values at whole pixels x and y (as floats), zeros outside, shape (positions, channels)."""
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    column, row = _bounded(x, width - 1), _bounded(y, height - 1)
    start = ((source * height + row) * width + column).to(tl.int64) * channels
    return tl.load(feature + start[:, None] + channel[None, :], mask=inside[:, None] & is_channel[None, :],
                   other=0.0).to(tl.float32)


@triton.jit
def _taps(feature, source, left, top, channel, is_channel, height, width, channels):
    """Values at the four pixels around a position: upper left, upper right, lower left, lower right."""
    upper_left = _tap(feature, source, left, top, channel, is_channel, height, width, channels)
    upper_right = _tap(feature, source, left + 1, top, channel, is_channel, height, width, channels)
    lower_left = _tap(feature, source, left, top + 1, channel, is_channel, height, width, channels)
    lower_right = _tap(feature, source, left + 1, top + 1, channel, is_channel, height, width, channels)
    return upper_left, upper_right, lower_left, lower_right


@triton.jit
def _forward(feature, flow, mask, out, positions, frames, height, width, channels, end_x, end_y, step_x, step_y,
             scale_x, scale_y, offset, num_positions: tl.constexpr, num_channels: tl.constexpr):
    position = tl.program_id(0) * num_positions + tl.arange(0, num_positions)
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    exists, is_channel = position < positions, channel < channels
    source, x, y = _place(flow, position, exists, frames, height, width, end_x, end_y, step_x, step_y, scale_x,
                          scale_y, offset)
    left, top = tl.floor(x), tl.floor(y)
    right_part, lower_part = (x - left)[:, None], (y - top)[:, None]
    upper_left, upper_right, lower_left, lower_right = _taps(
        feature, source, left, top, channel, is_channel, height, width, channels)
    upper = upper_left * (1 - right_part) + upper_right * right_part
    lower = lower_left * (1 - right_part) + lower_right * right_part
    factor = tl.load(mask + position, mask=exists, other=0.0).to(tl.float32)
    result = (upper * (1 - lower_part) + lower * lower_part) * factor[:, None]
    tl.store(out + position.to(tl.int64)[:, None] * channels + channel[None, :], result.to(out.dtype.element_ty),
             mask=exists[:, None] & is_channel[None, :])


@triton.jit
def _backward_positions(grad, feature, flow, mask, grad_flow, grad_mask, heads, following, positions, frames, height,
                        width, channels, end_x, end_y, step_x, step_y, scale_x, scale_y, offset,
                        makes_lists: tl.constexpr, num_positions: tl.constexpr, num_channels: tl.constexpr):
    """Gradients of flow and mask, and the lists of the cells."""
    position = tl.program_id(0) * num_positions + tl.arange(0, num_positions)
    exists = position < positions
    source, x, y = _place(flow, position, exists, frames, height, width, end_x, end_y, step_x, step_y, scale_x,
                          scale_y, offset)
    left, top = tl.floor(x), tl.floor(y)
    if makes_lists:
        # cell (i, j) lies between the pixels i - 1 and i, and j - 1 and j
        listed = exists & (left >= -1) & (left < width) & (top >= -1) & (top < height)
        column, row = _bounded(left + 1, width), _bounded(top + 1, height)
        cell = (source * (height + 1) + row) * (width + 1) + column
        tl.store(following + position, tl.atomic_xchg(heads + cell, position, mask=listed, sem='relaxed'), mask=listed)
    right_part, lower_part = (x - left)[:, None], (y - top)[:, None]
    along_x = tl.zeros((num_positions, num_channels), tl.float32)
    along_y, along_mask = along_x, along_x
    for first in range(0, channels, num_channels):
        channel = first + tl.arange(0, num_channels)
        is_channel = channel < channels
        upper_left, upper_right, lower_left, lower_right = _taps(
            feature, source, left, top, channel, is_channel, height, width, channels)
        upper = upper_left * (1 - right_part) + upper_right * right_part
        lower = lower_left * (1 - right_part) + lower_right * right_part
        incoming = tl.load(grad + position.to(tl.int64)[:, None] * channels + channel[None, :],
                           mask=exists[:, None] & is_channel[None, :], other=0.0).to(tl.float32)
        along_x += incoming * ((upper_right - upper_left) * (1 - lower_part) + (lower_right - lower_left) * lower_part)
        along_y += incoming * (lower - upper)
        along_mask += incoming * (upper * (1 - lower_part) + lower * lower_part)
    factor = tl.load(mask + position, mask=exists, other=0.0).to(tl.float32)
    area = height * width
    start = (position // area).to(tl.int64) * 2 * area + position % area
    kind = grad_flow.dtype.element_ty
    tl.store(grad_flow + start, (tl.sum(along_x, 1) * factor * scale_x).to(kind), mask=exists)
    tl.store(grad_flow + start + area, (tl.sum(along_y, 1) * factor * scale_y).to(kind), mask=exists)
    tl.store(grad_mask + position, tl.sum(along_mask, 1).to(grad_mask.dtype.element_ty), mask=exists)


@triton.jit
def _visit(total, position, column, row, grad, flow, mask, following, channel, is_channel, frames, height, width,
           channels, end_x, end_y, step_x, step_y, scale_x, scale_y, offset):
    """Add what one position of a list gives to a pixel; returns the next position too."""
    exists = position >= 0
    _, x, y = _place(flow, position, exists, frames, height, width, end_x, end_y, step_x, step_y, scale_x, scale_y,
                     offset)
    weight = (1 - tl.abs(x - column)) * (1 - tl.abs(y - row)) * tl.load(mask + position, mask=exists, other=0.0)
    incoming = tl.load(grad + position.to(tl.int64)[:, None] * channels + channel[None, :],
                       mask=exists[:, None] & is_channel[None, :], other=0.0).to(tl.float32)
    total += tl.where(exists, weight.to(tl.float32), 0.0)[:, None] * incoming
    return total, tl.load(following + position, mask=exists, other=EMPTY)


@triton.jit
def _backward_feature(grad, flow, mask, heads, following, grad_feature, pixels, frames, height, width, channels,
                      end_x, end_y, step_x, step_y, scale_x, scale_y, offset, num_positions: tl.constexpr,
                      num_channels: tl.constexpr):
    """The gradient of the feature, from the lists of the four cells around each pixel."""
    pixel = tl.program_id(0) * num_positions + tl.arange(0, num_positions)
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    exists, is_channel = pixel < pixels, channel < channels
    column, row = pixel % width, pixel // width
    source, row = row // height, row % height
    cell = (source * (height + 1) + row) * (width + 1) + column
    first = tl.load(heads + cell, mask=exists, other=EMPTY)
    second = tl.load(heads + cell + 1, mask=exists, other=EMPTY)
    third = tl.load(heads + cell + width + 1, mask=exists, other=EMPTY)
    fourth = tl.load(heads + cell + width + 2, mask=exists, other=EMPTY)
    total = tl.zeros((num_positions, num_channels), tl.float32)
    while tl.max(tl.maximum(tl.maximum(first, second), tl.maximum(third, fourth)), 0) >= 0:
        total, first = _visit(total, first, column, row, grad, flow, mask, following, channel, is_channel, frames,
                              height, width, channels, end_x, end_y, step_x, step_y, scale_x, scale_y, offset)
        total, second = _visit(total, second, column, row, grad, flow, mask, following, channel, is_channel, frames,
                               height, width, channels, end_x, end_y, step_x, step_y, scale_x, scale_y, offset)
        total, third = _visit(total, third, column, row, grad, flow, mask, following, channel, is_channel, frames,
                              height, width, channels, end_x, end_y, step_x, step_y, scale_x, scale_y, offset)
        total, fourth = _visit(total, fourth, column, row, grad, flow, mask, following, channel, is_channel, frames,
                               height, width, channels, end_x, end_y, step_x, step_y, scale_x, scale_y, offset)
    tl.store(grad_feature + pixel.to(tl.int64)[:, None] * channels + channel[None, :],
             total.to(grad_feature.dtype.element_ty), mask=exists[:, None] & is_channel[None, :])


def forward(feature: Tensor, flow: Tensor, mask: Tensor, ends: tuple[float, float], align_corners: bool) -> Tensor:
    """The warped feature, channels last.

    Args:
        feature (Tensor): Shape (S, C, H, W), channels last.
        flow (Tensor): Shape (S*T, 2, H, W), contiguous.
        mask (Tensor): Shape (S*T, 1, H, W), contiguous.
        ends (tuple[float, float]): Largest coordinates x and y of the identity grid.
        align_corners (bool): -1 and 1 are the centers of the corner pixels, not their outer edges.
    """
    channels, out = feature.shape[1], empty_like_warped(feature, flow)
    positions, geometry = _geometry(feature, flow, ends, align_corners)
    with torch.cuda.device_of(feature):
        _forward[triton.cdiv(positions, POSITIONS), triton.cdiv(channels, CHANNELS)](
            feature, flow, mask, out, positions, *geometry, num_positions=POSITIONS, num_channels=CHANNELS)
    return out


def backward(grad: Tensor, feature: Tensor, flow: Tensor, mask: Tensor, ends: tuple[float, float],
             align_corners: bool, of_feature: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of feature (empty unless ``of_feature``), flow and mask; ``grad`` is channels last."""
    channels = feature.shape[1]
    positions, geometry = _geometry(feature, flow, ends, align_corners)
    sources, _, height, width = feature.shape
    grad_flow, grad_mask = torch.empty_like(flow), torch.empty_like(mask)
    grad_feature = torch.empty_like(feature) if of_feature else feature.new_empty(0)
    cells = sources * (height + 1) * (width + 1) if of_feature else 0
    heads = torch.full((cells,), EMPTY.value, dtype=torch.int32, device=feature.device)
    following = torch.empty(positions if of_feature else 0, dtype=torch.int32, device=feature.device)
    with torch.cuda.device_of(feature):
        _backward_positions[triton.cdiv(positions, POSITIONS),](
            grad, feature, flow, mask, grad_flow, grad_mask, heads, following, positions, *geometry,
            makes_lists=of_feature, num_positions=POSITIONS, num_channels=CHANNELS)
        if of_feature:
            pixels = sources * height * width
            _backward_feature[triton.cdiv(pixels, POSITIONS), triton.cdiv(channels, CHANNELS)](
                grad, flow, mask, heads, following, grad_feature, pixels, *geometry, num_positions=POSITIONS,
                num_channels=CHANNELS)
    return grad_feature, grad_flow, grad_mask


def empty_like_warped(feature: Tensor, flow: Tensor) -> Tensor:
    """A tensor of the result's shape, type and layout, not initialized."""
    return torch.empty((flow.shape[0], *feature.shape[1:]), dtype=feature.dtype, device=feature.device,
                       memory_format=torch.channels_last)


def _geometry(feature: Tensor, flow: Tensor, ends: tuple[float, float], align_corners: bool) -> tuple[int, tuple]:
    """The number of positions, and what all kernels need to know about sizes and the grid."""
    sources, channels, height, width = feature.shape
    steps = (2 * end / (length - 1) for end, length in zip(ends, (width, height)))
    # pixels = (coordinate + 1) * scale - offset
    scales = ((length - 1 if align_corners else length) / 2 for length in (width, height))
    return flow.shape[0] * height * width, (flow.shape[0] // sources, height, width, channels, *ends, *steps, *scales,
                                            0.0 if align_corners else 0.5)
