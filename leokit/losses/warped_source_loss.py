"""A loss on the flows themselves: the source picture, warped at every side of the pyramid.

The reconstruction sees the flow of a side only through the features of that side and the color heads behind them. Here
the picture itself, made smaller, is warped by each flow and compared with the driving picture of that size: at 8 pixels
a side a step of one pixel spans an eighth of the picture, so even far motion has a gradient. The idea is the pyramid of
classical optical flow (Lucas and Kanade, IJCAI 1981; unsupervised in Yu et al., ECCV workshops 2016, arXiv 1608.05842).
LIA has no such term.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES, WARP_OPERATORS


@LOSSES.register_module()
class WarpedSourceLoss(nn.Module):
    """Mean absolute error of the source picture warped by the flow of each side, averaged over sides.

    Args:
        weight (float): Factor; the caller applies it.
        name (str): The loss appears as ``loss_<name>``.
        warp_operator (dict, optional): Config in WARP_OPERATORS, the flow generator's; ``BilinearWarp`` by default.
    """

    reads = ('source', 'driving', 'flows')

    def __init__(self, weight: float = 1.0, *, name: str = 'warp', warp_operator: dict | None = None):
        super().__init__()
        self.weight = weight
        self.name = name
        self.warp = WARP_OPERATORS.build(warp_operator or dict(type='BilinearWarp'))

    def forward(self, source: Tensor, driving: Tensor, *flows: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            source (Tensor): Shape (B, 3, H, W) in [-1, 1].
            driving (Tensor): Same shape and range.
            *flows (Tensor): Normalized sampling offsets, x first, shape (B, 2, s, s), s up to H.

        Returns:
            Tensor: A float32 scalar.
        """
        total = source.new_zeros((), dtype=torch.float32)
        for flow in flows:
            small, wanted = (F.adaptive_avg_pool2d(image.float(), flow.shape[-2:]) for image in (source, driving))
            everywhere = torch.ones_like(flow[:, :1])
            total = total + F.l1_loss(self.warp(small, flow, everywhere), wanted)
        return total / len(flows)
