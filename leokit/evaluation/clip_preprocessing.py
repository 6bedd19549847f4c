"""Decoded frames to network input: crop in the decoding thread, resize on the device."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from leokit.evaluation.protocol import FrameRule, Protocol
from leokit.utils import UserError, check_shape
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video.resize import center_square

# rule.resize -> arguments of torch's interpolation; half-pixel centers throughout.
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
        aspect (str): 'center_crop' cuts the largest central square; anything else leaves the frames whole.

    Returns:
        np.ndarray: uint8, shape (T, h, w, 3), contiguous.
    """
    if aspect == 'center_crop':
        frames = center_square(frames)
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


def prepare_generated(videos: Tensor, protocol: Protocol) -> Tensor:
    """Treat generated videos in memory as a file of them would be: round to bytes, cut, resize.

    Args:
        videos (Tensor): Shape (B, T, 3, H, W) in [-1, 1].
        protocol (Protocol): Which frames make a clip (from the start, at the video's own rate), and their size.

    Returns:
        Tensor: Float32 in [-1, 1], shape (B, length, 3, R, R), on the device of the videos.

    Raises:
        UserError: If the videos are shorter than a clip.
        ValueError: If they hold NaN.
    """
    check_shape('videos', videos, (None, None, 3, None, None))
    rule = protocol.clips
    if videos.shape[1] < rule.span:
        raise UserError(f'the generated videos have {videos.shape[1]} frames and the protocol {protocol.name} needs '
                        f'{rule.span}; generate longer ones or lower clips.length or clips.stride')
    frames = to_uint8(videos[:, :rule.span:rule.stride]).movedim(2, -1)
    if protocol.frames.aspect == 'center_crop':
        frames = center_square(frames)
    return resize_frames(frames, protocol.frames)
