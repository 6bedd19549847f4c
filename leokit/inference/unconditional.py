"""Unconditional video generation (LEO, arXiv 2305.03989, sections 3.2 and 3.3): nobody says who moves or how.

Three models draw in turn: the starting code ``alpha_1 ~ p(alpha_1)``, a frame that shows that motion
``x_1 ~ p(x_1 | alpha_1)``, and the motion that goes on from it, ``alpha_2 ... ~ cLMDM(alpha_1)``. The animator encodes
the drawn frame again, as it does with any first frame, and moves it.

The motion starts at ``alpha_1``, the code that the motion model is at home with, and is transferred relative to it:
frame i shows ``E(x_1) + (alpha_i - alpha_1)``. So the video begins with the drawn frame, whether or not ``E(x_1)`` has
hit ``alpha_1`` exactly; transferred absolutely, it would begin a jump of the difference away from it.
"""

from typing import Iterator, NamedTuple, Sequence

import torch
from torch import Tensor

from leokit.inference.generation import VideoGenerator, check_same_codes, sample_seeds
from leokit.inference.rendering import CHUNK_SIZE, encode
from leokit.inference.start_frame_sampler import StartFramePainter
from leokit.models import Animator, StartCodeDiffusion
from leokit.samplers import Sampler, generators_from_seeds
from leokit.utils import UserError

MOTION, START_CODE, START_FRAME = 0, 1, 2  # streams of a sample's seed; its motion is that of a given first frame


class Starts(NamedTuple):
    """Where videos start.

    Attributes:
        motion (Tensor): Codes, shape (B, N).
        frames (Tensor): Frames drawn for them, shape (B, 3, S, S), in [-1, 1].
    """

    motion: Tensor
    frames: Tensor


class UnconditionalGenerator:
    """Makes videos of people who were never seen.

    Args:
        generator (VideoGenerator): The animator and the motion diffusion.
        start_code (StartCodeDiffusion): The distribution of starting codes, of the same animator.
        painter (StartFramePainter): Draws a frame for a code, at least of the animator's size.

    Raises:
        UserError: If the models are of different animators, or the frames too small.
    """

    def __init__(self, generator: VideoGenerator, start_code: StartCodeDiffusion, painter: StartFramePainter) -> None:
        check_same_codes(generator.animator, start_code, model_name='the start-code model')
        check_painter(generator.animator, painter)
        self.generator = generator
        self.start_code = start_code.eval()
        self.painter = painter

    @torch.inference_mode()
    def draw_starts(self, samples: Sequence[int], *, seed: int = 0, guidance: float | None = None) -> Starts:
        """Draw starting codes, and a frame for each.

        Args:
            samples (Sequence[int]): Numbers of the samples; a sample depends on the seed and its number only.
            seed (int): Seed of the job.
            guidance (float, optional): How firmly a frame is bound to its code; by default the model's.

        Returns:
            Starts: Codes and frames.

        Raises:
            UserError: If the seed is negative or a model is not trained.
        """
        noise = generators_from_seeds(sample_seeds(seed, samples, START_CODE))
        motion = self.start_code.sample(len(samples), generator=noise)
        frames = self.painter.draw(motion, sample_seeds(seed, samples, START_FRAME),
                                   size=self.generator.animator.size, guidance=guidance)
        return Starts(motion, frames)

    def generate(self, count: int, num_frames: int, *, seed: int = 0, first_sample: int = 0,
                 chunk_size: int = CHUNK_SIZE, guidance: float | None = None,
                 sampler: Sampler | None = None) -> Iterator[Tensor]:
        """Make videos.

        Row k is sample number ``first_sample + k``: it depends on the seed and that number only, so a job may be cut
        into batches at will.

        Args:
            count (int): Videos, made side by side.
            num_frames (int): Frames of each; any number.
            seed (int): Seed of the job.
            first_sample (int): Number of the first row.
            chunk_size (int): Frames decoded per forward pass, counted over the batch.
            guidance (float, optional): How firmly a first frame is bound to its code; by default the model's.
            sampler (Sampler, optional): Of the motion, in place of the motion diffusion's own.

        Yields:
            Tensor: Consecutive frames in [-1, 1], shape (count, t, 3, H, W).

        Raises:
            UserError: If a number is out of range.
        """
        for name, number in (('the number of videos', count), ('num_frames', num_frames)):
            if number < 1:
                raise UserError(f'{name} must be 1 or more, got {number}')
        samples = range(first_sample, first_sample + count)
        starts = self.draw_starts(samples, seed=seed, guidance=guidance)
        generators = generators_from_seeds(sample_seeds(seed, samples, MOTION))
        motion = self.generator.sample_motion(starts.motion, num_frames, generators, sampler=sampler)
        encoding = encode(self.generator.animator, starts.frames, amp=self.generator.amp)
        yield from self.generator.render(encoding, motion, chunk_size=chunk_size)


def check_painter(animator: Animator, painter: StartFramePainter, *, animator_name: str = 'the animator',
                  painter_name: str = 'the start-frame model',
                  second_name: str = 'the second start-frame model') -> None:
    """Refuse first frames that an animator cannot take.

    Args:
        animator (Animator): The animator that moves the frames.
        painter (StartFramePainter): What draws them.
        animator_name (str): What the error calls the animator.
        painter_name (str): What it calls the painter's first stage.
        second_name (str): What it calls the second one.

    Raises:
        UserError: If a stage was trained on the codes of another animator, or the frames are smaller than the
            animator's.
    """
    stages = {painter_name: painter.base, second_name: painter.super_resolution}
    for name, stage in stages.items():
        if stage is not None:
            check_same_codes(animator, stage, animator_name=animator_name, model_name=name)
    if painter.size < animator.size:
        name = second_name if painter.super_resolution is not None else painter_name
        raise UserError(f'{name} draws frames of {painter.size} pixels and {animator_name} takes {animator.size}; '
                        'pass a start-frame model of that size, or one that enlarges (start_frame_sr)')
