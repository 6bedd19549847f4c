"""The Linear Motion Condition of LEO (arXiv 2305.03989, section 3.2)."""

from torch import Tensor

from leokit.motion_conditions.motion_condition import NetworkInput, StartCondition
from leokit.registry import MOTION_CONDITIONS


@MOTION_CONDITIONS.register_module()
class LinearMotionCondition(StartCondition):
    """The motion space is linear, ``alpha_i = alpha_1 + m_i``; only the residuals m are noised.

    At every diffusion time the network sees ``[alpha_1, alpha_1 + m_t,2, …, alpha_1 + m_t,T]``: a sequence of
    codes that starts with the clean first one. Codes are measured in deviations of the residuals, so m
    has unit variance; the first code then has the variance ``(std / residual_std)^2`` per dimension.
    """

    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        """``[alpha_1, alpha_1 + m_t]`` from m_t (B, T-1, N) and alpha_1 (B, N); see the base class."""
        return NetworkInput(self.assemble(noisy, start))
