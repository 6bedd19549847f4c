"""Unconditional video generation (LEO, arXiv 2305.03989, sections 3.2 and 3.3).

Three models are sampled in turn: the starting code ``alpha_1 ~ p(alpha_1)``, a frame that shows it
``x_1 ~ p(x_1 | alpha_1)``, and the motion that continues it, ``alpha_2 ... ~ cLMDM(alpha_1)``. The animator encodes the
sampled frame as it encodes any first frame, and renders the motion.

The motion starts at ``alpha_1``, which is in the distribution of the motion model, and is transferred relative to it:
frame i shows ``E(x_1) + (alpha_i - alpha_1)``. The video therefore starts with the sampled frame even if ``E(x_1)``
differs from ``alpha_1``; absolute transfer would start it with a jump of that difference.
"""

from typing import Iterator, NamedTuple, Sequence

import torch
from torch import Tensor

from leokit.inference.generation import VideoGenerator
from leokit.inference.rendering import CHUNK_SIZE, check_precision, encode
from leokit.inference.start_frame_sampler import StartFrameSampler
from leokit.models import StartCodeDiffusion
from leokit.samplers import Sampler, generators_from_seeds
from leokit.utils import UserError
from leokit.utils.same_animator import check_same_animator
from leokit.utils.seeds import sample_seeds

MOTION, START_CODE, START_FRAME = 0, 1, 2  # streams of a sample's seed; 0 is also that of a given first frame's motion


class InitialStates(NamedTuple):
    """Starting codes and frames of videos.

    Attributes:
        motion (Tensor): Codes, shape (B, N).
        frames (Tensor): Frames sampled for them, shape (B, 3, S, S), in [-1, 1].
    """

    motion: Tensor
    frames: Tensor


class UnconditionalGenerator:
    """Generates videos of identities that do not exist.

    Args:
        generator (VideoGenerator): The animator and the motion diffusion.
        start_code (StartCodeDiffusion): The distribution of starting codes, of the same animator.
        start_frame_sampler (StartFrameSampler): Samples a frame for a code, at least of the animator's size.
    """

    def __init__(self, generator: VideoGenerator, start_code: StartCodeDiffusion,
                 start_frame_sampler: StartFrameSampler) -> None:
        stages = (stage.code_origin for stage in start_frame_sampler.stages)
        check_same_animator(generator.animator.code_origin, start_code.code_origin, *stages)
        start_frame_sampler.check_size(generator.animator)
        self.generator = generator
        self.start_code = start_code.eval()
        self.start_frame_sampler = start_frame_sampler

    @torch.inference_mode()
    def sample_initial_states(self, samples: Sequence[int], *, seed: int = 0,
                              guidance_scale: float | None = None) -> InitialStates:
        """Sample starting codes, and a frame for each.

        Args:
            samples (Sequence[int]): Numbers of the samples; a sample depends on the seed and its number only.
            seed (int): Seed of the job.
            guidance_scale (float, optional): Guidance scale of the starting frames, in place of the model's.
        """
        noise = generators_from_seeds(sample_seeds(seed, samples, START_CODE))
        motion = self.start_code.sample(len(samples), generator=noise)
        frames = self.start_frame_sampler.sample(motion, sample_seeds(seed, samples, START_FRAME),
                                                 size=self.generator.animator.size, guidance_scale=guidance_scale)
        return InitialStates(motion, frames)

    def generate(self, count: int, num_frames: int, *, seed: int = 0, first_sample: int = 0,
                 chunk_size: int = CHUNK_SIZE, guidance_scale: float | None = None,
                 sampler: Sampler | None = None) -> Iterator[Tensor]:
        """Generate ``count`` videos; arguments and result as in :meth:`VideoGenerator.generate`.

        Args:
            count (int): Videos.
            num_frames (int): Frames of each video.
            seed (int): Seed of the job.
            first_sample (int): Number of the first row.
            chunk_size (int): Frames per forward pass of the animator, counted over the batch.
            guidance_scale (float, optional): Guidance scale of the starting frames, in place of the model's.
            sampler (Sampler, optional): In place of the motion diffusion's own.

        Returns:
            Iterator[Tensor]: Consecutive frames in [-1, 1], shape (count, t, 3, H, W).
        """
        for name, number in (('the number of videos', count), ('num_frames', num_frames)):
            if number < 1:
                raise UserError(f'{name} must be 1 or more, got {number}')
        for model in (self.generator.motion_diffusion, self.start_code, *self.start_frame_sampler.stages):
            check_precision(model)
        samples = range(first_sample, first_sample + count)
        initial = self.sample_initial_states(samples, seed=seed, guidance_scale=guidance_scale)
        generators = generators_from_seeds(sample_seeds(seed, samples, MOTION))
        motion = self.generator.sample_motion(initial.motion, num_frames, generators, sampler=sampler)
        encoding = encode(self.generator.animator, initial.frames, amp=self.generator.amp)
        return self.generator.render(encoding, motion, num_frames, chunk_size=chunk_size)
