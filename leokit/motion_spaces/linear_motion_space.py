"""The linear motion space of LIA (ICLR 2022, section 3.1): N orthonormal directions of the latent space.

The directions are the Q of a reduced Householder QR of a learned matrix, with the signs that LAPACK returns; a QR that
normalizes the signs gives another motion space.
"""

from functools import partial
from typing import Callable

import torch
from torch import Tensor, nn

from leokit.registry import MOTION_SPACES
from leokit.utils import check_shape

MATRIX_OFFSET = 1e-8  # added to the matrix before the QR, as in the public implementation


@MOTION_SPACES.register_module()
class LinearMotionSpace(nn.Module):
    """Motion codes as coordinates along orthonormal latent directions.

    The directions stay float32 under autocast.

    Args:
        appearance_dim (int): Dimension D of the latent.
        motion_dim (int): Number N of directions.
    """

    def __init__(self, appearance_dim: int = 512, motion_dim: int = 20):
        super().__init__()
        if not 1 <= motion_dim <= appearance_dim:
            raise ValueError(f'motion_dim must be from 1 to appearance_dim ({appearance_dim}), got {motion_dim}')
        self.weight = nn.Parameter(torch.randn(appearance_dim, motion_dim))

    def directions(self) -> Tensor:
        """The orthonormal directions Q, shape (D, N), float32."""
        return torch.linalg.qr(self.weight.float() + MATRIX_OFFSET, mode='reduced').Q

    def forward(self, appearance: Tensor, motion: Tensor) -> Tensor:
        """Latent of an appearance and a motion code: w + Q α.

        Args:
            appearance (Tensor): w, shape (B, D).
            motion (Tensor): α, shape (B, N) or (B, T, N).

        Returns:
            Tensor: Latent, shape (B, D) or (B, T, D), float32.
        """
        return self._move(appearance, motion, self.directions())

    def frozen(self) -> Callable[[Tensor, Tensor], Tensor]:
        """The same map with the directions as they are now: without a QR in each call, for inference."""
        with torch.no_grad():
            return partial(self._move, directions=self.directions())

    def _move(self, appearance: Tensor, motion: Tensor, directions: Tensor) -> Tensor:
        check_shape('appearance', appearance, (None, len(self.weight)))
        with torch.autocast(appearance.device.type, enabled=False):
            displacement = motion.float() @ directions.t()  # (B, N) or (B, T, N) -> (B, D) or (B, T, D)
            appearance = appearance.float()
            return displacement + (appearance if motion.ndim == 2 else appearance[:, None])


def frozen(space: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A motion space for many calls with the same weights: its ``frozen()`` if it has one, else the space itself."""
    return space.frozen() if hasattr(space, 'frozen') else space


def relative_motion(driving: Tensor, start: Tensor, source: Tensor) -> Tensor:
    """Relative motion transfer, α_d − α_start + α_s: the motion since the start frame, applied to a source.

    Args:
        driving (Tensor): α_d, shape (B, N) or (B, T, N).
        start (Tensor): α of the driving video's start frame, shape (B, N) or (1, N).
        source (Tensor): α_s of the source image, shape (B, N) or (1, N).

    Returns:
        Tensor: Motion codes, shaped like ``driving``.
    """
    offset = source - start
    return driving + (offset if driving.ndim == 2 else offset[:, None])
