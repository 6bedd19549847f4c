"""A loss on the pixels that differ between source and driving frame, such as the expression of a face at constant pose.

Under a mean absolute error every pixel has the same gradient magnitude, so a mouth that covers 1 % of the image has 1 %
of the gradient, however wrong it is. Here the weight of a pixel is the error of copying the source, and pairs with
small changes count as much as pairs with large ones. In pairs that are close in time
(``FramePairDataset(distance_power=-1)``), the mouth and eyes therefore get most of the weight. This loss is not part of
LIA.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES


@LOSSES.register_module()
class ChangedPixelLoss(nn.Module):
    """Mean absolute error, weighted by the local difference of source and driving frame; weights of a pair have mean 1.

    Args:
        weight (float): Factor, applied by the caller.
        name (str): The loss is logged as ``loss_<name>``.
        floor (float): Added to the difference, in units of the image range [-1, 1]; about the level of noise. It is the
            weight of pixels that do not change.
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
            change = (driving - source.float()).abs().mean(1, keepdim=True)  # (B, 1, H, W)
            reach = max(1, source.shape[-1] // 64)  # radius in pixels
            change = F.avg_pool2d(change, 2 * reach + 1, 1, reach, count_include_pad=False) + self.floor
            weights = change / change.mean((2, 3), keepdim=True)
        return (weights * (prediction.float() - driving).abs()).mean()
