"""Losses on pixel values."""

from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES


@LOSSES.register_module()
class L1Loss(nn.Module):
    """Mean absolute difference of pixels (LIA, equation 8).

    Args:
        weight (float): Factor, applied by the caller.
        name (str): The loss is logged as ``loss_<name>``.
    """

    def __init__(self, weight: float = 1.0, *, name: str = 'l1'):
        super().__init__()
        self.weight = weight
        self.name = name

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Unweighted loss of images (B, 3, H, W), a float32 scalar."""
        return F.l1_loss(prediction.float(), target.float())
