"""Triton kernels of :mod:`leokit.flow_generators.fused_decoder`: everything between two convolutions is one kernel.

Maps of C channels are channels last: element (b, c, y, x) lies at ``((b * H + y) * W + x) * C + c``. Maps of three
channels are contiguous. Arithmetic is float32.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from leokit.nn.equalized import ACTIVATION_GAIN, LEAKY_SLOPE
from leokit.nn.fused_filter import TAP_SUM
from leokit.warp_operators.warp_kernels import _bounded, _pixel, _taps

POSITIONS, CHANNELS = 64, 32  # of one program; the smallest level has 64 positions
BLUR_SIDE, BLUR_CHANNELS = 16, 64
BLUR_GAIN = 4 / TAP_SUM**2
SLOPE, GAIN = tl.constexpr(LEAKY_SLOPE), tl.constexpr(ACTIVATION_GAIN)


@triton.jit
def _activate(x, bias):
    x += bias
    return tl.where(x >= 0, x, x * SLOPE) * GAIN


@triton.jit
def _blurred_row(x, image, row, column, channel, is_channel, size, channels):
    """Row of a square map, filtered with [1, 3, 3, 1] along the columns from ``column - 1`` to ``column + 2``."""
    total = tl.zeros((column.shape[0], channel.shape[0]), tl.float32)
    for j in tl.static_range(4):
        at = column + (j - 1)
        inside = (row >= 0) & (row < size) & (at >= 0) & (at < size)
        start = ((image * size + row) * size + at).to(tl.int64) * channels
        values = tl.load(x + start[:, None] + channel[None, :], mask=inside[:, None] & is_channel[None, :], other=0.0)
        total += values.to(tl.float32) * (1 + j * (3 - j))
    return total


@triton.jit
def _blur_activate(x, factor, bias, style, out, out_size, channels, factor_stride, style_stride, gain,
                   rows: tl.constexpr, columns: tl.constexpr, num_channels: tl.constexpr):
    """Blur with one zero around the map, times a factor per sample, bias, activation, style of the next layer.

    A program computes a block of rows one after the other; a filtered row serves four of them.
    """
    blocks_x, blocks_y = out_size // columns, out_size // rows
    block = tl.program_id(0)
    image, first = block // (blocks_x * blocks_y), block // blocks_x % blocks_y * rows
    column = block % blocks_x * columns + tl.arange(0, columns)
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    is_channel = channel < channels
    scale = tl.load(factor + image * factor_stride + channel, mask=is_channel, other=0.0) * gain
    offset = tl.load(bias + channel, mask=is_channel, other=0.0)
    following = tl.load(style + image * style_stride + channel, mask=is_channel, other=0.0)
    above = _blurred_row(x, image, first - 1, column, channel, is_channel, out_size + 1, channels)
    upper = _blurred_row(x, image, first, column, channel, is_channel, out_size + 1, channels)
    lower = _blurred_row(x, image, first + 1, column, channel, is_channel, out_size + 1, channels)
    for i in range(rows):
        row = first + i
        below = _blurred_row(x, image, row + 2, column, channel, is_channel, out_size + 1, channels)
        result = _activate((above + below + 3 * (upper + lower)) * scale[None, :], offset[None, :]) * following[None, :]
        start = ((image * out_size + row) * out_size + column).to(tl.int64) * channels
        tl.store(out + start[:, None] + channel[None, :], result.to(out.dtype.element_ty), mask=is_channel[None, :])
        above, upper, lower = upper, lower, below


@triton.jit
def _activate_only(x, factor, bias, style, out, pixels, channels, factor_stride, style_stride,
                   positions: tl.constexpr, num_channels: tl.constexpr):
    """Factor per sample, bias, activation, style of the next layer."""
    image = tl.program_id(0)
    pixel = tl.program_id(1) * positions + tl.arange(0, positions)
    channel = tl.program_id(2) * num_channels + tl.arange(0, num_channels)
    is_channel = channel < channels
    scale = tl.load(factor + image * factor_stride + channel, mask=is_channel, other=0.0)
    offset = tl.load(bias + channel, mask=is_channel, other=0.0)
    following = tl.load(style + image * style_stride + channel, mask=is_channel, other=0.0)
    places = (image * pixels + pixel).to(tl.int64)[:, None] * channels + channel[None, :]
    mask = (pixel < pixels)[:, None] & is_channel[None, :]
    values = tl.load(x + places, mask=mask, other=0.0).to(tl.float32)
    result = _activate(values * scale[None, :], offset[None, :]) * following[None, :]
    tl.store(out + places, result.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _upsampled(x, plane, is_plane, row, column, size):
    """Planes (P, 1) of a contiguous map of ``size / 2``, upsampled by two with [1, 3, 3, 1], at pixels (1, N)."""
    half = size // 2
    near_row, near_column = row // 2, column // 2
    far_row = tl.where(row % 2 == 0, near_row - 1, near_row + 1)
    far_column = tl.where(column % 2 == 0, near_column - 1, near_column + 1)
    has_row, has_column = (far_row >= 0) & (far_row < half), (far_column >= 0) & (far_column < half)
    start = x + plane.to(tl.int64) * half * half
    near = 0.75 * tl.load(start + near_row * half + near_column, mask=is_plane, other=0.0)
    near += 0.25 * tl.load(start + near_row * half + far_column, mask=is_plane & has_column, other=0.0)
    far = 0.75 * tl.load(start + far_row * half + near_column, mask=is_plane & has_row, other=0.0)
    far += 0.25 * tl.load(start + far_row * half + far_column, mask=is_plane & has_row & has_column, other=0.0)
    return 0.75 * near + 0.25 * far


@triton.jit
def _color(x, plane, is_plane, column, row, size):
    """Values of a contiguous map at whole pixels (as floats), zeros outside."""
    inside = is_plane & (column >= 0) & (column < size) & (row >= 0) & (row < size)
    place = _bounded(row, size - 1) * size + _bounded(column, size - 1)
    return tl.load(x + plane.to(tl.int64) * size * size + place, mask=inside, other=0.0)


@triton.jit
def _warped(x, plane, is_plane, left, top, right_part, lower_part, size):
    """Planes (P, 1) of a contiguous map, sampled bilinearly at pixels (1, N) with zeros outside."""
    upper = _color(x, plane, is_plane, left, top, size) * (1 - right_part)
    upper += _color(x, plane, is_plane, left + 1, top, size) * right_part
    lower = _color(x, plane, is_plane, left, top + 1, size) * (1 - right_part)
    lower += _color(x, plane, is_plane, left + 1, top + 1, size) * right_part
    return upper * (1 - lower_part) + lower * lower_part


@triton.jit
def _trunk(x, place, factor, bias, channel, is_channel):
    """Output of the level's convolution at places (N,) and channels, times a factor, with bias and activation."""
    values = tl.load(x + place[:, None] + channel[None, :], mask=is_channel[None, :], other=0.0).to(tl.float32)
    factors = tl.load(factor + channel, mask=is_channel, other=0.0)
    return _activate(values * factors[None, :], tl.load(bias + channel, mask=is_channel, other=0.0)[None, :])


