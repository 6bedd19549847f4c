"""A loss on what changes between source and driving frame: the expression of a face that keeps its pose.

The gradient of a mean absolute error counts pixels, not errors: a mouth of a hundredth of the picture has a hundredth
of the gradient, however wrong it is, and heads and backgrounds have the rest. Here a pixel counts by how much copying
the source would miss it by, and a pair that changes little counts as much as one that changes a lot. With pairs that
lie near in time (``FramePairDataset(distance_power=-1)``), where little but mouth and eyes has moved, these then have
most of the weight. LIA has no such term.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES


@LOSSES.register_module()
class ChangedPixelLoss(nn.Module):
    """Mean absolute error, pixels weighted by the difference of source and driving frame around them.

    The weights of every pair have mean 1.

    Args:
        weight (float): Factor; the caller applies it.
        name (str): The loss appears as ``loss_<name>``.
        floor (float): Added to the difference, in units of the picture's range [-1, 1]: what noise makes of it, and the
            weight of pixels that do not change.

    Raises:
        ValueError: If ``floor`` is not positive.
    """

    reads = ('source', 'driving', 'frames')

    def __init__(self, weight: float = 1.0, *, name: str = 'changed', floor: float = 0.02):
        super().__init__()
        if floor <= 0:
            raise ValueError(f'floor must be above 0, got {floor}')
        self.weight = weight
        self.name = name
        self.floor = floor

    def forward(self, source: Tensor, driving: Tensor, prediction: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            source (Tensor): Shape (B, 3, H, W) in [-1, 1].
            driving (Tensor): Same shape and range.
            prediction (Tensor): Same shape.

        Returns:
            Tensor: A float32 scalar.
        """
        driving = driving.detach().float()
        with torch.no_grad():
            change = (driving - source.float()).abs().mean(1, keepdim=True)
            reach = max(1, source.shape[-1] // 64)  # pixels to either side
            change = F.avg_pool2d(change, 2 * reach + 1, 1, reach, count_include_pad=False) + self.floor
            weights = change / change.mean((-2, -1), keepdim=True)
        return (weights * (prediction.float() - driving).abs()).mean()
