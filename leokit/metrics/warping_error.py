"""Temporal coherence of an edited video: does the edit move with what it lies on?

The warping error of Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018, section 4.2): every frame of
the edited video is compared with the frame before it, carried along by the optical flow of the *original* video,
wherever that flow is certain. Deviation: flow is OpenCV's DIS instead of a network, and the mask is forward-backward
consistency alone. Errors of two edits are comparable only on the same original, and only if both are equally sharp: a
blurred video changes less. Where the same video without the edit is known, the error of the difference, as a share of
its strength, tells of the edit alone.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from leokit.utils import check_shape
from leokit.utils.pixels import to_uint8

CONSISTENCY = (0.01, 0.5)  # |forward + backward|² < a (|forward|² + |backward|²) + b (Sundaram et al., ECCV 2010)
GRAY_LEVELS = 127.5  # of a difference of 1 in pixels of [-1, 1]
SMALLEST_SIDE = 12  # of frames that DIS flow can be computed on


class VideoFlow(NamedTuple):
    """Where the pixels of each frame were in the frame before.

    Attributes:
        flow (Tensor): In pixels, x first, shape (T - 1, 2, H, W).
        valid (Tensor): Where the flow is certain, bool, shape (T - 1, 1, H, W).
    """

    flow: Tensor
    valid: Tensor


def video_flow(frames: Tensor) -> VideoFlow:
    """Optical flow from each frame to the one before it.

    Args:
        frames (Tensor): Shape (T, 3, H, W) in [-1, 1], T >= 2.

    Returns:
        VideoFlow: On the CPU.

    Raises:
        ValueError: If there are fewer than two frames or they are too small.
    """
    check_shape('frames', frames, (None, 3, None, None))
    if len(frames) < 2 or min(frames.shape[-2:]) < SMALLEST_SIDE:
        raise ValueError(f'flow needs two frames of at least {SMALLEST_SIDE} pixels, got {tuple(frames.shape)}')
    solver = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in to_uint8(frames).permute(0, 2, 3, 1).cpu().numpy()]
    backward, forward = (
        torch.from_numpy(np.stack([solver.calc(one, other, None) for one, other in pairs])).permute(0, 3, 1, 2)
        for pairs in (list(zip(gray[1:], gray[:-1])), list(zip(gray[:-1], gray[1:]))))
    returned = _carry(forward, backward)
    length = backward.square().sum(1, keepdim=True) + returned.square().sum(1, keepdim=True)
    certain = (backward + returned).square().sum(1, keepdim=True) < CONSISTENCY[0] * length + CONSISTENCY[1]
    inside = _carry(torch.ones_like(backward[:, :1]), backward) > 0.999
    return VideoFlow(backward, certain & inside)


def warping_error(frames: Tensor, original: VideoFlow) -> float:
    """How much an edited video changes beyond what the original's motion explains.

    Args:
        frames (Tensor): The edited video, shape (T, 3, H, W) in [-1, 1].
        original (VideoFlow): Flow of the original.

    Returns:
        float: Root mean squared difference in gray levels of 0..255; NaN if the flow is certain nowhere.

    Raises:
        ValueError: If the video has another shape than the original.
    """
    pairs, _, height, width = original.flow.shape
    check_shape('frames', frames, (pairs + 1, 3, height, width))
    frames = frames.cpu().float()
    difference = (frames[1:] - _carry(frames[:-1], original.flow)).square().mean(1, keepdim=True)
    return float((difference[original.valid].double().mean()).sqrt() * GRAY_LEVELS)


def layer_warping_error(layer: Tensor, original: VideoFlow) -> float:
    """How much of an edit does not move with what it lies on.

    Args:
        layer (Tensor): The edited video minus the same video without the edit, shape (T, 3, H, W).
        original (VideoFlow): Flow of the original.

    Returns:
        float: Warping error of the layer over its root mean square: 0 for an edit that moves with the video, √2 for
        one without any relation from frame to frame; NaN without an edit.

    Raises:
        ValueError: If the video has another shape than the original.
    """
    error = warping_error(layer, original)
    power = layer[1:].cpu().float().square().mean(1, keepdim=True)[original.valid].double().mean()
    return error / (float(power.sqrt()) * GRAY_LEVELS) if power > 0 else float('nan')


def _carry(maps: Tensor, flow: Tensor) -> Tensor:
    """Look maps (B, C, H, W) up where the flow (B, 2, H, W) in pixels points; zero outside."""
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    places = torch.stack((x, y)).to(flow) + flow  # (B, 2, H, W)
    scale = torch.tensor((width, height)).to(flow)[:, None, None]
    grid = ((2 * places + 1) / scale - 1).permute(0, 2, 3, 1)
    return F.grid_sample(maps, grid, mode='bilinear', padding_mode='zeros', align_corners=False)
