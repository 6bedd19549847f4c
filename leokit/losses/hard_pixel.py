"""The worst pixels: a loss on what a mean over the whole picture leaves for last.

A mouth that stays closed is wrong in one pixel out of fifty, and a mean over the picture divides it by fifty. Here only
the worst share of the pixels of every picture counts: bootstrapped losses of semantic segmentation (Wu et al., arXiv
1605.06885; hard examples as in Shrivastava et al., CVPR 2016, arXiv 1604.03540). Neither LIA nor LEO has such a term.
"""

from torch import Tensor, nn

from leokit.registry import LOSSES
from leokit.utils import UserError


@LOSSES.register_module()
class HardPixelLoss(nn.Module):
    """Mean absolute difference of the worst pixels of every picture.

    Args:
        weight (float): Factor; the caller applies it.
        share (float): The share of the pixels that count, in (0, 1]; 1 is :class:`L1Loss`.
        name (str): The loss appears as ``loss_<name>``.

    Raises:
        UserError: If the share is out of range.
    """

    def __init__(self, weight: float = 1.0, *, share: float = 0.05, name: str = 'hard'):
        super().__init__()
        if not 0 < share <= 1:
            raise UserError(f'share of HardPixelLoss must be above 0 and at most 1, got {share}')
        self.weight = weight
        self.share = share
        self.name = name

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            prediction (Tensor): Shape (B, 3, H, W) in [-1, 1].
            target (Tensor): Same shape and range.

        Returns:
            Tensor: A float32 scalar.
        """
        errors = (prediction.float() - target.float()).abs().mean(1).flatten(1)  # (B, H W)
        count = max(1, round(self.share * errors.shape[1]))
        return errors.topk(count, dim=1, sorted=False).values.mean()
