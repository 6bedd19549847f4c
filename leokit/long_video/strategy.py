"""The contract of a continuation.

A long sequence is drawn window by window. A continuation says how many codes a window hands to the next one, how many
codes at a window's end are held back until that one is drawn, and how those handed over steer it: at every step of
sampling the predicted clean window is moved towards them, frame by frame, by a weight in [0, 1]. No training is needed.
"""

from abc import ABC, abstractmethod
from typing import Callable

import torch
from torch import Tensor

from leokit.utils import UserError


class Continuation(ABC):
    """Base of the continuations.

    Args:
        codes (int): Codes that a window hands to the next, the next one's first code among them.
        pull (float): Share in [0, 1] by which a predicted code that lies too far out is drawn back; it grows from
            nothing at a window's start to this at its end, so that it makes no seam.
        bound (float): Too far out is more than so many standard deviations of the training codes.

    Attributes:
        held_back (int): Codes at the end of a window that wait for the next one.

    Raises:
        UserError: If a number is out of range.
    """

    held_back = 0

    def __init__(self, codes: int, *, pull: float = 0.0, bound: float = 2.0) -> None:
        if codes < 1:
            raise UserError(f'codes={codes} of the continuation must be 1 or more')
        if not 0 <= pull <= 1 or not bound > 0:
            raise UserError(f'pull={pull} of the continuation must lie in [0, 1] and bound={bound} above 0')
        self.codes = codes
        self.pull = pull
        self.bound = bound

    @abstractmethod
    def weights(self) -> Tensor:
        """How firmly each handed-over code holds its place in the next window, in [0, 1], shape (codes,)."""

    def seams(self, num_frames: int, total_frames: int) -> list[int]:
        """Where a viewer may look for joints in a long sequence.

        Args:
            num_frames (int): Codes of one window.
            total_frames (int): Codes of the sequence.

        Returns:
            list[int]: The first code that only the next window knows and, where windows are blended, the first one that
            the blend has left, for every window after the first.
        """
        begins = range(num_frames - self.held_back, total_frames, num_frames - self.codes)
        return sorted({seam for begin in begins for seam in (begin, begin + self.held_back) if seam < total_frames})

    def correction(self, known: Tensor | None, deviation: Tensor) -> Callable[[Tensor], Tensor] | None:
        """What is done to the predicted clean window at every step of sampling.

        Args:
            known (Tensor, optional): The codes handed over, normalized, shape (B, codes, N); None in a first window.
            deviation (Tensor): Standard deviation of the normalized codes, shape (N,).

        Returns:
            Callable | None: Maps a window (B, T, N) to the one to believe; None where there is nothing to do.
        """
        steered = known is not None and self.codes > 1
        if not steered and self.pull == 0:
            return None

        def correct(window: Tensor) -> Tensor:
            if self.pull:
                limit = self.bound * deviation
                ramp = torch.linspace(0, self.pull, window.shape[1], device=window.device)[:, None]
                window = window.lerp(window.clamp(-limit, limit), ramp)
            if steered:
                weight = self.weights().to(window)[:, None]
                begin = window[:, :self.codes].lerp(known, weight)
                window = torch.cat([begin, window[:, self.codes:]], dim=1)
            return window

        return correct
