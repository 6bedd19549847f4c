"""The contract of a motion condition.

A condition is a set of four maps without parameters: ``split`` says what is noised, ``network_input``
what the network sees, ``network_output`` what of its output counts, ``assemble`` puts the sequence back.

All of them work on normalized codes ``(alpha - mean) / unit`` with one ``unit`` per motion dimension,
which the condition chooses (``unit``) such that the variable it noises has about unit variance, as the
forward process supposes. The map is affine with one factor per dimension for every frame, so sums and
differences of codes stay what they are in the motion space: ``alpha_i = alpha_1 + m_i`` holds in both.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from leokit.utils import UserError, check_shape

RESIDUAL_FLOOR = 0.1  # bounds normalized first codes to a deviation of 10


class NetworkInput(NamedTuple):
    """What a backbone is called with beside the time.

    Attributes:
        x (Tensor): Sequence, shape (B, T, N).
        cond (Tensor, optional): Condition vector, shape (B, cond_dim), for backbones built with one.
    """

    x: Tensor
    cond: Tensor | None = None


class MotionCondition(ABC):
    """Base of the motion conditions.

    Attributes:
        uses_start (bool): Whether the first code is given, so that a sequence can continue another one.
    """

    uses_start: bool

    @abstractmethod
    def unit(self, std: Tensor, residual_std: Tensor) -> Tensor:
        """The unit in which codes are normalized.

        Args:
            std (Tensor): Deviation of the codes per dimension, shape (N,).
            residual_std (Tensor): Deviation of ``alpha_i - alpha_1`` within a sequence, shape (N,).

        Returns:
            Tensor: Unit per dimension, not yet guarded against zeros, shape (N,).
        """

    @abstractmethod
    def split(self, motion: Tensor) -> tuple[Tensor, Tensor | None]:
        """Take a sequence apart.

        Args:
            motion (Tensor): Normalized codes, shape (B, T, N).

        Returns:
            tuple: What is noised, shape (B, T', N); the first code, shape (B, N), or None.

        Raises:
            UserError: If the sequence is too short to hold anything to noise.
        """

    @abstractmethod
    def noised_frames(self, num_frames: int) -> int:
        """How many of T frames are noised: T' of :meth:`split`."""

    @abstractmethod
    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        """Build what the network sees.

        Args:
            noisy (Tensor): The noised variable at some diffusion time, shape (B, T', N).
            start (Tensor, optional): Normalized first code, shape (B, N).

        Returns:
            NetworkInput: Sequence (B, T, N), and a condition vector if there is one.
        """

    @abstractmethod
    def network_output(self, output: Tensor) -> Tensor:
        """Pick what of the network's output (B, T, N) speaks of the noised variable, shape (B, T', N)."""

    @abstractmethod
    def assemble(self, clean: Tensor, start: Tensor | None) -> Tensor:
        """Put a sequence together: the inverse of :meth:`split`.

        Args:
            clean (Tensor): The denoised variable, shape (B, T', N).
            start (Tensor, optional): Normalized first code, shape (B, N).

        Returns:
            Tensor: Normalized codes, shape (B, T, N).
        """


class StartCondition(MotionCondition):
    """What the conditions on the first code share: the residuals ``m_i = alpha_i - alpha_1``, i >= 2, are noised."""

    uses_start = True

    def unit(self, std: Tensor, residual_std: Tensor) -> Tensor:
        """The residuals' deviation, since the residuals are what is noised, but at least a tenth of the codes'.

        A dimension in which sequences hardly move but differ from each other would otherwise give the
        network first codes of tens of units, which would drown the other dimensions.
        """
        return torch.maximum(residual_std, RESIDUAL_FLOOR * std)

    def split(self, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Residuals (B, T-1, N) and first code (B, N) of a sequence (B, T, N); see the base class."""
        check_shape('motion', motion, (None, None, None))
        if motion.shape[1] < 2:
            raise UserError(f'a motion sequence needs at least 2 frames to be conditioned on its first, got '
                            f'{motion.shape[1]}; raise num_frames')
        start = motion[:, 0]
        return motion[:, 1:] - start[:, None], start

    def noised_frames(self, num_frames: int) -> int:
        """T - 1; see the base class."""
        return num_frames - 1

    def network_output(self, output: Tensor) -> Tensor:
        """Drop the first frame, which was never noised: (B, T, N) to (B, T-1, N)."""
        return output[:, 1:]

    def assemble(self, clean: Tensor, start: Tensor | None) -> Tensor:
        """``[alpha_1, alpha_1 + m]``, shape (B, T, N); see the base class."""
        first = start[:, None]
        return torch.cat([first, first + clean], dim=1)
