"""Decoded frames to network input: crop in the decoding thread, resize on the device."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from leokit.evaluation.protocol import FrameRule
from leokit.utils.pixels import from_uint8

# rule.resize -> arguments of torch's interpolation; half-pixel centres throughout.
INTERPOLATIONS = dict(
    bilinear=dict(mode='bilinear', align_corners=False),
    bilinear_antialias=dict(mode='bilinear', align_corners=False, antialias=True),
    bicubic_antialias=dict(mode='bicubic', align_corners=False, antialias=True),
    area=dict(mode='area'),
    nearest=dict(mode='nearest-exact'))


def crop_frames(frames: np.ndarray, aspect: str) -> np.ndarray:
    """Cut frames as the rule's aspect says.

    Args:
        frames (np.ndarray): uint8, shape (T, H, W, 3).
        aspect (str): 'centre_crop' cuts the largest central square; anything else leaves the frames whole.

    Returns:
        np.ndarray: uint8, shape (T, h, w, 3), contiguous.
    """
    if aspect == 'centre_crop':
        height, width = frames.shape[1:3]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        frames = frames[:, top:top + side, left:left + side]
    return np.ascontiguousarray(frames)


def resize_frames(frames: Tensor, rule: FrameRule) -> Tensor:
    """Bring frames to the rule's size, in float32.

    Args:
        frames (Tensor): uint8 frames, shape (..., H, W, 3).
        rule (FrameRule): Resolution and filter.

    Returns:
        Tensor: Float32 in [-1, 1], shape (..., 3, R, R); (..., 3, H, W) when the rule has no resolution. Values are
        clamped, since a cubic filter overshoots.
    """
    pixels = from_uint8(frames.movedim(-1, -3).contiguous())
    side = rule.resolution
    if side is None or pixels.shape[-2:] == (side, side):
        return pixels
    flat = functional.interpolate(pixels.flatten(0, -4), size=(side, side), **INTERPOLATIONS[rule.resize])
    return flat.clamp(-1, 1).unflatten(0, pixels.shape[:-3])


def prepare_clips(clips: list[np.ndarray], rule: FrameRule, device: torch.device) -> Tensor:
    """Upload decoded clips and resize them on the device; clips of one size go together.

    Args:
        clips (list[np.ndarray]): Cropped uint8 clips, each of shape (T, h, w, 3).
        rule (FrameRule): Resolution and filter.
        device (torch.device): Where the network runs.

    Returns:
        Tensor: Float32 in [-1, 1], shape (B, T, 3, R, R).

    Raises:
        ValueError: If the rule has no resolution and the clips differ in size.
    """
    shapes = sorted({clip.shape for clip in clips})
    if rule.resolution is None and len(shapes) > 1:
        raise ValueError(f'clips of different sizes {shapes} need a resolution')
    parts, order = [], []
    for shape in shapes:
        places = [place for place, clip in enumerate(clips) if clip.shape == shape]
        stacked = torch.from_numpy(np.stack([clips[place] for place in places]))
        if device.type == 'cuda':
            stacked = stacked.pin_memory()
        parts.append(resize_frames(stacked.to(device, non_blocking=True), rule))
        order += places
    prepared = torch.cat(parts)
    return prepared if len(parts) == 1 else prepared[torch.tensor(order).argsort().to(device)]
