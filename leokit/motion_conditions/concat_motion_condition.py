"""The first code as a condition without the linear structure: an ablation of LEO's Linear Motion Condition."""

import torch
from torch import Tensor

from leokit.motion_conditions.motion_condition import NetworkInput, StartCondition
from leokit.registry import MOTION_CONDITIONS


@MOTION_CONDITIONS.register_module()
class ConcatMotionCondition(StartCondition):
    """The residuals are noised as in the linear condition, but the network sees ``[alpha_1, m_t]``.

    The first code stands in front along time and is not added to the residuals. Everything else, the
    normalization included, equals :class:`LinearMotionCondition`, so a comparison of the two tells what
    the addition brings apart from having a condition at all.
    """

    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        """``[alpha_1, m_t]`` from m_t (B, T-1, N) and alpha_1 (B, N); see the base class."""
        return NetworkInput(torch.cat([start[:, None], noisy], dim=1))
