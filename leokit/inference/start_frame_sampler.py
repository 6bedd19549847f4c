"""Starting frames from their models, stage after stage (LEO, section 3.3; cascaded diffusion, arXiv 2106.15282)."""

from typing import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from leokit.models import StartFrameDiffusion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError, check_shape
from leokit.utils.modules import device_of

CHUNK_PIXELS = 128 * 64 * 64  # drawn at a time: 128 frames at side 64, 8 at side 256


class StartFramePainter:
    """Draws starting frames.

    A frame depends on its code and its seed only, not on the others that are drawn with it.

    Args:
        base (StartFrameDiffusion): The first stage; it is put into evaluation mode.
        super_resolution (StartFrameDiffusion, optional): The second stage; likewise. It gets what the first stage drew,
            brought to its ``low_size``.
        amp (bool): Draw under bfloat16 autocast.

    Attributes:
        size (int): Side S of the frames.

    Raises:
        UserError: If a stage is not what it is taken for, or they were trained on codes of different animators.
    """

    def __init__(self, base: StartFrameDiffusion, super_resolution: StartFrameDiffusion | None = None, *,
                 amp: bool = False) -> None:
        if base.low_size is not None:
            raise UserError(f'the first stage of the starting frame enlarges frames of side {base.low_size}; pass a '
                            'model that draws them from codes, such as configs/leo/start_frame_celebv.py')
        if super_resolution is not None:
            _check_second_stage(base, super_resolution)
            super_resolution.eval()
        self.base = base.eval()
        self.super_resolution = super_resolution
        self.amp = amp
        self.size = (super_resolution or base).size

    @torch.inference_mode()
    def draw(self, motion: Tensor, seeds: Sequence[int], *, size: int | None = None,
             guidance: float | None = None) -> Tensor:
        """Draw one frame for each code.

        Args:
            motion (Tensor): Raw codes, shape (B, N), on any device.
            seeds (Sequence[int]): One for each frame.
            size (int, optional): Side of the frames; the last stage's by default, another one is resized to.
            guidance (float, optional): Weight of the first stage's guidance, in place of its own.

        Returns:
            Tensor: Frames in [-1, 1], float32, shape (B, 3, S, S), where the model lives.

        Raises:
            UserError: If the codes are of another dimension, or there are not as many seeds.
        """
        check_shape('motion', motion, (None, None))
        if len(seeds) != len(motion):
            raise UserError(f'{len(seeds)} seeds were given for {len(motion)} starting frames; give one for each')
        motion = motion.to(device_of(self.base)).float()
        generators = generators_from_seeds(seeds)
        chunk = max(1, CHUNK_PIXELS // self.size**2)
        parts = [self._draw(codes, generators[first:first + chunk], guidance)
                 for first, codes in zip(range(0, len(motion), chunk), motion.split(chunk))]
        frames = torch.cat(parts) if parts else motion.new_empty(0, 3, self.size, self.size)
        return resize_frames(frames, size or self.size)

    def _draw(self, motion: Tensor, generators: list[Generator], guidance: float | None) -> Tensor:
        with torch.autocast(motion.device.type, torch.bfloat16, enabled=self.amp):
            frames = self.base.sample(motion, generator=generators, guidance=guidance)
            if self.super_resolution is None:
                return frames
            low = resize_frames(frames, self.super_resolution.low_size)
            return self.super_resolution.sample(motion, generator=generators, low=low)


def resize_frames(frames: Tensor, size: int) -> Tensor:
    """Bring frames from one model to the size of another, without aliasing.

    Args:
        frames (Tensor): Frames in [-1, 1], shape (B, 3, H, H).
        size (int): The new side S.

    Returns:
        Tensor: Shape (B, 3, S, S); not a copy if there was nothing to do.
    """
    if frames.shape[-1] == size or not len(frames):
        return frames if len(frames) else frames.new_empty(0, frames.shape[1], size, size)
    return F.interpolate(frames, (size, size), mode='bilinear', antialias=True, align_corners=False)


def _check_second_stage(base: StartFrameDiffusion, super_resolution: StartFrameDiffusion) -> None:
    if super_resolution.low_size is None:
        raise UserError('the second stage of the starting frame draws frames from codes alone; pass a model that '
                        'enlarges frames, such as configs/leo/start_frame_sr_celebv.py')
    if super_resolution.motion_dim != base.motion_dim:
        raise UserError(f'the first stage of the starting frame knows codes of {base.motion_dim} dimensions, the '
                        f'second of {super_resolution.motion_dim}; pass two that were trained on the same codes')
    if base.animator_weights_hash is not None:
        super_resolution.check_animator(base.animator_weights_hash)
