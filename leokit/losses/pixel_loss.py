"""Losses on the pixels themselves."""

from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES


@LOSSES.register_module()
class L1Loss(nn.Module):
    """Mean absolute difference of the pixels (LIA, equation 8).

    Args:
        weight (float): Factor; the caller applies it.
        name (str): The loss appears as ``loss_<name>``.
    """

    def __init__(self, weight: float = 1.0, *, name: str = 'l1'):
        super().__init__()
        self.weight = weight
        self.name = name

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            prediction (Tensor): Shape (B, 3, H, W) in [-1, 1].
            target (Tensor): Same shape and range.

        Returns:
            Tensor: A float32 scalar.
        """
        return F.l1_loss(prediction.float(), target.float())
