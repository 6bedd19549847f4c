"""The Linear Motion Condition (LMC) of LEO (arXiv 2305.03989, section 3.2)."""

import torch
from torch import Tensor

from leokit.motion_conditions.motion_condition import MotionCondition, NetworkInput
from leokit.registry import MOTION_CONDITIONS
from leokit.utils import UserError, check_shape

RESIDUAL_FLOOR = 0.1  # of the codes' std; keeps the std of normalized first codes at 10 or below


@MOTION_CONDITIONS.register_module()
class LinearMotionCondition(MotionCondition):
    """The motion space is linear, ``alpha_i = alpha_1 + m_i``; only the residuals ``m_2, ..., m_T`` are noised.

    At diffusion time t the denoiser sees ``[alpha_1, alpha_1 + m_2^t, ..., alpha_1 + m_T^t]``: a sequence of codes
    that starts with the clean first one.
    """

    uses_start = True

    def unit(self, std: Tensor, residual_std: Tensor) -> Tensor:
        # Residuals are noised, so they need unit variance. Without the floor, a dimension in which sequences differ
        # from each other but hardly move would have first codes with values in the tens, which dominate the input.
        return torch.maximum(residual_std, RESIDUAL_FLOOR * std)

    def split(self, motion: Tensor) -> tuple[Tensor, Tensor]:
        check_shape('motion', motion, (None, None, None))
        if motion.shape[1] < 2:
            raise UserError(f'a motion sequence needs at least 2 frames to be conditioned on its first, got '
                            f'{motion.shape[1]}; raise num_frames')
        start = motion[:, 0]  # (B, N)
        return motion[:, 1:] - start[:, None], start  # (B, T-1, N), (B, N)

    def noised_frames(self, num_frames: int) -> int:
        return num_frames - 1

    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        return NetworkInput(self.assemble(noisy, start))

    def network_output(self, output: Tensor) -> Tensor:
        return output[:, 1:]  # the first frame is not noised

    def assemble(self, clean: Tensor, start: Tensor | None) -> Tensor:
        first = start[:, None]  # (B, 1, N)
        return torch.cat([first, first + clean], dim=1)  # (B, T, N)
