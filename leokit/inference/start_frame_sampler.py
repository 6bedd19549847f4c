"""Sampling of starting frames, stage after stage (LEO, section 3.3; cascaded diffusion, arXiv 2106.15282)."""

from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from leokit.models import Animator, StartFrameDiffusion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError, check_shape
from leokit.utils.modules import device_of
from leokit.utils.same_animator import check_same_animator

CHUNK_PIXELS = 128 * 64 * 64  # sampled at a time: 128 frames of 64 x 64 pixels, 8 of 256 x 256


class StartFrameSampler:
    """Samples starting frames from motion codes.

    A frame depends on its code and its seed only, not on the rest of the batch.

    Args:
        base (StartFrameDiffusion): The first stage.
        super_resolution (StartFrameDiffusion, optional): The second stage. Its input is the output of the first stage,
            resized to its ``low_size``.
        amp (bool): Sample under bfloat16 autocast.

    Attributes:
        size (int): Resolution S of the frames.
    """

    def __init__(self, base: StartFrameDiffusion, super_resolution: StartFrameDiffusion | None = None, *,
                 amp: bool = False) -> None:
        if base.low_size is not None:
            raise UserError(f'the first stage of the starting frame upsamples frames of {base.low_size} pixels; pass a '
                            'model that samples frames from codes, such as configs/leo/start_frame_celebv.py')
        if super_resolution is not None and super_resolution.low_size is None:
            raise UserError('the second stage of the starting frame samples from codes alone; pass a super-resolution '
                            'model, such as configs/leo/start_frame_sr_celebv.py')
        self.base = base.eval()
        self.super_resolution = super_resolution and super_resolution.eval()
        self.amp = amp
        self.size = (super_resolution or base).size
        check_same_animator(*(stage.code_origin for stage in self.stages))

    @property
    def stages(self) -> tuple[StartFrameDiffusion, ...]:
        """The models, in their order."""
        return (self.base,) if self.super_resolution is None else (self.base, self.super_resolution)

    def check_size(self, animator: Animator) -> None:
        """Raise if the frames are smaller than those of an animator."""
        if self.size < animator.size:
            raise UserError(f'{self.stages[-1].code_origin.name} samples frames of {self.size} pixels and '
                            f'{animator.code_origin.name} takes {animator.size}; pass a starting-frame model of that '
                            'size, or a super-resolution model (start_frame_sr)')

    @torch.inference_mode()
    def sample(self, motion: Tensor, seeds: Sequence[int], *, size: int | None = None,
               guidance_scale: float | None = None) -> Tensor:
        """Sample one frame for each code.

        Args:
            motion (Tensor): Raw codes, shape (B, N), on any device.
            seeds (Sequence[int]): One for each frame.
            size (int, optional): Resolution to resize the frames to; that of the last stage by default.
            guidance_scale (float, optional): Guidance scale of the first stage, in place of its own.

        Returns:
            Tensor: Frames in [-1, 1], float32, shape (B, 3, S, S), on the model's device.
        """
        check_shape('motion', motion, (None, None))
        if len(seeds) != len(motion):
            raise UserError(f'{len(seeds)} seeds were given for {len(motion)} starting frames; give one for each')
        motion = motion.to(device_of(self.base)).float()
        generators = generators_from_seeds(seeds)
        chunk = max(1, CHUNK_PIXELS // self.size**2)
        parts = [self._sample(codes, generators[first:first + chunk], guidance_scale)
                 for first, codes in zip(range(0, len(motion), chunk), motion.split(chunk))]
        frames = torch.cat(parts) if parts else motion.new_empty(0, 3, self.size, self.size)
        return resize_frames(frames, size or self.size)

    def _sample(self, motion: Tensor, generators: list[Generator], guidance_scale: float | None) -> Tensor:
        with torch.autocast(motion.device.type, torch.bfloat16, enabled=self.amp):
            frames = self.base.sample(motion, generator=generators, guidance_scale=guidance_scale)
            if self.super_resolution is None:
                return frames
            low = resize_frames(frames, self.super_resolution.low_size)
            return self.super_resolution.sample(motion, generator=generators, low=low)


def resize_frames(frames: Tensor, size: int) -> Tensor:
    """Resize square frames (B, 3, H, H) in [-1, 1] to (B, 3, size, size) with antialiasing; no copy if they fit."""
    if frames.shape[-1] == size or not len(frames):
        return frames if len(frames) else frames.new_empty(0, frames.shape[1], size, size)
    return F.interpolate(frames, (size, size), mode='bilinear', antialias=True, align_corners=False)
