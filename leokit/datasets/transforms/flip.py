"""Horizontal flip shared by all frames of a sample."""

import torch
from torch import Tensor

from leokit.datasets.transforms.base import BatchTransform
from leokit.registry import TRANSFORMS
from leokit.utils.device_constant import device_constant


@TRANSFORMS.register_module()
class PairedFlip(BatchTransform):
    """Flip all frames of a sample horizontally.

    Args:
        probability (float): Probability that a sample is flipped.
    """

    supports_cuda_graph = True

    def __init__(self, probability: float = 0.5) -> None:
        super().__init__(probability)

    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return the mask of the samples to flip, bool (B,)."""
        return active

    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Flip the images (B, 3, H, W) where ``parameters`` (B,) is True."""
        return torch.where(parameters[:, None, None, None], images.flip(-1), images)

    def apply_to_regions(self, regions: Tensor, parameters: Tensor) -> Tensor:
        """Mirror regions (B, R, 2, 3) where ``parameters`` (B,) is True; right and left eye keep their rows."""
        mirrored = regions * device_constant(((-1.0,), (1.0,)), regions.device, regions.dtype)
        return torch.where(parameters[:, None, None, None], mirrored, regions)
