"""Clips as network input: resized on the device, in float32."""

import numpy as np
import torch
from einops import pack, rearrange, unpack
from torch import Tensor
from torch.nn import functional

from leokit.evaluation.protocol import FrameRule, Protocol
from leokit.utils import UserError, check_shape
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video.resize import center_square

# FrameRule.resize -> arguments of torch's interpolation; pixel centers are at half-integers in all of them.
INTERPOLATIONS = dict(
    bilinear=dict(mode='bilinear'),
    bilinear_antialias=dict(mode='bilinear', antialias=True),
    bicubic_antialias=dict(mode='bicubic', antialias=True),
    area=dict(mode='area'),
    nearest=dict(mode='nearest-exact'))


def resize_frames(frames: Tensor, rule: FrameRule) -> Tensor:
    """Resize frames to the resolution of the rule.

    Args:
        frames (Tensor): uint8, shape (..., H, W, 3).
        rule (FrameRule): Resolution and filter.

    Returns:
        Tensor: float32, shape (..., 3, R, R), or (..., 3, H, W) if the rule has no resolution. Values are clamped to
        [-1, 1], since a cubic filter overshoots.
    """
    pixels = from_uint8(rearrange(frames, '... h w c -> ... c h w').contiguous())
    if rule.resolution is None or pixels.shape[-2:] == (rule.resolution, rule.resolution):
        return pixels
    flat, leading = pack([pixels], '* c h w')  # interpolation takes one batch dimension
    resized = functional.interpolate(flat, size=(rule.resolution, rule.resolution), **INTERPOLATIONS[rule.resize])
    return unpack(resized.clamp(-1, 1), leading, '* c h w')[0]


def prepare_clips(clips: list[np.ndarray], rule: FrameRule, device: torch.device) -> Tensor:
    """Upload decoded clips and resize them on the device.

    Args:
        clips (list[np.ndarray]): Cropped uint8 clips, shape (T, h, w, 3) each; sizes may differ.
        rule (FrameRule): Resolution and filter.
        device (torch.device): Device of the network.

    Returns:
        Tensor: float32 in [-1, 1], shape (B, T, 3, R, R).
    """
    shapes = sorted({clip.shape for clip in clips})
    if rule.resolution is None and len(shapes) > 1:
        raise ValueError(f'clips of different sizes {shapes} need a resolution')
    parts, order = [], []
    for shape in shapes:  # clips of one size are resized together
        indices = [index for index, clip in enumerate(clips) if clip.shape == shape]
        stacked = torch.from_numpy(np.stack([clips[index] for index in indices]))
        if device.type == 'cuda':
            stacked = stacked.pin_memory()
        parts.append(resize_frames(stacked.to(device, non_blocking=True), rule))
        order += indices
    prepared = torch.cat(parts)
    return prepared if len(parts) == 1 else prepared[torch.tensor(order).argsort().to(device)]


def prepare_generated(videos: Tensor, protocol: Protocol) -> Tensor:
    """Prepare generated videos in memory as if they had been written to files without loss.

    Args:
        videos (Tensor): Shape (B, T, 3, H, W) in [-1, 1]; clips start at the first frame.
        protocol (Protocol): Defines the frames of a clip and their size; its frame rate is ignored.

    Returns:
        Tensor: float32 in [-1, 1], shape (B, length, 3, R, R), on the device of the videos.
    """
    check_shape('videos', videos, (None, None, 3, None, None))
    rule = protocol.clips
    if videos.shape[1] < rule.span:
        raise UserError(f'the generated videos have {videos.shape[1]} frames and the protocol {protocol.name} needs '
                        f'{rule.span}; generate longer ones or lower clips.length or clips.stride')
    frames = rearrange(to_uint8(videos[:, :rule.span:rule.stride]), 'b t c h w -> b t h w c')
    return resize_frames(center_square(frames) if protocol.frames.aspect == 'center_crop' else frames, protocol.frames)
