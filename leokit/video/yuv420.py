"""Between RGB frames and the 4:2:0 frames that H.264 stores, on any device."""

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

# weights of red and blue in luma, ITU-R BT.601 and BT.709
LUMA_WEIGHTS = {'bt601': (0.299, 0.114), 'bt709': (0.2126, 0.0722)}
LUMA_RANGE, CHROMA_RANGE = 219.0, 224.0  # limited range: 16 to 235, and 16 to 240 around 128
# of chroma samples: in the middle of their four pixels, or halfway between the two on the left
CHROMA_LOCATIONS = ('center', 'left')
# Chroma of two rows from eight, 1.75 to 0.25 rows of chroma away: FFmpeg's bicubic filter (B = 0, C = 0.6).
ROW_TAPS = (-0.0140625, -0.0421875, 0.1203125, 0.4359375, 0.4359375, 0.1203125, -0.0421875, -0.0140625)


class Yuv420Frames(NamedTuple):
    """Frames as a video stores them.

    Attributes:
        planes (Tensor): uint8, shape (..., H * 3 / 2, W): the rows of Y, then those of U and V, two of them in a row.
        color_matrix (str): ``'bt601'`` or ``'bt709'``.
        full_range (bool): Luma goes from 0 to 255 instead of 16 to 235.
        chroma_location (str): One of ``CHROMA_LOCATIONS``.
    """

    planes: Tensor
    color_matrix: str
    full_range: bool
    chroma_location: str = 'center'


def can_be_yuv420(height: int, width: int) -> bool:
    """True for frames of which four pixels share their chroma and whose U and V fill whole rows of an array.

    PyAV leaves out the last two rows of arrays of other heights.
    """
    return height % 4 == 0 and width % 2 == 0


def rgb_to_yuv420(frames: Tensor, color_matrix: str = 'bt601') -> Tensor:
    """Convert RGB bytes to planar YUV 4:2:0 of limited range.

    Chroma samples lie in the middle of their four pixels: the mean of two columns, and eight rows filtered as FFmpeg's
    bicubic conversion does, from which the bytes differ by 1 at most.

    Args:
        frames (Tensor): uint8, shape (..., 3, H, W), H a multiple of four, W even.
        color_matrix (str): ``'bt601'`` or ``'bt709'``.

    Returns:
        Tensor: uint8, shape (..., H * 3 / 2, W): the rows of Y, then those of U and V, two of them in a row.
    """
    *batch, _, height, width = frames.shape
    if not can_be_yuv420(height, width):
        raise ValueError(f'the height must be a multiple of four and the width even, got {height}x{width}')
    red, green, blue = frames.reshape(-1, 3, height, width).float().unbind(1)
    red_weight, blue_weight = LUMA_WEIGHTS[color_matrix]
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    # (n, 2, H, W / 2), each from -127.5 to 127.5
    chroma = torch.stack([(blue - luma) / (2 * (1 - blue_weight)), (red - luma) / (2 * (1 - red_weight))], dim=1)
    chroma = rearrange(chroma, 'n c h (w two) -> n c h w two', two=2).mean(-1)
    with torch.autocast(frames.device.type, enabled=False):
        chroma = _row_filter(height, frames.device) @ chroma
    planes = [(luma * (LUMA_RANGE / 255) + 16).flatten(1), (chroma * (CHROMA_RANGE / 255) + 128).flatten(1)]
    # the filter overshoots at edges of saturated colors
    return torch.cat(planes, 1).round().clamp(0, 255).to(torch.uint8).reshape(*batch, height * 3 // 2, width)


def yuv420_to_rgb(frames: Yuv420Frames) -> Tensor:
    """Convert planar YUV 4:2:0 to RGB bytes.

    Chroma is interpolated linearly, as FFmpeg does with ``bilinear+accurate_rnd+full_chroma_int``, from which the bytes
    differ by 1 at most.

    Args:
        frames (Yuv420Frames): The frames.

    Returns:
        Tensor: uint8, shape (..., 3, H, W).
    """
    *batch, rows, width = frames.planes.shape
    height = rows * 2 // 3
    luma, chroma = frames.planes.reshape(-1, rows, width).float().split([height, rows - height], dim=1)
    chroma = chroma.reshape(-1, 2, height // 2, width // 2) - 128
    if frames.chroma_location == 'left':
        chroma = F.interpolate(chroma, scale_factor=(2, 1), mode='bilinear', align_corners=False)
        following = F.pad(chroma, (0, 1, 0, 0), mode='replicate')[..., 1:]
        chroma = torch.stack([chroma, (chroma + following) / 2], dim=-1).flatten(-2)
    else:
        chroma = F.interpolate(chroma, scale_factor=2, mode='bilinear', align_corners=False)
    if not frames.full_range:
        luma, chroma = (luma - 16) * (255 / LUMA_RANGE), chroma * (255 / CHROMA_RANGE)
    blue_difference, red_difference = chroma.unbind(1)
    red_weight, blue_weight = LUMA_WEIGHTS[frames.color_matrix]
    red = luma + 2 * (1 - red_weight) * red_difference
    blue = luma + 2 * (1 - blue_weight) * blue_difference
    green = (luma - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    rgb = torch.stack([red, green, blue], dim=1).round().clamp(0, 255).to(torch.uint8)
    return rgb.reshape(*batch, 3, height, width)


@lru_cache(maxsize=8)
def _row_filter(height: int, device: torch.device) -> Tensor:
    """(H / 2, H): the rows of chroma from those of the frame; the first and the last row are repeated outside it."""
    taps = torch.tensor(ROW_TAPS).reshape(1, 1, -1)
    rows = F.pad(torch.eye(height)[:, None], (3, 3), mode='replicate')  # (H, 1, H + 6), an impulse in each row
    return F.conv1d(rows, taps, stride=2)[:, 0].T.contiguous().to(device)
