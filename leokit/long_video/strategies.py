"""How consecutive windows of a long motion sequence are joined; none of the strategies needs training.

A long sequence is sampled window by window. A strategy decides how many codes of a window are the context of the next
one, how many codes at the end of a window stay pending until the next one is sampled, and how strongly the context
constrains the next window. The constraint acts during sampling: at every step the predicted clean window is moved
towards the context, frame by frame, with a weight in [0, 1]. The loop over windows is ``MotionDiffusion.extend``
(``models/motion_diffusion.py``).
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from leokit.registry import LONG_VIDEO
from leokit.samplers import Correction
from leokit.utils import UserError

RAMPS = ('cosine', 'linear', 'minimum_jerk')


class LongVideoStrategy(ABC):
    """Base class of the strategies.

    Args:
        context_frames (int): Last codes of a window that the next window starts with; less than the window's length.
        pull (float): In [0, 1]: how far outlying predicted codes are moved back to the bound. It grows linearly from 0
            at the start of a window to this value at its end, so that it leaves no visible window boundary.
        bound (float): A code is outlying if it is further from the mean than this many standard deviations.

    Attributes:
        pending_frames (int): Codes at the end of a window that are output only after the next window is sampled.
    """

    pending_frames = 0

    def __init__(self, context_frames: int, *, pull: float = 0.0, bound: float = 2.0) -> None:
        name = type(self).__name__
        if context_frames < 1:
            raise UserError(f'{name} needs 1 or more frames of context, got {context_frames}')
        if not 0 <= pull <= 1 or not bound > 0:
            raise UserError(f'{name}: pull={pull} must lie in [0, 1] and bound={bound} above 0')
        self.context_frames = context_frames
        self.pull = pull
        self.bound = bound

    @abstractmethod
    def weights(self) -> Tensor:
        """Weight in [0, 1] of each context code against the prediction of the next window, shape (context_frames,)."""

    def window_boundaries(self, num_frames: int, total_frames: int) -> list[int]:
        """Frames at which discontinuities may be visible in a sequence of ``total_frames`` codes.

        Args:
            num_frames (int): Codes of one window.
            total_frames (int): Codes of the sequence.

        Returns:
            list[int]: For every window after the first: its first code that the previous window does not output and,
            where windows overlap, the first code after the overlap.
        """
        firsts = range(num_frames - self.pending_frames, total_frames, num_frames - self.context_frames)
        boundaries = {frame for first in firsts for frame in (first, first + self.pending_frames)}
        return sorted(frame for frame in boundaries if frame < total_frames)

    def correction(self, context: Tensor | None, std: Tensor) -> Correction | None:
        """The map applied to the predicted clean window at every sampling step.

        Args:
            context (Tensor, optional): Normalized last codes of the previous window, shape (B, context_frames, N); None
                for the first window.
            std (Tensor): Standard deviation of the normalized codes, shape (N,).

        Returns:
            Correction | None: Maps a window (B, T, N) to the corrected one; None if there is nothing to correct.
        """
        # the motion condition fixes the first code already
        constrained = context is not None and self.context_frames > 1
        if not constrained and self.pull == 0:
            return None
        limits = (self.bound * std, ) if self.pull else ()  # (N,)
        # copied to the device here, since a CUDA graph cannot copy from the host
        held = (context, self.weights().to(context)[:, None]) if constrained else ()  # (context_frames, 1)

        def function(window: Tensor, *tensors: Tensor) -> Tensor:
            if self.pull:
                limit, *tensors = tensors
                ramp = torch.linspace(0, self.pull, window.shape[1], device=window.device)[:, None]  # (T, 1)
                window = window.lerp(window.clamp(-limit, limit), ramp)
            if constrained:
                context, weight = tensors
                start = window[:, :self.context_frames].lerp(context, weight)
                window = torch.cat([start, window[:, self.context_frames:]], dim=1)
            return window

        return Correction(function, (*limits, *held), (self.pull, constrained))


@LONG_VIDEO.register_module()
class LastCode(LongVideoStrategy):
    """The last code of a window is the first of the next (LEO, arXiv 2305.03989, section 3.2).

    The next window knows the position but not the velocity that led to it.
    """

    def __init__(self, *, pull: float = 0.0, bound: float = 2.0) -> None:
        super().__init__(1, pull=pull, bound=bound)

    def weights(self) -> Tensor:
        return torch.ones(1)


@LONG_VIDEO.register_module()
class History(LongVideoStrategy):
    """The last ``context_frames`` codes of a window are the first codes of the next, which thus sees the velocity.

    The replacement method of video diffusion (arXiv 2204.03458, section 3.1), applied to the predicted clean sample
    instead of the noisy one. A model that was not trained to continue several codes leaves rougher boundaries than with
    :class:`LastCode` (docs/results/motion_lab.md).
    """

    def __init__(self, context_frames: int = 4, *, pull: float = 0.0, bound: float = 2.0) -> None:
        super().__init__(context_frames, pull=pull, bound=bound)

    def weights(self) -> Tensor:
        return torch.ones(self.context_frames)


@LONG_VIDEO.register_module()
class Overlap(LongVideoStrategy):
    """Consecutive windows share ``overlap`` codes and are blended over them while the second window is sampled.

    The second window starts exactly at the first shared code; the constraint decreases towards the last one. The shared
    codes are those of the second window.

    Args:
        overlap (int): Shared codes, less than the window's length.
        ramp (str): How the constraint decreases: ``'cosine'``, flat at both ends, ``'linear'``, or ``'minimum_jerk'``:
            the smoothest transition of windows whose difference grows linearly from the first shared code.
        pull (float): See :class:`LongVideoStrategy`.
        bound (float): See :class:`LongVideoStrategy`.
    """

    def __init__(self, overlap: int = 8, *, ramp: str = 'cosine', pull: float = 0.0, bound: float = 2.0) -> None:
        super().__init__(overlap, pull=pull, bound=bound)
        if ramp not in RAMPS:
            raise UserError(f'Overlap: ramp must be one of {", ".join(RAMPS)}, got {ramp!r}')
        self.ramp = ramp
        self.pending_frames = overlap - 1

    def weights(self) -> Tensor:
        line = torch.linspace(1, 0, self.context_frames + 1)[:-1]  # from 1 at the first shared code to 0 after the last
        if self.ramp == 'minimum_jerk':
            # with u = 1 - line, u w(u) is the polynomial of degree 5 (doi 10.1523/JNEUROSCI.05-07-01688.1985) that
            # leaves 0 with slope 1 and ends in 0, both without acceleration, the end without velocity
            return line ** 3 * (4 - 3 * line)
        return line if self.ramp == 'linear' else (1 - torch.cos(torch.pi * line)) / 2
