"""Filters of motion codes over time. Their strength is a time constant in seconds, whatever the frame rate.

- :func:`kalman_smooth` sees the whole sequence and does not delay motion.
- :class:`OneEuroFilter` sees the past only, for motion that arrives frame by frame; it delays slow motion more than
  fast motion.
"""

import math

import numpy as np
import torch
from torch import Tensor

from leokit.utils import UserError, check_shape

SMOOTHING_FILTERS = ('kalman', 'one_euro')
SPEED_CUTOFF = 1.0  # Hz, of the filter of the speed, as in the one-euro paper
SPEED_COEFFICIENT = 0.3  # Hz per code unit per second


def check_smoothing(seconds: float, name: str) -> None:
    """Raise for a negative strength or an unknown filter."""
    if not 0 <= seconds < math.inf:
        raise UserError(f'the time constant of the smoothing must be 0 seconds or more, got {seconds}')
    if name not in SMOOTHING_FILTERS:
        raise UserError(f'unknown smoothing filter {name!r}; choose one of {", ".join(SMOOTHING_FILTERS)}')


def kalman_smooth(codes: Tensor, seconds: float, fps: float) -> Tensor:
    """The Kalman (Rauch-Tung-Striebel) smoother of a random walk observed with noise.

    In the middle of a long sequence the weight of a frame falls as exp(-|t| / seconds) with its distance t. The
    estimate minimizes Σ (z_t - x_t)² + λ Σ (x_t - x_{t-1})², λ the ratio of the variance of the noise to that of a
    step. The two passes of the smoother are the elimination and the back substitution of this tridiagonal system.

    Args:
        codes (Tensor): Shape (T, N).
        seconds (float): Time constant; 0 leaves the codes as they are.
        fps (float): Frames per second.

    Returns:
        Tensor: Shape (T, N), type and device of the codes.
    """
    check_shape('codes', codes, (None, None))
    if seconds == 0 or len(codes) < 2:
        return codes
    from scipy.linalg import solveh_banded  # slow to import
    decay = math.exp(-1 / (fps * seconds))  # of the weight, from frame to frame
    ratio = decay / (1 - decay) ** 2
    bands = np.zeros((2, len(codes)))  # upper diagonal (its first entry is unused), diagonal
    bands[0] = -ratio
    bands[1] = 1 + 2 * ratio
    bands[1, [0, -1]] = 1 + ratio
    return torch.from_numpy(solveh_banded(bands, codes.detach().cpu().double().numpy())).to(codes)


class OneEuroFilter:
    """The one-euro filter (Casiez et al., CHI 2012): a low-pass of each entry whose cutoff rises with its speed.

    Args:
        seconds (float): Time constant τ of an entry at rest; its cutoff is 1 / (2 π τ). 0 is no filter.
        fps (float): Frames per second.
        speed_coefficient (float): Rise of the cutoff in Hz per unit of speed (code units per second); larger values
            delay fast motion less.
    """

    def __init__(self, seconds: float, fps: float, *, speed_coefficient: float = SPEED_COEFFICIENT) -> None:
        self.seconds = seconds
        self.fps = fps
        self.speed_coefficient = speed_coefficient
        self._raw: Tensor | None = None
        self._last: Tensor | None = None
        self._speed: Tensor | None = None

    def __call__(self, code: Tensor) -> Tensor:
        """Filter the next code, any shape, the same in every call."""
        if self.seconds == 0:
            return code
        if self._last is None:
            self._raw = self._last = code.clone()
            self._speed = torch.zeros_like(code)
            return code
        speed = (code - self._raw) * self.fps
        self._speed = torch.lerp(self._speed, speed, self._share(SPEED_CUTOFF))
        cutoff = 1 / (2 * math.pi * self.seconds) + self.speed_coefficient * self._speed.abs()
        self._last = self._last + self._share(cutoff) * (code - self._last)
        self._raw = code.clone()
        return self._last

    def _share(self, cutoff: float | Tensor) -> float | Tensor:
        """The weight of the newest value in a low-pass of a cutoff in Hz."""
        return 1 / (1 + self.fps / (2 * math.pi * cutoff))


def moving_average(codes: Tensor, seconds: float, fps: float) -> Tensor:
    """Mean of codes (T, N) over a centered window of ``seconds``, cut at both ends of the sequence.

    The window has an odd number of frames, at least one; frames outside the sequence do not count.
    """
    half = min(round(seconds * fps / 2), len(codes))
    sums = torch.cat((torch.zeros_like(codes[:1], dtype=torch.float64), codes.double().cumsum(0)))
    time = torch.arange(len(codes), device=codes.device)
    first, end = (time - half).clamp(min=0), (time + half + 1).clamp(max=len(codes))
    return ((sums[end] - sums[first]) / (end - first)[:, None]).to(codes)
