"""Conditional video generation (LEO, arXiv 2305.03989, sections 3.2 and 3.3): an image becomes a video's first frame.

The motion code of the image starts a sequence that the motion diffusion samples window by window; the long-video
strategy (:mod:`leokit.long_video`) joins the windows. The animator renders each window before the next one is sampled,
so a video can have any length.
"""

from typing import Any, Iterator, Sequence

import torch
from torch import Generator, Tensor

from leokit.encoders import Encoding
from leokit.inference.rendering import CHUNK_SIZE, check_precision, encode, render, repeat_encoding
from leokit.long_video import LongVideoStrategy
from leokit.models import Animator, MotionDiffusion
from leokit.samplers import Sampler, generators_from_seeds
from leokit.utils import UserError
from leokit.utils.same_animator import check_same_animator
from leokit.utils.seeds import sample_seeds
from leokit.video import ImageInput, VideoInput, read_images, read_last_frame


class VideoGenerator:
    """Generates videos that start with given images.

    Args:
        animator (Animator): A trained animator.
        motion_diffusion (MotionDiffusion): A motion diffusion trained on that animator's codes.
        amp (bool): Encode and render under bfloat16 autocast. Motion is sampled in float32.
    """

    def __init__(self, animator: Animator, motion_diffusion: MotionDiffusion, *, amp: bool = False) -> None:
        check_same_animator(animator.code_origin, motion_diffusion.code_origin)
        self.animator = animator.eval()
        self.motion_diffusion = motion_diffusion.eval()
        self.amp = amp

    @property
    def fps(self) -> float | None:
        """float | None: Frame rate of the generated videos, that of the codes of training; None if it is unknown."""
        return self.motion_diffusion.fps

    def generate(self, images: ImageInput | Sequence[ImageInput], num_frames: int, *, num_sequences: int = 1,
                 seed: int = 0, first_sample: int = 0, chunk_size: int = CHUNK_SIZE,
                 sampler: Sampler | None = None) -> Iterator[Tensor]:
        """Generate videos from first frames.

        The sequences of the first image come first in the batch. Row k is sample number ``first_sample + k``: it
        depends on its image, the seed and that number only, so a job can be split into batches at will.

        Args:
            images (ImageInput | Sequence[ImageInput]): First frames: paths, PIL images, arrays or tensors.
            num_frames (int): Frames of each video including the first; any number.
            num_sequences (int): Videos for each image.
            seed (int): Seed of the job.
            first_sample (int): Number of the first row.
            chunk_size (int): Frames per forward pass of the animator, counted over the batch.
            sampler (Sampler, optional): In place of the motion diffusion's own.

        Returns:
            Iterator[Tensor]: Consecutive frames in [-1, 1], shape (B, t, 3, H, W), B = images * num_sequences. Wrong
            arguments are refused here, before the first frame is requested.
        """
        for name, number in (('num_frames', num_frames), ('num_sequences', num_sequences)):
            if number < 1:
                raise UserError(f'{name} must be 1 or more, got {number}')
        check_precision(self.motion_diffusion)
        images = read_images(images, self.animator.size, crop=self.animator.crop)
        encoding = encode(self.animator, images, amp=self.amp)
        batch = len(encoding.motion) * num_sequences
        seeds = sample_seeds(seed, range(first_sample, first_sample + batch))
        start = encoding.motion.repeat_interleave(num_sequences, dim=0)
        motion = self.sample_motion(start, num_frames, generators_from_seeds(seeds), sampler=sampler)
        return self.render(repeat_encoding(encoding, num_sequences), motion, chunk_size=chunk_size)

    def continue_video(self, video: VideoInput, num_frames: int, **options: Any) -> Iterator[Tensor]:
        """Generate ``num_frames`` frames that follow the last frame of a video.

        Options and result as in :meth:`generate`.
        """
        image = read_last_frame(video, self.animator.size, crop=self.animator.crop)
        return self.extend_from_images(image, num_frames, **options)

    def extend_from_images(self, images: ImageInput | Sequence[ImageInput], num_frames: int,
                           **options: Any) -> Iterator[Tensor]:
        """Generate ``num_frames`` frames that follow given images, without the images themselves.

        Options and result as in :meth:`generate`.
        """
        if num_frames < 1:
            raise UserError(f'num_frames must be 1 or more, got {num_frames}')
        return _without_first(self.generate(images, num_frames + 1, **options))

    @torch.inference_mode()
    def sample_motion(self, start: Tensor, num_frames: int, generators: Sequence[Generator], *,
                      sampler: Sampler | None = None,
                      long_video: LongVideoStrategy | None = None) -> Iterator[Tensor]:
        """Sample motion codes, window by window; see :meth:`MotionDiffusion.extend`.

        Args:
            start (Tensor): First codes, shape (B, N).
            num_frames (int): Codes of each sequence, the first included.
            generators (Sequence[Generator]): One source of noise for each row.
            sampler (Sampler, optional): In place of the motion diffusion's own.
            long_video (LongVideoStrategy, optional): In place of the motion diffusion's own.

        Yields:
            Tensor: Consecutive codes, shape (B, t, N); together (B, num_frames, N).
        """
        yield from self.motion_diffusion.extend(start.float(), num_frames, generator=generators, sampler=sampler,
                                                long_video=long_video)

    def render(self, encoding: Encoding, motion: Iterator[Tensor], *, chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """Render motion relative to its first code, so that every video starts with its image.

        Under the linear motion condition the first code is the image's own, and relative and absolute transfer agree;
        without a condition the first code is free.

        Args:
            encoding (Encoding): The sources, B or one.
            motion (Iterator[Tensor]): Consecutive codes, shape (B, t, N).
            chunk_size (int): Frames per forward pass.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W).
        """
        start = None
        for codes in motion:
            start = codes[:, 0] if start is None else start
            yield from render(self.animator, encoding, codes, start=start, chunk_size=chunk_size, amp=self.amp)


def _without_first(chunks: Iterator[Tensor]) -> Iterator[Tensor]:
    """Chunks (B, t, 3, H, W) without the first frame, which is the given one."""
    known = 1
    for chunk in chunks:
        if chunk.shape[1] > known:
            yield chunk[:, known:]
        known = max(0, known - chunk.shape[1])
