"""The parts of a model that are exported, with tensors as inputs and outputs and nothing left to look up.

Names and shapes of inputs and outputs are those of :data:`INTERFACES`; ``B`` frames, ``T`` frames of a sequence.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from leokit.models import Animator, MotionDiffusion


class Interface(NamedTuple):
    """Names of inputs and outputs in their order, and which axes are dynamic: by input, name by axis."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dynamic: dict[str, dict[int, str]]


class ExportedEncoder(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] to appearance (B, D), motion codes (B, N) and feature maps of resolutions 8 to S.

    Args:
        animator (Animator): The animator.
    """

    def __init__(self, animator: Animator) -> None:
        super().__init__()
        self.encoder = animator.encoder
        levels = len(animator.flow_generator.levels)
        self.interface = Interface(('images',), ('appearance', 'motion', *(f'feature_{i}' for i in range(levels))),
                                   dict(images={0: 'batch'}))
        self.size = animator.size

    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace with."""
        return (_smooth_images(2, self.size),)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        encoding = self.encoder(images)
        return encoding.appearance, encoding.motion, *encoding.features


class ExportedDecoder(nn.Module):
    """One encoded source and motion codes (B, N) to frames (B, 3, S, S); the motion dictionary is a constant.

    Inputs: ``motion``, then ``appearance`` (1, D) and the feature maps of the source, batch 1.

    Args:
        animator (Animator): The animator.
    """

    def __init__(self, animator: Animator) -> None:
        super().__init__()
        self.flow_generator = animator.flow_generator
        with torch.no_grad():  # its QR decomposition is computed now
            self.register_buffer('directions', animator.motion_space.directions().clone())
        levels = len(animator.flow_generator.levels)
        self.interface = Interface(('motion', 'appearance', *(f'feature_{i}' for i in range(levels))), ('frames',),
                                   dict(motion={0: 'batch'}))
        self._animator = [animator]  # not a submodule

    @torch.no_grad()
    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace with."""
        animator, = self._animator
        encoding = animator.encode(_smooth_images(3, animator.size))
        return encoding.motion, encoding.appearance[:1], *(feature[:1] for feature in encoding.features)

    def forward(self, motion: Tensor, appearance: Tensor, *features: Tensor) -> Tensor:
        """See the class."""
        latent = appearance + motion @ self.directions.t()
        return self.flow_generator(latent, features).frames


class ExportedDenoiser(nn.Module):
    """One evaluation of the motion diffusion.

    Inputs: ``noisy`` (B, T', N), the noised variable; ``time`` (B,), int64; ``start``, raw first codes (B, N). Outputs:
    ``clean`` and ``noise``, the predicted parts of ``noisy``, and ``codes``, the raw motion codes (B, T, N) that
    ``clean`` stands for.

    Args:
        model (MotionDiffusion): The motion diffusion.
    """

    def __init__(self, model: MotionDiffusion) -> None:
        super().__init__()
        self.model = model
        self.interface = Interface(('noisy', 'time', 'start'), ('clean', 'noise', 'codes'), {
            'noisy': {0: 'batch'}, 'time': {0: 'batch'}, 'start': {0: 'batch'}})

    def example(self) -> tuple[Tensor, ...]:
        """Inputs to trace with."""
        generator = torch.Generator().manual_seed(0)
        frames = self.model.motion_condition.noised_frames(self.model.num_frames)
        start = self.model.normalizer.denormalize(torch.randn(2, self.model.motion_dim, generator=generator))
        return torch.randn(2, frames, self.model.motion_dim, generator=generator), torch.tensor([700, 30]), start

    def forward(self, noisy: Tensor, time: Tensor, start: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        model = self.model
        first = model.normalizer.normalize(start)
        prediction = model.denoiser(start)(noisy, time)
        codes = model.normalizer.denormalize(model.motion_condition.assemble(prediction.x0, first))
        return prediction.x0, prediction.eps, codes


def _smooth_images(count: int, size: int) -> Tensor:
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return nn.functional.interpolate(coarse, (size, size), mode='bicubic').clamp(-1, 1)
