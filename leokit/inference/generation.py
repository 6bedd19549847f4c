"""Conditional video generation (LEO, arXiv 2305.03989, sections 3.2 and 3.3): a first frame begins to move.

The picture's own motion code starts a sequence that the motion diffusion model draws window by window, the last code
of one window starting the next; the animator decodes each window while the next is not yet drawn, so a video can have
any length.
"""

from typing import Iterator, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from leokit.encoders import Encoding
from leokit.inference.rendering import CHUNK_SIZE, encode, render, repeat_encoding
from leokit.long_video import LongVideoStrategy
from leokit.models import Animator, MotionDiffusion
from leokit.samplers import Sampler, generators_from_seeds
from leokit.utils import UserError
from leokit.video import ImageInput, VideoInput, read_first_frame, read_images, read_last_frame

HASH_DIGITS = 12  # of a SHA-256 that are shown


def sample_seeds(seed: int, samples: Sequence[int], stream: int = 0) -> list[int]:
    """Seeds of numbered samples: independent streams, whatever else is drawn beside them.

    Args:
        seed (int): The seed of the whole job, at least 0.
        samples (Sequence[int]): Numbers of the samples, at least 0.
        stream (int): Which of the things that make up a sample; 0 is its motion.

    Returns:
        list[int]: One 63-bit seed for each sample.

    Raises:
        UserError: If the seed is negative.
    """
    if seed < 0:
        raise UserError(f'the seed must be 0 or more, got {seed}')
    more = (stream,) if stream else ()
    return [int(np.random.SeedSequence((seed, number, *more)).generate_state(1, np.uint64)[0] >> np.uint64(1))
            for number in samples]


