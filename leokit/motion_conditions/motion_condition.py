"""The contract of a motion condition: how the motion diffusion is given the first code of a sequence.

A condition consists of four maps without parameters: ``split`` takes a sequence apart into the variable that is noised
and the first code, ``network_input`` builds the input of the denoiser, ``network_output`` selects the part of its
output that belongs to the noised variable, and ``assemble`` inverts ``split``.

All of them work on normalized codes ``(alpha - mean) / unit``, with one ``unit`` per motion dimension. The condition
chooses it so that the noised variable has about unit variance, which the forward process assumes. Normalization uses
the same factor for every frame, so it keeps sums and differences of codes: ``alpha_i = alpha_1 + m_i`` holds for
normalized codes too.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor


class NetworkInput(NamedTuple):
    """Arguments of a diffusion backbone, apart from the time.

    Attributes:
        x (Tensor): Sequence, shape (B, T, N).
        cond (Tensor, optional): Condition vector, shape (B, cond_dim), for backbones that take one.
    """

    x: Tensor
    cond: Tensor | None = None


class MotionCondition(ABC):
    """Base of the motion conditions.

    Attributes:
        uses_start (bool): True if the first code is given, so that a sequence can continue another one.
    """

    uses_start: bool

    @abstractmethod
    def unit(self, std: Tensor, residual_std: Tensor) -> Tensor:
        """The unit in which codes are normalized.

        Args:
            std (Tensor): Standard deviation of the codes per dimension, shape (N,).
            residual_std (Tensor): Root mean square of ``alpha_i - alpha_1`` within sequences, shape (N,).

        Returns:
            Tensor: Unit per dimension, shape (N,); the caller guards against zeros.
        """

    @abstractmethod
    def split(self, motion: Tensor) -> tuple[Tensor, Tensor | None]:
        """Take a sequence apart.

        Args:
            motion (Tensor): Normalized codes, shape (B, T, N).

        Returns:
            tuple: The noised variable, shape (B, T', N); the first code, shape (B, N), or None.
        """

    @abstractmethod
    def noised_frames(self, num_frames: int) -> int:
        """Number of frames of the noised variable: T' of :meth:`split`."""

    @abstractmethod
    def network_input(self, noisy: Tensor, start: Tensor | None) -> NetworkInput:
        """Build the input of the denoiser.

        Args:
            noisy (Tensor): The noised variable at some diffusion time, shape (B, T', N).
            start (Tensor, optional): Normalized first code, shape (B, N).
        """

    @abstractmethod
    def network_output(self, output: Tensor) -> Tensor:
        """Select the prediction of the noised variable: (B, T, N) -> (B, T', N)."""

    @abstractmethod
    def assemble(self, clean: Tensor, start: Tensor | None) -> Tensor:
        """The inverse of :meth:`split`.

        Args:
            clean (Tensor): The denoised variable, shape (B, T', N).
            start (Tensor, optional): Normalized first code, shape (B, N).

        Returns:
            Tensor: Normalized codes, shape (B, T, N).
        """
