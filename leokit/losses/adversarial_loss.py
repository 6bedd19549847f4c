"""The adversarial objective."""

from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES


@LOSSES.register_module()
class NonSaturatingLoss(nn.Module):
    """Non-saturating logistic loss (Goodfellow et al. 2014; StyleGAN2 and LIA).

    Args:
        weight (float): Factor of the generator's term, applied by the caller.
        name (str): The generator's term is logged as ``loss_<name>``.
    """

    def __init__(self, weight: float = 1.0, *, name: str = 'adversarial'):
        super().__init__()
        self.weight = weight
        self.name = name

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """Mean of -log sigmoid(fake) over the logits of generated images, float32."""
        return F.softplus(-fake_logits.float()).mean()

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Mean of -log sigmoid(real) plus mean of -log(1 - sigmoid(fake)), float32.

        Args:
            real_logits (Tensor): Logits of real images.
            fake_logits (Tensor): Logits of generated images, detached from the generator.
        """
        return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()