@triton.jit(do_not_specialize=['frames'])
def _synthesize(x, factor, bias, flow_style, flow_weight, flow_bias, coarse_raw, feature, colors, color_bias,
                image_bias, coarse_image, paint_weight, next_style, raw, image, out, frames, size, channels, end, step,
                scale, offset, factor_stride, flow_style_stride, next_stride, has_coarse: tl.constexpr,
                inpaints: tl.constexpr, is_last: tl.constexpr, positions: tl.constexpr, num_channels: tl.constexpr):
    """From the output of a level's convolution to the level's flow and mask, image and modulated trunk."""
    area = size * size
    blocks = area // positions
    sample = tl.program_id(0) // blocks
    pixel = tl.program_id(0) % blocks * positions + tl.arange(0, positions)
    row, column = pixel // size, pixel % size
    source = sample // frames
    place = (sample * area + pixel).to(tl.int64) * channels
    # flow and mask, and the colors that inpaint
    flow_x = tl.zeros((positions,), tl.float32)
    flow_y = tl.zeros((positions,), tl.float32)
    shown = tl.zeros((positions,), tl.float32)
    if inpaints:
        red = tl.zeros((positions,), tl.float32)
        green = tl.zeros((positions,), tl.float32)
        blue = tl.zeros((positions,), tl.float32)
    for start in range(0, channels, num_channels):
        channel = start + tl.arange(0, num_channels)
        is_channel = channel < channels
        trunk = _trunk(x, place, factor + sample * factor_stride, bias, channel, is_channel)
        style = tl.load(flow_style + sample * flow_style_stride + channel, mask=is_channel, other=0.0)
        flow_x += tl.sum(trunk * (style * tl.load(flow_weight + channel, mask=is_channel, other=0.0))[None, :], 1)
        flow_y += tl.sum(trunk * (style * tl.load(flow_weight + channels + channel, mask=is_channel,
                                                  other=0.0))[None, :], 1)
        shown += tl.sum(trunk * (style * tl.load(flow_weight + 2 * channels + channel, mask=is_channel,
                                                 other=0.0))[None, :], 1)
        if inpaints:
            weight = paint_weight + channel
            red += tl.sum(trunk * tl.load(weight, mask=is_channel, other=0.0)[None, :], 1)
            green += tl.sum(trunk * tl.load(weight + channels, mask=is_channel, other=0.0)[None, :], 1)
            blue += tl.sum(trunk * tl.load(weight + 2 * channels, mask=is_channel, other=0.0)[None, :], 1)
    # three planes, and a fourth that does not exist, as one axis
    plane = tl.arange(0, 4)[:, None]
    is_plane = plane < 3
    maps = tl.where(plane == 0, flow_x[None, :], tl.where(plane == 1, flow_y[None, :], shown[None, :]))
    maps += tl.load(flow_bias + plane, mask=is_plane, other=0.0)
    if has_coarse:
        maps += _upsampled(coarse_raw, sample * 3 + plane, is_plane, row[None, :], column[None, :], size)
    places = (sample * 3 + plane).to(tl.int64) * area + pixel[None, :]
    tl.store(raw + places, maps, mask=is_plane)
    squashed = tl.sigmoid(tl.where(plane == 2, maps, 2 * maps))  # of the flow, tanh(x) = 2 sigmoid(2 x) - 1
    mask = tl.sum(tl.where(plane == 2, squashed, 0.0), 0)
    flow_x = tl.sum(tl.where(plane == 0, 2 * squashed - 1, 0.0), 0)
    flow_y = tl.sum(tl.where(plane == 1, 2 * squashed - 1, 0.0), 0)
    at_x = _pixel(flow_x, column, size, end, step, scale, offset)
    at_y = _pixel(flow_y, row, size, end, step, scale, offset)
    left, top = tl.floor(at_x), tl.floor(at_y)
    right_part, lower_part = at_x - left, at_y - top
    # image
    shades = _warped(colors, source * 3 + plane, is_plane, left[None, :], top[None, :], right_part[None, :],
                     lower_part[None, :], size) * mask[None, :]
    shades = _activate(shades, tl.load(color_bias + plane, mask=is_plane, other=0.0))
    shades += tl.load(image_bias + plane, mask=is_plane, other=0.0)
    if has_coarse:
        shades += _upsampled(coarse_image, sample * 3 + plane, is_plane, row[None, :], column[None, :], size)
    if inpaints:
        paint = tl.where(plane == 0, red[None, :], tl.where(plane == 1, green[None, :], blue[None, :]))
        shades += paint * (1 - mask)[None, :]
    tl.store(image + places, shades, mask=is_plane)
    # trunk
    if not is_last:
        for start in range(0, channels, num_channels):
            channel = start + tl.arange(0, num_channels)
            is_channel = channel < channels
            trunk = _trunk(x, place, factor + sample * factor_stride, bias, channel, is_channel)
            upper_left, upper_right, lower_left, lower_right = _taps(
                feature, source, left, top, channel, is_channel, size, size, channels)
            upper = upper_left * (1 - right_part)[:, None] + upper_right * right_part[:, None]
            lower = lower_left * (1 - right_part)[:, None] + lower_right * right_part[:, None]
            warped = (upper * (1 - lower_part)[:, None] + lower * lower_part[:, None]) * mask[:, None]
            following = tl.load(next_style + sample * next_stride + channel, mask=is_channel, other=0.0)
            result = (warped + (1 - mask)[:, None] * trunk) * following[None, :]
            tl.store(out + place[:, None] + channel[None, :], result.to(out.dtype.element_ty),
                     mask=is_channel[None, :])


