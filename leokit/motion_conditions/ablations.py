"""Alternatives to the Linear Motion Condition, for LEO's ablation (arXiv 2305.03989, section 4.4)."""

import torch
from torch import Tensor

from leokit.motion_conditions.linear_motion_condition import LinearMotionCondition
from leokit.motion_conditions.motion_condition import MotionCondition, NetworkInput
from leokit.registry import MOTION_CONDITIONS


@MOTION_CONDITIONS.register_module()
class ConcatMotionCondition(LinearMotionCondition):
    """The denoiser sees ``[alpha_1, m_2^t, ..., m_T^t]``: the first code is prepended, not added to the residuals.

    Everything else equals :class:`LinearMotionCondition`, normalization included, so comparing the two isolates the
    effect of the sum from the effect of having a condition.
    """

    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        return NetworkInput(torch.cat([start[:, None], noisy], dim=1))  # (B, 1 + T-1, N)


@MOTION_CONDITIONS.register_module()
class NoMotionCondition(MotionCondition):
    """All codes are noised and generated; a sequence cannot continue another one."""

    uses_start = False

    def unit(self, std: Tensor, residual_std: Tensor) -> Tensor:
        return std

    def split(self, motion: Tensor) -> tuple[Tensor, None]:
        return motion, None

    def noised_frames(self, num_frames: int) -> int:
        return num_frames

    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        return NetworkInput(noisy)

    def network_output(self, output: Tensor) -> Tensor:
        return output

    def assemble(self, clean: Tensor, start: Tensor | None) -> Tensor:
        return clean
