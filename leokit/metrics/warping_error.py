"""Warping error: temporal coherence of an edited video.

Every frame of the edited video is compared with the previous frame, warped by the optical flow of the *original* video,
where that flow is reliable (Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, section 4.2). Two
differences from the paper: the flow is OpenCV's DIS instead of a network, and the mask is forward-backward consistency
alone. Errors of two edits compare only for the same original and equal sharpness, since a blurred video changes less.
If the same video without the edit is known, :func:`layer_warping_error` measures the edit alone.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from leokit.utils import check_shape
from leokit.utils.pixels import to_uint8

CONSISTENCY = (0.01, 0.5)  # |forward + backward|² < a (|forward|² + |backward|²) + b (Sundaram et al., ECCV 2010)
GRAY_LEVELS = 127.5  # gray levels (0..255) per unit of pixels in [-1, 1]
MIN_SIZE = 12  # height and width that DIS flow needs


class VideoFlow(NamedTuple):
    """Backward optical flow: the position in the previous frame of every pixel.

    Attributes:
        flow (Tensor): Displacement in pixels, x first, shape (T - 1, 2, H, W).
        valid (Tensor): Mask of reliable flow, bool, shape (T - 1, 1, H, W).
    """

    flow: Tensor
    valid: Tensor


def video_flow(frames: Tensor) -> VideoFlow:
    """Optical flow from each frame of a video (T, 3, H, W) in [-1, 1], T >= 2, to the previous one; on the CPU."""
    check_shape('frames', frames, (None, 3, None, None))
    if len(frames) < 2 or min(frames.shape[-2:]) < MIN_SIZE:
        raise ValueError(f'flow needs two frames of at least {MIN_SIZE} pixels, got {tuple(frames.shape)}')
    solver = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    rgb = rearrange(to_uint8(frames), 't c h w -> t h w c').cpu().numpy()
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in rgb]

    def flow(sources: list[np.ndarray], targets: list[np.ndarray]) -> Tensor:
        maps = np.stack([solver.calc(source, target, None) for source, target in zip(sources, targets)])
        return rearrange(torch.from_numpy(maps), 't h w c -> t c h w')

    backward, forward = flow(gray[1:], gray[:-1]), flow(gray[:-1], gray[1:])
    returned = _warp(forward, backward)  # forward flow at the end of the backward flow; their sum should vanish
    length = backward.square().sum(1, keepdim=True) + returned.square().sum(1, keepdim=True)
    consistent = (backward + returned).square().sum(1, keepdim=True) < CONSISTENCY[0] * length + CONSISTENCY[1]
    inside = _warp(torch.ones_like(backward[:, :1]), backward) > 0.999
    return VideoFlow(backward, consistent & inside)


def warping_error(frames: Tensor, original: VideoFlow) -> float:
    """Change of an edited video that the motion of the original does not explain.

    Args:
        frames (Tensor): The edited video, shape (T, 3, H, W) in [-1, 1].
        original (VideoFlow): Flow of the original.

    Returns:
        float: Root mean squared difference in gray levels (0..255); NaN if the flow is reliable nowhere.
    """
    pairs, _, height, width = original.flow.shape
    check_shape('frames', frames, (pairs + 1, 3, height, width))
    frames = frames.cpu().float()
    difference = (frames[1:] - _warp(frames[:-1], original.flow)).square().mean(1, keepdim=True)
    return float((difference[original.valid].double().mean()).sqrt() * GRAY_LEVELS)


def layer_warping_error(layer: Tensor, original: VideoFlow) -> float:
    """Share of an edit that does not move with the video.

    Args:
        layer (Tensor): The edited video minus the same video without the edit, shape (T, 3, H, W).
        original (VideoFlow): Flow of the original.

    Returns:
        float: Warping error of the layer over its root mean square: 0 for an edit that moves with the video, √2 for
        one that is independent in every frame; NaN without an edit.
    """
    error = warping_error(layer, original)
    power = layer[1:].cpu().float().square().mean(1, keepdim=True)[original.valid].double().mean()
    return error / (float(power.sqrt()) * GRAY_LEVELS) if power > 0 else float('nan')


def _warp(maps: Tensor, flow: Tensor) -> Tensor:
    """Sample maps (B, C, H, W) where the flow (B, 2, H, W) in pixels points; zero outside."""
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    positions = torch.stack((x, y)).to(flow) + flow  # (B, 2, H, W)
    scale = torch.tensor((width, height)).to(flow)[:, None, None]
    grid = rearrange((2 * positions + 1) / scale - 1, 'b c h w -> b h w c')
    return F.grid_sample(maps, grid, mode='bilinear', padding_mode='zeros', align_corners=False)
