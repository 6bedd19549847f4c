"""The adversarial objective."""

from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import LOSSES


@LOSSES.register_module()
class NonSaturatingLoss(nn.Module):
    """Non-saturating logistic loss (Goodfellow et al. 2014; StyleGAN2 and LIA).

    Args:
        weight (float): Factor on the generator's term; the caller applies it.
        name (str): The generator's term appears as ``loss_<name>``.
    """

    def __init__(self, weight: float = 1.0, *, name: str = 'adversarial'):
        super().__init__()
        self.weight = weight
        self.name = name

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """-log sigmoid(fake), averaged.

        Args:
            fake_logits (Tensor): Logits of generated images, any shape.

        Returns:
            Tensor: A float32 scalar.
        """
        return F.softplus(-fake_logits.float()).mean()

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """-log sigmoid(real) - log(1 - sigmoid(fake)), each averaged.

        Args:
            real_logits (Tensor): Logits of real images, any shape.
            fake_logits (Tensor): Logits of generated images, detached from the generator, any shape.

        Returns:
            Tensor: A float32 scalar.
        """
        return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()
