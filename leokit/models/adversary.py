"""A discriminator, what it sees and its losses.

Generator and discriminator take their step from one backward pass over the sum of all losses: the generator's term sees
the discriminator's weights detached, the discriminator's term sees the generated images detached, so each gradient
reaches its own network only.
"""

from typing import Callable, NamedTuple

from mmengine.logging import MessageHub
from torch import Tensor, nn
from torch.func import functional_call

from leokit.registry import DISCRIMINATORS, LOSSES
from leokit.utils.early_gradients import with_early_gradients


class Adversary(NamedTuple):
    """The opponent of a generator.

    Attributes:
        discriminator (nn.Module): Maps images to logits.
        objective (nn.Module): The adversarial loss, with ``generator_loss`` and ``discriminator_loss``.
        penalty (nn.Module, optional): The gradient penalty at real images.
        name (str): The discriminator's loss is logged as ``loss_<name>``.
        view (Callable): What the discriminator sees of images (B, 3, H, W).
        weight (float | Tensor): Of the generator's loss.
    """

    discriminator: nn.Module
    objective: nn.Module
    penalty: nn.Module | None
    name: str
    view: Callable[[Tensor], Tensor]
    weight: float | Tensor

    def losses(self, fake: Tensor, real: Tensor) -> dict[str, Tensor]:
        """Weighted losses of generator and discriminator.

        Args:
            fake (Tensor): Generated images, shape (B, 3, H, W).
            real (Tensor): Real images, same shape.
        """
        # differentiated at once, so that the activations of one term are in memory
        terms = {}
        if self.objective.weight:  # a number, 0 before its ramp begins, see LossRampHook
            frozen = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
            terms[f'loss_{self.objective.name}'] = with_early_gradients(
                lambda seen: self.weight * self.objective.generator_loss(
                    functional_call(self.discriminator, frozen, (self.view(seen),))), fake)
        terms[f'loss_{self.name}'] = with_early_gradients(
            lambda: self.objective.discriminator_loss(
                self.discriminator(self.view(real)), self.discriminator(self.view(fake.detach()))),
            weights=tuple(self.discriminator.parameters()))
        return terms

    def gradient_penalty(self, real: Tensor) -> dict[str, Tensor]:
        """The penalty at what the discriminator sees of real images (B, 3, H, W); empty if there is none."""
        if self.penalty is None:
            return {}
        iteration = current_iteration()
        return {f'loss_{self.penalty.name}': with_early_gradients(
            lambda: self.penalty(self.discriminator, self.view(real), iteration),
            weights=tuple(self.discriminator.parameters()))}


def current_iteration() -> int | None:
    """Completed iterations of the training, which MMEngine's message hub knows; None outside a Runner."""
    return MessageHub.get_current_instance().runtime_info.get('iter')


def adversarial_parts(widths: dict, key: str, discriminator: dict | None, adversarial: dict | None, r1: dict | None,
                      suffix: str = '') -> tuple[nn.Module | None, nn.Module | None, nn.Module | None]:
    """Build discriminator, adversarial loss and gradient penalty; each None where there is no config.

    Args:
        widths (dict): Arguments of the discriminator that the model knows.
        key (str): Where the configs stand, for errors.
        discriminator (dict, optional): Config in DISCRIMINATORS.
        adversarial (dict, optional): Config in LOSSES; the non-saturating loss by default.
        r1 (dict, optional): Config in LOSSES.
        suffix (str): Of the names of the losses, unless their configs name them.
    """
    if discriminator is None:
        if adversarial or r1:
            raise ValueError(f'{key}.adversarial and {key}.r1 need {key}.discriminator')
        return None, None, None
    adversarial = dict(adversarial or dict(type='NonSaturatingLoss'))
    if suffix:
        adversarial.setdefault('name', f'adversarial{suffix}')
        r1 = r1 and {'name': f'r1{suffix}', **r1}
    return DISCRIMINATORS.build({**discriminator, **widths}), LOSSES.build(adversarial), r1 and LOSSES.build(r1)
