"""Overlapping windows whose slow motion is amplified, so that long videos have the spread of real motion."""

import math

import torch
from torch import Tensor

from leokit.long_video.strategies import Overlap
from leokit.registry import LONG_VIDEO
from leokit.samplers import Correction
from leokit.utils import UserError


@LONG_VIDEO.register_module()
class CalibratedOverlap(Overlap):
    """:class:`Overlap` with a gain of slow motion in every predicted clean window.

    At high noise a network may underestimate the leading components of motion, which are slow and large: real
    sequences, regressed on their predictions, have slopes above 1. The gain makes up for that. It acts at every step:
    in a direction of variance v, the standard deviation grows by about ``gain * (1 + v / s**2) ** ((gain - 1) / 2)``,
    where s is the ratio of noise to signal before the last step. Choose it on validation clips; with 1 nothing is
    amplified.
    The default is that of ``leo_synthetic`` (docs/results/motion_lab.md).

    Args:
        gain (float): Factor of the slow motion away from the first code of the window.
        period (float): Frames; cosines of this period or longer are slow.
        overlap, ramp, pull, bound: See :class:`Overlap`.
    """

    def __init__(self, overlap: int = 10, *, gain: float = 1.035, period: float = 12.0, ramp: str = 'minimum_jerk',
                 pull: float = 0.0, bound: float = 2.0) -> None:
        super().__init__(overlap, ramp=ramp, pull=pull, bound=bound)
        if not (0 < gain < math.inf and 0 < period < math.inf):
            raise UserError(f'CalibratedOverlap: gain={gain} and period={period} must be above 0 and finite')
        self.gain = gain
        self.period = period

    def correction(self, context: Tensor | None, std: Tensor) -> Correction | None:
        blend = super().correction(context, std)
        if self.gain == 1:
            return blend
        gain, period = self.gain, self.period

        def amplify(window: Tensor) -> Tensor:
            return window + (gain - 1) * slow_motion(window, period)

        amplification = Correction(amplify, (), ('gain', gain, period))
        return amplification if blend is None else amplification.then(blend)


def slow_motion(window: Tensor, period: float) -> Tensor:
    """The slow part of the motion away from the first code of a window, itself 0 at the first code.

    Args:
        window (Tensor): Codes, shape (B, T, N).
        period (float): Frames; cosines (DCT-II over the window) of this period or longer are kept.

    Returns:
        Tensor: Shape (B, T, N).
    """
    frames = window.shape[1]
    highest = min(int(2 * frames / period), frames - 1)  # wave k has a period of 2 T / k frames
    wave = torch.arange(highest + 1, device=window.device)[:, None]
    basis = torch.cos(torch.pi / frames * wave * (torch.arange(frames, device=window.device) + 0.5))
    basis = (basis / basis.norm(dim=1, keepdim=True)).to(window.dtype)  # orthonormal, (waves, T)
    slow = basis.T @ (basis @ (window - window[:, :1]))
    return slow - slow[:, :1]
