"""A pixel loss on mouth and eyes.

A mouth covers about 1 % of an image and so has 1 % of the gradient of a mean absolute error. Here each region is
averaged over its own pixels. The regions come with the data (``FramePairDataset(regions=...)``). Not part of LIA.
"""

from typing import Mapping

import torch
from torch import Tensor, nn

from leokit.nn.face_regions import FACE_REGIONS, check_parts, region_masks, region_rows
from leokit.registry import LOSSES


@LOSSES.register_module()
class FaceRegionLoss(nn.Module):
    """Mean absolute error in the regions of the driving face, each averaged over its own area, then over the batch.

    A pair in which a region was not found contributes 0 for it and counts in the average, so the gradient of a pair
    does not depend on the other pairs of the batch.

    Args:
        weight (float): Factor, applied by the caller.
        name (str): The loss is logged as ``loss_<name>``.
        weights (Mapping[str, float], optional): Factors of ``mouth``, ``eyes`` (half of it for each eye) and ``face``;
            1 for mouth and eyes by default.
    """

    reads = ('driving', 'frames', 'regions')

    def __init__(self, weight: float = 1.0, *, name: str = 'regions', weights: Mapping[str, float] | None = None):
        super().__init__()
        weights = dict(mouth=1.0, eyes=1.0) if weights is None else dict(weights)
        check_parts(weights, 'weights')
        if min(weights.values()) < 0:
            raise ValueError(f'weights must not be negative, got {weights}')
        self.weight = weight
        self.name = name
        factors = torch.zeros(len(FACE_REGIONS))
        for part, factor in weights.items():
            rows = region_rows(part)
            factors[rows] = factor / len(rows)
        self.register_buffer('factors', factors, persistent=False)

    def forward(self, driving: Tensor, prediction: Tensor, regions: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            driving (Tensor): Shape (B, 3, H, W) in [-1, 1].
            prediction (Tensor): Same shape.
            regions (Tensor): Maps of the driving frame's regions (:mod:`leokit.nn.face_regions`), shape (B, R, 2, 3).

        Returns:
            Tensor: A float32 scalar.
        """
        error = (prediction.float() - driving.detach().float()).abs().mean(1)  # (B, H, W)
        masks = region_masks(regions, *error.shape[1:]).float()
        means = (masks * error[:, None]).sum((2, 3)) / masks.sum((2, 3)).clamp(min=1)  # (B, R)
        return (means * self.factors).sum(1).mean()
