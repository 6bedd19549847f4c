"""A loss on the flows: the error of the downsampled source image warped by the flow of every resolution.

The reconstruction loss reaches a flow only through the feature maps that it warps and the to-RGB layers behind them.
Here the downsampled source image is warped by each flow and compared with the driving image of that resolution: at 8x8
a displacement of one pixel spans an eighth of the image, so large motion has a gradient too. This is the pyramid of
classical optical flow (Lucas and Kanade, IJCAI 1981; unsupervised in Yu et al., ECCV workshops 2016, arXiv 1608.05842).
Not part of LIA.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES, WARP_OPERATORS


@LOSSES.register_module()
class WarpedSourceLoss(nn.Module):
    """Mean absolute error of the source image warped by the flow of each resolution, averaged over resolutions.

    Args:
        weight (float): Factor, applied by the caller.
        name (str): The loss is logged as ``loss_<name>``.
        warp_operator (dict, optional): Config in WARP_OPERATORS, as the flow generator's; ``BilinearWarp`` by default.
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
            small, target = (F.adaptive_avg_pool2d(image.float(), flow.shape[-2:]) for image in (source, driving))
            mask = torch.ones_like(flow[:, :1])
            total = total + F.l1_loss(self.warp(small, flow, mask), target)
        return total / len(flows)
