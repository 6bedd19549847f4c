"""Conditional video generation (LEO, arXiv 2305.03989, sections 3.2 and 3.3): an image becomes a video's first frame.

The motion code of the image starts a sequence that the motion diffusion samples window by window; the long-video
strategy (:mod:`leokit.long_video`) joins the windows. The animator renders each window before the next one is sampled,
so a video can have any length.
"""

from typing import Any, Iterator, Mapping, Sequence

import torch
from torch import Generator, Tensor

from leokit.encoders import Encoding
from leokit.inference.chunk_runner import chunk_runner
from leokit.inference.rendering import CHUNK_SIZE, check_precision, encode, render, repeat_encoding
from leokit.long_video import LongVideoStrategy
from leokit.models import Animator, KnownCodes, MotionDiffusion
from leokit.motion_spaces import relative_motion
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
        fixed_chunks (bool, optional): Render chunks of one size as CUDA graphs (:mod:`leokit.inference.chunk_runner`).
            Default: on a GPU, for at least 8 chunks of frames, counted over the batch.
    """

    def __init__(self, animator: Animator, motion_diffusion: MotionDiffusion, *, amp: bool = False,
                 fixed_chunks: bool | None = None) -> None:
        check_same_animator(animator.code_origin, motion_diffusion.code_origin)
        self.animator = animator.eval()
        self.motion_diffusion = motion_diffusion.eval()
        self.amp = amp
        self.fixed_chunks = fixed_chunks

    @property
    def fps(self) -> float | None:
        """float | None: Frame rate of the generated videos, that of the codes of training; None if it is unknown."""
        return self.motion_diffusion.fps

    def generate(self, images: ImageInput | Sequence[ImageInput], num_frames: int, *, num_sequences: int = 1,
                 seed: int = 0, first_sample: int = 0, chunk_size: int = CHUNK_SIZE,
                 sampler: Sampler | None = None, key_images: Mapping[int, ImageInput] | None = None,
                 control: Tensor | None = None,
                 guidance_scales: Mapping[str, float] | None = None) -> Iterator[Tensor]:
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
            key_images (Mapping, optional): By frame number, from 1, images whose pose and expression all videos have in
                that frame, with the identity of the first frame.
            control (Tensor, optional): Control of each frame, shape (num_frames, C) for all videos or (B, num_frames,
                C), for a motion diffusion with a control encoder.
            guidance_scales (Mapping, optional): Of ``start`` and ``control``; the motion diffusion's by default.

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
        known = self._key_codes(start, num_frames, key_images) if key_images else None
        if control is not None:
            control = torch.as_tensor(control, device=start.device)
            control = control.expand(batch, -1, -1) if control.ndim == 2 else control
        motion = self.sample_motion(start, num_frames, generators_from_seeds(seeds), sampler=sampler, known=known,
                                    control=control, guidance_scales=guidance_scales)
        return self.render(repeat_encoding(encoding, num_sequences), motion, num_frames, chunk_size=chunk_size)

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
        if options.get('key_images'):
            check_key_frames(options['key_images'], 0, num_frames - 1)
            options['key_images'] = {frame + 1: image for frame, image in options['key_images'].items()}
        if options.get('control') is not None:  # the image has that of the frame after it
            control = torch.as_tensor(options['control'])
            self.motion_diffusion.conditioning.check_control(control[(None,) * (3 - control.ndim)], num_frames)
            options['control'] = torch.cat([control[..., :1, :], control], dim=-2)
        return _without_first(self.generate(images, num_frames + 1, **options))

    def _key_codes(self, start: Tensor, num_frames: int, key_images: Mapping[int, ImageInput]) -> KnownCodes:
        """The codes of key images in a video from start codes (B, N), the start included."""
        check_key_frames(key_images, 1, num_frames - 1)
        images = read_images(list(key_images.values()), self.animator.size, crop=self.animator.crop)
        codes = start.new_zeros(len(start), num_frames, start.shape[1], dtype=torch.float32)
        codes[:, list(key_images)] = encode(self.animator, images, amp=self.amp).motion.float()
        codes[:, 0] = start
        mask = torch.zeros(num_frames, dtype=torch.bool, device=start.device)
        mask[[0, *key_images]] = True
        return KnownCodes(codes, mask)

    def sample_motion(self, start: Tensor, num_frames: int, generators: Sequence[Generator], *,
                      sampler: Sampler | None = None, long_video: LongVideoStrategy | None = None,
                      **options: Any) -> Iterator[Tensor]:
        """Sample motion codes, window by window; see :meth:`MotionDiffusion.extend`.

        Args:
            start (Tensor): First codes, shape (B, N).
            num_frames (int): Codes of each sequence, the first included.
            generators (Sequence[Generator]): One source of noise for each row.
            sampler (Sampler, optional): In place of the motion diffusion's own.
            long_video (LongVideoStrategy, optional): In place of the motion diffusion's own.
            **options: ``known``, ``control`` and ``guidance_scales`` of :meth:`MotionDiffusion.extend`.

        Returns:
            Iterator[Tensor]: Consecutive codes, shape (B, t, N); together (B, num_frames, N). Wrong arguments are
            refused here.
        """
        codes = self.motion_diffusion.extend(start.float(), num_frames, generator=generators, sampler=sampler,
                                             long_video=long_video, **options)
        return _in_inference_mode(codes)

    def render(self, encoding: Encoding, motion: Iterator[Tensor], num_frames: int | None = None, *,
               chunk_size: int = CHUNK_SIZE) -> Iterator[Tensor]:
        """Render motion relative to its first code, so that every video starts with its image.

        Under the linear motion condition the first code is the image's own, and relative and absolute transfer agree;
        without a condition the first code is free.

        Args:
            encoding (Encoding): The sources, B or one.
            motion (Iterator[Tensor]): Consecutive codes, shape (B, t, N).
            num_frames (int, optional): Codes of each sequence, if known.
            chunk_size (int): Frames per forward pass, counted over the batch.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W).
        """
        start = draw = None
        for codes in motion:
            if start is None:
                start = codes[:, 0]
                runner = chunk_runner(self.animator, num_frames and num_frames * len(codes), chunk_size, amp=self.amp,
                                      fixed_chunks=self.fixed_chunks)
                draw = runner and runner.renderer(encoding)
            if draw is not None:
                codes = relative_motion(codes, start, encoding.motion.float())
            yield from render(self.animator, encoding, codes, start=start if draw is None else None,
                              chunk_size=chunk_size, amp=self.amp, draw=draw)


def check_key_frames(key_images: Mapping[int, ImageInput], first: int, last: int) -> None:
    """Raise a :class:`UserError` unless key images belong to frames ``first`` to ``last``."""
    outside = [frame for frame in key_images if not first <= frame <= last]
    if outside and last < first:
        raise UserError('a video of one frame shows the first image, so it takes no key images; ask for more frames')
    if outside:
        raise UserError(f'there is a key image for frame {outside[0]}, and the frames that can have one are {first} to '
                        f'{last}' + (' (frame 0 is the first image)' if first else ''))


@torch.inference_mode()
def _in_inference_mode(chunks: Iterator[Tensor]) -> Iterator[Tensor]:
    yield from chunks


def _without_first(chunks: Iterator[Tensor]) -> Iterator[Tensor]:
    """Chunks (B, t, 3, H, W) without the first frame, which is the given one."""
    known = 1
    for chunk in chunks:
        if chunk.shape[1] > known:
            yield chunk[:, known:]
        known = max(0, known - chunk.shape[1])