def blur_activate(x: Tensor, factor: Tensor, bias: Tensor, style: Tensor) -> Tensor:
    """Blur after a transposed convolution, demodulation, bias, activation, and the style of the next layer.

    Args:
        x (Tensor): Shape (B, C, s + 1, s + 1).
        factor (Tensor): Demodulation, float32, shape (B, C), contiguous along C as the style is.
        bias (Tensor): Shape (C,), float32.
        style (Tensor): Of the next layer, float32, shape (B, C).

    Returns:
        Tensor: Shape (B, C, s, s), channels last.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    batch, channels, out_size = *x.shape[:2], x.shape[2] - 1
    out = torch.empty((batch, channels, out_size, out_size), dtype=x.dtype, device=x.device,
                      memory_format=torch.channels_last)
    rows = columns = min(BLUR_SIDE, out_size)
    num_channels = min(BLUR_CHANNELS, triton.next_power_of_2(channels))
    blocks = batch * (out_size // rows) * (out_size // columns)
    with torch.cuda.device_of(x):
        _blur_activate[blocks, triton.cdiv(channels, num_channels)](
            x, factor, bias, style, out, out_size, channels, factor.stride(0), style.stride(0), BLUR_GAIN,
            rows=rows, columns=columns, num_channels=num_channels)
    return out


def activate(x: Tensor, factor: Tensor, bias: Tensor, style: Tensor) -> Tensor:
    """As :func:`blur_activate`, without the blur: (B, C, s, s) to (B, C, s, s)."""
    x = x.contiguous(memory_format=torch.channels_last)
    batch, channels, height, width = x.shape
    out = torch.empty_like(x)
    with torch.cuda.device_of(x):
        _activate_only[batch, triton.cdiv(height * width, POSITIONS), triton.cdiv(channels, CHANNELS)](
            x, factor, bias, style, out, height * width, channels, factor.stride(0), style.stride(0),
            positions=POSITIONS, num_channels=CHANNELS)
    return out


def synthesize(x: Tensor, factor: Tensor, bias: Tensor, flow_style: Tensor, flow_weight: Tensor, flow_bias: Tensor,
               coarse_raw: Tensor | None, feature: Tensor, colors: Tensor, color_bias: Tensor, image_bias: Tensor,
               coarse_image: Tensor | None, paint_weight: Tensor | None, next_style: Tensor | None, *, end: float,
               align_corners: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    """Everything of a level after its convolution.

    Args:
        x (Tensor): Output of the convolution, shape (B, C, s, s).
        factor (Tensor): Its demodulation, float32, shape (B, C), contiguous along C as the styles are.
        bias (Tensor): Of its activation, shape (C,), float32 as everything that follows but the feature.
        flow_style (Tensor): Style of to-flow, shape (B, C).
        flow_weight (Tensor): Shape (3, C), scaled.
        flow_bias (Tensor): Shape (3,).
        coarse_raw (Tensor, optional): Flow-and-mask map of the previous level, shape (B, 3, s/2, s/2), contiguous.
        feature (Tensor): Of S sources, shape (S, C, s, s), channels last; S divides B.
        colors (Tensor): To-RGB of the feature, without bias and activation, shape (S, 3, s, s), contiguous.
        color_bias, image_bias (Tensor): Before and after the activation of to-RGB, shape (3,).
        coarse_image (Tensor, optional): Image of the previous level, shape (B, 3, s/2, s/2), contiguous.
        paint_weight (Tensor, optional): Of the layer that inpaints, shape (3, C), scaled; None without inpainting.
        next_style (Tensor, optional): Of the next level, shape (B, C); None at the last one.
        end (float): Largest coordinate of the identity grid.
        align_corners (bool): See :func:`~leokit.warp_operators.fused_warp.fused_warp`.

    Returns:
        tuple: Flow-and-mask map and image, float32, shape (B, 3, s, s); the trunk times the next style, shape
        (B, C, s, s), channels last, or None.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    (batch, channels, size, _), is_last, has_coarse = x.shape, next_style is None, coarse_raw is not None
    raw = torch.empty((batch, 3, size, size), device=x.device)
    image = torch.empty_like(raw)
    out = None if is_last else torch.empty_like(x)
    inpaints, next_style = paint_weight is not None, factor if is_last else next_style
    num_channels = min(CHANNELS, triton.next_power_of_2(channels))
    with torch.cuda.device_of(x):
        _synthesize[batch * (size * size // POSITIONS),](
            x, factor, bias, flow_style, flow_weight, flow_bias, coarse_raw if has_coarse else raw, feature, colors,
            color_bias, image_bias, coarse_image if has_coarse else image, paint_weight if inpaints else flow_weight,
            next_style, raw, image, x if is_last else out, batch // feature.shape[0], size, channels, end,
            2 * end / (size - 1), (size - 1 if align_corners else size) / 2, 0.0 if align_corners else 0.5,
            factor.stride(0), flow_style.stride(0), next_style.stride(0), has_coarse=has_coarse, inpaints=inpaints,
            is_last=is_last, positions=POSITIONS, num_channels=num_channels)
    return raw, image, out
