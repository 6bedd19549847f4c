"""Triton kernel of FIR filtering with zero insertion and decimation, for channels-last maps.

Element (b, c, y, x) lies at ``((b * H + y) * W + x) * C + c``. A program computes a square of positions for some
channels, so that neighboring positions find their taps in the cache.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

SIDE, CHANNELS = 8, 32  # of one program


@triton.jit
def _filter(x, out, height, width, out_height, out_width, channels, pad, gain, up: tl.constexpr, down: tl.constexpr,
            side: tl.constexpr, num_channels: tl.constexpr):
    tiles_x, tiles_y = tl.cdiv(out_width, side), tl.cdiv(out_height, side)
    tile = tl.program_id(0)
    image = tile // (tiles_x * tiles_y)
    within = tl.arange(0, side * side)
    row = tile // tiles_x % tiles_y * side + within // side
    column = tile % tiles_x * side + within % side
    channel = tl.program_id(1) * num_channels + tl.arange(0, num_channels)
    is_channel = channel < channels
    total = tl.zeros((side * side, num_channels), tl.float32)
    for i in tl.static_range(4):
        y = row * down + i - pad
        for j in tl.static_range(4):
            x_position = column * down + j - pad
            inside = (y >= 0) & (y % up == 0) & (y // up < height) & (x_position >= 0) & (x_position % up == 0) & (
                x_position // up < width)
            start = ((image * height + y // up) * width + x_position // up).to(tl.int64) * channels
            values = tl.load(x + start[:, None] + channel[None, :], mask=inside[:, None] & is_channel[None, :],
                             other=0.0).to(tl.float32)
            total += values * ((1 + i * (3 - i)) * (1 + j * (3 - j)))  # 1, 3, 3, 1
    start = ((image * out_height + row) * out_width + column).to(tl.int64) * channels
    exists = (row < out_height) & (column < out_width)
    tl.store(out + start[:, None] + channel[None, :], (total * gain).to(out.dtype.element_ty),
             mask=exists[:, None] & is_channel[None, :])


def fir_filter(x: Tensor, out_size: tuple[int, int], *, up: int, down: int, pad: int, gain: float) -> Tensor:
    """Zero insertion, filtering with the outer product of [1, 3, 3, 1] with itself times ``gain``, decimation.

    Args:
        x (Tensor): Shape (B, C, H, W), channels last.
        out_size (tuple[int, int]): Height and width of the result; what it needs beyond the input is zero.
        up (int): Factor of the zero insertion.
        down (int): Every ``down``-th sample is kept.
        pad (int): Zeros above and to the left of the enlarged input; may be negative.
        gain (float): Factor.
    """
    batch, channels, height, width = x.shape
    out = torch.empty((batch, channels, *out_size), dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    tiles = batch * triton.cdiv(out_size[0], SIDE) * triton.cdiv(out_size[1], SIDE)
    with torch.cuda.device_of(x):
        _filter[tiles, triton.cdiv(channels, CHANNELS)](
            x, out, height, width, *out_size, channels, pad, gain, up=up, down=down, side=SIDE, num_channels=CHANNELS)
    return out
