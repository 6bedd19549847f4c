"""Mirroring all frames of a sample."""

import torch
from torch import Tensor

from leokit.datasets.transforms.base import BatchTransform
from leokit.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PairedFlip(BatchTransform):
    """Mirror all frames of a sample left to right.

    Args:
        probability (float): Probability that a sample is mirrored.
    """

    def __init__(self, probability: float = 0.5) -> None:
        super().__init__(probability)

    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """The samples that are mirrored, bool (B,): those that are active."""
        return active

    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Mirror the images (B, 3, H, W) for which ``parameters`` (B,) is true."""
        return torch.where(parameters[:, None, None, None], images.flip(-1), images)
