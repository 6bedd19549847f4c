"""The linear motion space of LIA (ICLR 2022, section 3.1): N orthonormal directions of the latent space.

The directions are the Q of a reduced Householder QR of a learned matrix. Its signs
are as LAPACK gives them; a QR that normalizes them is another motion space.
"""

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
        appearance_dim (int): Width D of the latent.
        motion_dim (int): Number N of directions.
    """

    def __init__(self, appearance_dim: int = 512, motion_dim: int = 20):
        super().__init__()
        if not 1 <= motion_dim <= appearance_dim:
            raise ValueError(f'motion_dim must be 1 … appearance_dim ({appearance_dim}), got {motion_dim}')
        self.weight = nn.Parameter(torch.randn(appearance_dim, motion_dim))

    def directions(self) -> Tensor:
        """The orthonormal directions Q, shape (D, N), float32."""
        with torch.autocast(self.weight.device.type, enabled=False):
            return torch.linalg.qr(self.weight.float() + MATRIX_OFFSET, mode='reduced').Q

    def forward(self, appearance: Tensor, motion: Tensor) -> Tensor:
        """Move an appearance along the directions: w + Q α.

        Args:
            appearance (Tensor): w, shape (B, D).
            motion (Tensor): α, shape (B, N) or (B, T, N).

        Returns:
            Tensor: Latent, shape (B, D) or (B, T, D), float32.
        """
        dim, motion_dim = self.weight.shape
        check_shape('appearance', appearance, (None, dim))
        with torch.autocast(appearance.device.type, enabled=False):
            displacement = motion.float() @ self.directions().t()
            appearance = appearance.float()
            return displacement + (appearance if motion.ndim == 2 else appearance[:, None])


def relative_motion(driving: Tensor, start: Tensor, source: Tensor) -> Tensor:
    """Motion of a driving video relative to its start, applied to a source: α_d − α_start + α_s.

    Args:
        driving (Tensor): α_d, shape (B, N) or (B, T, N).
        start (Tensor): α of the driving video's start frame, shape (B, N) or (1, N).
        source (Tensor): α_s of the source image, shape (B, N) or (1, N).

    Returns:
        Tensor: Motion codes, shaped like ``driving``.
    """
    offset = source - start
    return driving + (offset if driving.ndim == 2 else offset[:, None])


def navigate(motion: Tensor, direction: int, amounts: Tensor) -> Tensor:
    """Add amounts of one direction to a code: linear navigation (LIA, section 4.4).

    Args:
        motion (Tensor): α, shape (B, N).
        direction (int): Which direction, counted from 0.
        amounts (Tensor): Steps along it, shape (K,).

    Returns:
        Tensor: Shape (B, K, N).

    Raises:
        ValueError: If there is no such direction.
    """
    if not 0 <= direction < motion.shape[-1]:
        raise ValueError(f'direction must be from 0 to {motion.shape[-1] - 1}, got {direction}')
    steps = torch.zeros(len(amounts), motion.shape[-1], dtype=motion.dtype, device=motion.device)
    steps[:, direction] = amounts.to(motion)
    return motion[:, None] + steps
