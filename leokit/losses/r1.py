"""The R1 gradient penalty of the discriminator, with lazy regularization."""

import torch
from torch import Tensor, nn

from leokit.nn.double_backward import FastDoubleBackward
from leokit.registry import LOSSES


@LOSSES.register_module()
class R1Penalty(nn.Module):
    """weight / 2 * E |grad D(x)|^2 at real images (Mescheder et al., ICML 2018), every ``interval`` iterations.

    Lazy regularization (StyleGAN2, section 3.1): the penalty changes slowly, so it is computed once every ``interval``
    iterations and multiplied by ``interval``. It needs second derivatives, which compiled code does not support and
    half precision makes inaccurate, so the discriminator always runs uncompiled and in float32 here.

    Args:
        weight (float): gamma; 10 in StyleGAN2's configuration for 256x256.
        interval (int): Iterations between penalties.
        name (str): The penalty is logged as ``loss_<name>``.
    """

    def __init__(self, weight: float = 10.0, interval: int = 16, *, name: str = 'r1'):
        super().__init__()
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        self.weight = weight
        self.interval = interval
        self.name = name

    def due(self, iteration: int) -> bool:
        """True if the penalty is computed in this iteration (counted from 0)."""
        return iteration % self.interval == 0

    def forward(self, discriminator: nn.Module, real: Tensor, iteration: int | None = None) -> Tensor:
        """The penalty, ``weight`` included.

        Args:
            discriminator (nn.Module): Maps images (B, 3, H, W) to logits (B, 1).
            real (Tensor): Real images, shape (B, 3, H, W) in [-1, 1].
            iteration (int, optional): The training iteration. If given, the penalty is lazy: zero in iterations
                in which it is not due, multiplied by ``interval`` in the others.

        Returns:
            Tensor: A float32 scalar.
        """
        if iteration is not None and not self.due(iteration):
            return torch.zeros((), device=real.device)
        # here and not as a decorator, which would import the compiler with the module
        return torch.compiler.disable(self._penalty)(discriminator, real, iteration)

    def _penalty(self, discriminator: nn.Module, real: Tensor, iteration: int | None) -> Tensor:
        factor = self.weight / 2 * (1 if iteration is None else self.interval)
        images = real.detach().float().requires_grad_(True)
        with torch.enable_grad(), torch.autocast(images.device.type, enabled=False), FastDoubleBackward():
            # forward() instead of a call, which would run the code that Module.compile() installed
            logits = getattr(discriminator, '_orig_mod', discriminator).forward(images)
            gradient, = torch.autograd.grad(logits.sum(), images, create_graph=True)
            return factor * gradient.square().sum(dim=(1, 2, 3)).mean()