class VideoGenerator:
    """Makes videos that start with a given picture.

    Args:
        animator (Animator): A trained animator; it is put into evaluation mode.
        motion_diffusion (MotionDiffusion): A motion diffusion trained on that animator's codes; likewise.
        amp (bool): Encode and decode under bfloat16 autocast. Motion is sampled in float32.

    Raises:
        UserError: If the motion diffusion was trained on the codes of another animator.
    """

    def __init__(self, animator: Animator, motion_diffusion: MotionDiffusion, *, amp: bool = False) -> None:
        check_same_codes(animator, motion_diffusion)
        self.animator = animator.eval()
        self.motion_diffusion = motion_diffusion.eval()
        self.amp = amp

    def generate(self, images: ImageInput | Sequence[ImageInput], num_frames: int, *, num_sequences: int = 1,
                 seed: int = 0, first_sample: int = 0, chunk_size: int = CHUNK_SIZE,
                 sampler: Sampler | None = None) -> Iterator[Tensor]:
        """Make videos from first frames.

        The sequences of the first picture come first in the batch. Row k is sample number ``first_sample + k``: it
        depends on its picture, the seed and that number only, so a job may be cut into batches at will.

        Args:
            images (ImageInput | Sequence[ImageInput]): First frames: paths, PIL images, arrays or tensors.
            num_frames (int): Frames of each video, the first included; any number.
            num_sequences (int): Videos from each picture.
            seed (int): Seed of the job.
            first_sample (int): Number of the first row.
            chunk_size (int): Frames decoded per forward pass, counted over the batch.
            sampler (Sampler, optional): In place of the motion diffusion's own.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W), B = pictures * num_sequences.

        Raises:
            UserError: If a picture cannot be read or a number is out of range.
        """
        for name, number in (('num_frames', num_frames), ('num_sequences', num_sequences)):
            if number < 1:
                raise UserError(f'{name} must be 1 or more, got {number}')
        encoding = encode(self.animator, read_images(images, self.animator.size), amp=self.amp)
        batch = len(encoding.motion) * num_sequences
        seeds = sample_seeds(seed, range(first_sample, first_sample + batch))
        start = encoding.motion.repeat_interleave(num_sequences, dim=0)
        motion = self.sample_motion(start, num_frames, generators_from_seeds(seeds), sampler=sampler)
        yield from self.render(repeat_encoding(encoding, num_sequences), motion, chunk_size=chunk_size)

    def from_video_first_frame(self, video: VideoInput, num_frames: int, *, num_sequences: int = 1, seed: int = 0,
                               first_sample: int = 0, chunk_size: int = CHUNK_SIZE,
                               sampler: Sampler | None = None) -> Iterator[Tensor]:
        """Make videos that start with the first frame of a video; see :meth:`generate`.

        Args:
            video (VideoInput): A path, a reader's handle or a tensor of frames.
            num_frames (int): As in :meth:`generate`, like all that follow.
            num_sequences (int): Videos to make.
            seed (int): Seed of the job.
            first_sample (int): Number of the first row.
            chunk_size (int): Frames decoded per forward pass.
            sampler (Sampler, optional): In place of the motion diffusion's own.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (num_sequences, t, 3, H, W).
        """
        image = read_first_frame(video, self.animator.size)
        yield from self.generate(image, num_frames, num_sequences=num_sequences, seed=seed, first_sample=first_sample,
                                 chunk_size=chunk_size, sampler=sampler)

    def continue_video(self, video: VideoInput, num_frames: int, *, num_sequences: int = 1, seed: int = 0,
                       first_sample: int = 0, chunk_size: int = CHUNK_SIZE,
                       sampler: Sampler | None = None) -> Iterator[Tensor]:
        """Make the frames that follow a video: what starts with its last frame, without that frame.

        Args:
            video (VideoInput): A path, a reader's handle or a tensor of frames.
            num_frames (int): New frames; all other arguments as in :meth:`from_video_first_frame`.
            num_sequences (int): Continuations to make.
            seed (int): Seed of the job.
            first_sample (int): Number of the first row.
            chunk_size (int): Frames decoded per forward pass.
            sampler (Sampler, optional): In place of the motion diffusion's own.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (num_sequences, t, 3, H, W).
        """
        image = read_last_frame(video, self.animator.size)
        yield from self.follow(image, num_frames, num_sequences=num_sequences, seed=seed, first_sample=first_sample,
                               chunk_size=chunk_size, sampler=sampler)

    def follow(self, images: ImageInput | Sequence[ImageInput], num_frames: int, *, num_sequences: int = 1,
               seed: int = 0, first_sample: int = 0, chunk_size: int = CHUNK_SIZE,
               sampler: Sampler | None = None) -> Iterator[Tensor]:
        """Make the frames that follow pictures: what starts with them, without them.

        Args:
            images (ImageInput | Sequence[ImageInput]): The last frames that are known.
            num_frames (int): New frames; all other arguments as in :meth:`generate`.
            num_sequences (int): Continuations of each picture.
            seed (int): Seed of the job.
            first_sample (int): Number of the first row.
            chunk_size (int): Frames decoded per forward pass.
            sampler (Sampler, optional): In place of the motion diffusion's own.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W), B = pictures * num_sequences.
        """
        if num_frames < 1:
            raise UserError(f'num_frames must be 1 or more, got {num_frames}')
        frames = self.generate(images, num_frames + 1, seed=seed, num_sequences=num_sequences,
                               first_sample=first_sample, chunk_size=chunk_size, sampler=sampler)
        known = 1  # the last frame itself
        for chunk in frames:
            if chunk.shape[1] > known:
                yield chunk[:, known:]
            known = max(0, known - chunk.shape[1])

    @torch.inference_mode()
    def sample_motion(self, start: Tensor, num_frames: int, generators: Sequence[Generator], *,
                      sampler: Sampler | None = None,
                      long_video: LongVideoStrategy | None = None) -> Iterator[Tensor]:
        """Sample motion codes, window by window.

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
        """Decode motion relative to its first code, so that every video starts with its picture.

        Under the linear motion condition the first code is the picture's own, and relative and absolute transfer are
        the same; without a condition the first code is free.

        Args:
            encoding (Encoding): The sources, B or one.
            motion (Iterator[Tensor]): Consecutive codes, shape (B, t, N).
            chunk_size (int): Frames decoded per forward pass.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (B, t, 3, H, W).
        """
        start = None
        for codes in motion:
            start = codes[:, 0] if start is None else start
            yield from render(self.animator, encoding, codes, start=start, chunk_size=chunk_size, amp=self.amp)


def check_same_codes(animator: Animator, model: nn.Module, *, animator_name: str = 'the animator',
                     model_name: str = 'the motion diffusion') -> None:
    """Refuse a model of motion codes that speaks another animator's language.

    Args:
        animator (Animator): The animator to render with.
        model (Module): The model that makes codes or is given them: with ``motion_dim`` and ``animator_weights_hash``.
        animator_name (str): What the error calls the animator.
        model_name (str): What it calls the model.

    Raises:
        UserError: If the motion dimensions differ, or the codes it was trained on came from another animator.
    """
    if animator.motion_dim != model.motion_dim:
        raise UserError(f'{animator_name} has {animator.motion_dim} motion dimensions and {model_name} '
                        f'{model.motion_dim}; pass the animator that made its training codes')
    known, given = model.animator_weights_hash, animator.weights_hash()
    if known is not None and known != given:
        raise UserError(f'{model_name} was trained on the codes of the animator {known[:HASH_DIGITS]}, but '
                        f'{animator_name} is {given[:HASH_DIGITS]}; pass checkpoints that were trained on one another')
