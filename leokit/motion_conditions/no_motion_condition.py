"""No condition: the whole sequence is noised (the ablation of LEO without its Linear Motion Condition)."""

from torch import Tensor

from leokit.motion_conditions.motion_condition import MotionCondition, NetworkInput
from leokit.registry import MOTION_CONDITIONS


@MOTION_CONDITIONS.register_module()
class NoMotionCondition(MotionCondition):
    """Every frame is noised, every frame is generated; a sequence cannot continue another one."""

    uses_start = False

    def unit(self, std: Tensor, residual_std: Tensor) -> Tensor:
        """The codes' own deviation: the codes are what is noised."""
        return std

    def split(self, motion: Tensor) -> tuple[Tensor, None]:
        """The sequence (B, T, N) itself and no first code; see the base class."""
        return motion, None

    def noised_frames(self, num_frames: int) -> int:
        """T; see the base class."""
        return num_frames

    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        """The noisy sequence (B, T, N); see the base class."""
        return NetworkInput(noisy)

    def network_output(self, output: Tensor) -> Tensor:
        """All of the output (B, T, N); see the base class."""
        return output

    def assemble(self, clean: Tensor, start: Tensor | None) -> Tensor:
        """The sequence (B, T, N) itself; see the base class."""
        return clean
