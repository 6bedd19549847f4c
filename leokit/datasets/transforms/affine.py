"""Small rotations, scalings and shifts shared by all frames of a sample."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from leokit.datasets.transforms.base import BatchTransform, uniform
from leokit.registry import TRANSFORMS

PADDINGS = ('reflection', 'border')


@TRANSFORMS.register_module()
class PairedAffine(BatchTransform):
    """Rotate, scale and shift all frames of a sample by the same amounts, about the image's center.

    Args:
        rotation (float): The angle is drawn from -rotation..rotation, in degrees.
        scale (float): The magnification is drawn from 1 / (1 + scale)..1 + scale, evenly in its logarithm.
        translation (float): The shift in x and in y is drawn from -translation..translation, in image sides.
        padding (str): What appears at the edges: ``'reflection'`` or ``'border'``.
        probability (float): Probability that a sample is changed.

    Raises:
        ValueError: If an amount is negative or the padding unknown.
    """

    def __init__(self, rotation: float = 5.0, scale: float = 0.05, *, translation: float = 0.03,
                 padding: str = 'reflection', probability: float = 1.0) -> None:
        super().__init__(probability)
        if min(rotation, scale, translation) < 0:
            raise ValueError(f'rotation, scale and translation must not be negative, got {rotation}, {scale}, '
                             f'{translation}')
        if padding not in PADDINGS:
            raise ValueError(f'padding must be one of {PADDINGS}, got {padding!r}')
        self.rotation, self.scale, self.translation, self.padding = rotation, scale, translation, padding

    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draw sampling maps.

        Args:
            active (Tensor): Which samples are changed, bool (B,).
            generator (torch.Generator, optional): Source of randomness.

        Returns:
            Tensor: Maps from output to input places, shape (B, 2, 3), in normalized coordinates (x first).
        """
        limits = torch.tensor([math.radians(self.rotation), math.log1p(self.scale), 2 * self.translation,
                               2 * self.translation], device=active.device)
        angle, log_scale, right, down = (
            uniform(-1, 1, (4, len(active)), active.device, generator).mul(active) * limits[:, None])
        # The map looks up where an output pixel comes from: it shrinks where the image is magnified.
        cosine, sine = angle.cos() * torch.exp(-log_scale), angle.sin() * torch.exp(-log_scale)
        rows = torch.stack([cosine, sine, -sine, cosine], dim=-1).unflatten(-1, (2, 2))
        shift = -(rows @ torch.stack([right, down], dim=-1)[..., None])
        return torch.cat([rows, shift], dim=-1)

    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Resample the images.

        Args:
            images (Tensor): Shape (B, 3, H, W); rotations are true to shape where H = W.
            parameters (Tensor): Maps, shape (B, 2, 3).

        Returns:
            Tensor: Shape (B, 3, H, W).
        """
        grid = F.affine_grid(parameters.to(images.dtype), list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, mode='bilinear', padding_mode=self.padding, align_corners=False)
