"""Rotation, scaling and translation shared by all frames of a sample."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from leokit.datasets.transforms.base import BatchTransform, uniform
from leokit.nn.face_regions import move_regions
from leokit.registry import TRANSFORMS
from leokit.utils.device_constant import device_constant

PADDINGS = ('reflection', 'border')


@TRANSFORMS.register_module()
class PairedAffine(BatchTransform):
    """Rotate, scale and shift all frames of a sample by the same amounts, about the image center.

    Args:
        rotation (float): Largest angle in degrees; uniform in [-rotation, rotation].
        scale (float): Magnification, log-uniform in [1 / (1 + scale), 1 + scale].
        translation (float): Largest shift in x and in y as a fraction of the image size; uniform.
        padding (str): Pixels beyond the edges: ``'reflection'`` or ``'border'``.
        probability (float): Probability that a sample is transformed.
    """

    supports_cuda_graph = True

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
        """Sample affine maps from output to input positions, shape (B, 2, 3), in normalized coordinates (x first)."""
        limits = device_constant((math.radians(self.rotation), math.log1p(self.scale), 2 * self.translation,
                                  2 * self.translation), active.device)
        angle, log_scale, right, down = (
            uniform(-1, 1, (4, len(active)), active.device, generator).mul(active) * limits[:, None])
        # The maps go from output to input positions, so they shrink where the image is magnified.
        cosine, sine = angle.cos() * torch.exp(-log_scale), angle.sin() * torch.exp(-log_scale)
        rows = rearrange([cosine, sine, -sine, cosine], '(row column) b -> b row column', row=2)  # (B, 2, 2)
        shift = -(rows @ torch.stack([right, down], dim=-1)[..., None])
        return torch.cat([rows, shift], dim=-1)

    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Resample images (B, 3, H, W) by the maps (B, 2, 3); rotations shear the image unless H = W."""
        grid = F.affine_grid(parameters.to(images.dtype), list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, mode='bilinear', padding_mode=self.padding, align_corners=False)

    def apply_to_regions(self, regions: Tensor, parameters: Tensor) -> Tensor:
        """Move regions (B, R, 2, 3) with the pixels."""
        return move_regions(regions, parameters)
