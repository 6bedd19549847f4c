"""The forward process of a diffusion model: one table and the formulas that follow from it.

With ``a_t`` the cumulative product of ``1 - beta`` (DDPM, arXiv 2006.11239, equations 2 to 7):

    x_t = sqrt(a_t) x0 + sqrt(1 - a_t) eps
    v   = sqrt(a_t) eps - sqrt(1 - a_t) x0        (progressive distillation, arXiv 2202.00512, appendix D)

Diffusion time is an integer 0 … S-1, always of shape (B,). The time :data:`DATA_TIME` (-1) is the
data itself, ``a = 1``, so that every formula below also serves a sampler's last step.
"""

from typing import Callable, NamedTuple

import torch
from torch import Tensor, nn

from leokit.utils import UserError, check_shape

DATA_TIME = -1
PREDICTIONS = ('epsilon', 'x0', 'v')  # what a network may be trained to output


class Prediction(NamedTuple):
    """What a network believes of a noisy sample, in the two forms that samplers use.

    Attributes:
        x0 (Tensor): The clean sample, shape (B, ...).
        eps (Tensor): The noise, shape (B, ...).
    """

    x0: Tensor
    eps: Tensor


def broadcast_to_rank(values: Tensor, like: Tensor) -> Tensor:
    """Give one number per sample the rank and type of a batch.

    Args:
        values (Tensor): One number per sample, shape (B,).
        like (Tensor): The batch, shape (B, ...).

    Returns:
        Tensor: ``values`` in the type of ``like``, shape (B, 1, ..., 1).

    Raises:
        ValueError: If ``values`` is not of shape (B,).
    """
    check_shape('values', values, (like.shape[0],))
    return values.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))


class NoiseScheduler(nn.Module):
    """The forward process for a given list of betas. Nothing here changes after construction.

    The table stays float64 whatever type the model is cast to, follows the model's device, and is not
    part of a state dict: a checkpoint is not tied to it.

    Args:
        betas (Tensor): Variances of the forward steps, in (0, 1), shape (S,).

    Raises:
        UserError: If a beta lies outside (0, 1).
    """

    alphas_cumprod: Tensor

    def __init__(self, betas: Tensor) -> None:
        super().__init__()
        betas = betas.to(torch.float64)
        if betas.ndim != 1 or len(betas) == 0 or not bool(((betas > 0) & (betas < 1)).all()):
            raise UserError('noise_scheduler: every beta must lie between 0 and 1, and there must be at least one; '
                            'check num_train_timesteps and the start and end of the schedule')
        self.register_buffer('alphas_cumprod', torch.cumprod(1 - betas, dim=0), persistent=False)
        self.register_buffer('betas', betas, persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        # model.half() or model.to(bfloat16) must not round the tables; only the device is followed
        device = fn(self.betas).device
        return super()._apply(lambda table: table.to(device), recurse)

    @property
    def num_train_timesteps(self) -> int:
        """Number of diffusion steps S."""
        return len(self.betas)

    # ---- the schedule ------------------------------------------------------
    def signal_level(self, t: Tensor) -> Tensor:
        """``a_t``, the share of the signal's variance left at time t; 1 at :data:`DATA_TIME`.

        Args:
            t (Tensor): Diffusion time in -1 … S-1, shape (B,).

        Returns:
            Tensor: ``a_t``, float64, shape (B,).
        """
        check_shape('t', t, (None,))
        return torch.where(t < 0, 1.0, self.alphas_cumprod[t.clamp_min(0)])

    def signal_to_noise(self, t: Tensor) -> Tensor:
        """``a_t / (1 - a_t)``, float64, for times 0 … S-1, shape (B,)."""
        level = self.signal_level(t)
        return level / (1 - level)

    def _roots(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """``sqrt(a_t)`` and ``sqrt(1 - a_t)``, each (B, 1, ...) in the type of ``like``."""
        level = self.signal_level(t)
        return broadcast_to_rank(level.sqrt(), like), broadcast_to_rank((1 - level).sqrt(), like)

    # ---- forward process and conversions -----------------------------------
    def add_noise(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """``x_t`` from the clean sample and the noise.

        Args:
            x0 (Tensor): Clean sample, shape (B, ...).
            eps (Tensor): Standard normal noise, shaped like ``x0``.
            t (Tensor): Diffusion time, shape (B,).

        Returns:
            Tensor: Noisy sample, shaped like ``x0``.

        Raises:
            ValueError: If the shapes do not fit.
        """
        check_shape('eps', eps, tuple(x0.shape))
        signal, noise = self._roots(t, x0)
        return signal * x0 + noise * eps

    def velocity(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """``v`` from the clean sample (B, ...), the noise (B, ...) and the time (B,)."""
        signal, noise = self._roots(t, x0)
        return signal * eps - noise * x0

    def x0_from_eps(self, x_t: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """The clean sample from the noisy one (B, ...), its noise (B, ...) and the time (B,)."""
        signal, noise = self._roots(t, x_t)
        return (x_t - noise * eps) / signal

    def eps_from_x0(self, x_t: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        """The noise from the noisy sample (B, ...), the clean one (B, ...) and the time 0 … S-1 (B,)."""
        signal, noise = self._roots(t, x_t)
        return (x_t - signal * x0) / noise

    def x0_from_v(self, x_t: Tensor, v: Tensor, t: Tensor) -> Tensor:
        """The clean sample from the noisy one (B, ...), its velocity (B, ...) and the time (B,)."""
        signal, noise = self._roots(t, x_t)
        return signal * x_t - noise * v

    def eps_from_v(self, x_t: Tensor, v: Tensor, t: Tensor) -> Tensor:
        """The noise from the noisy sample (B, ...), its velocity (B, ...) and the time (B,)."""
        signal, noise = self._roots(t, x_t)
        return signal * v + noise * x_t

    # ---- what the network is trained on, and what its output means ---------
    def target(self, prediction: str, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """The regression target of a network.

        Args:
            prediction (str): ``'epsilon'``, ``'x0'`` or ``'v'``.
            x0 (Tensor): Clean sample, shape (B, ...).
            eps (Tensor): Its noise, shaped like ``x0``.
            t (Tensor): Diffusion time, shape (B,).

        Returns:
            Tensor: Target, shaped like ``x0``.

        Raises:
            UserError: If ``prediction`` is unknown.
        """
        if prediction == 'epsilon':
            return eps
        if prediction == 'x0':
            return x0
        if prediction == 'v':
            return self.velocity(x0, eps, t)
        raise unknown_prediction(prediction)

    def interpret(self, prediction: str, output: Tensor, x_t: Tensor, t: Tensor) -> Prediction:
        """Turn a network's output into the record that samplers read.

        Args:
            prediction (str): What the network outputs: ``'epsilon'``, ``'x0'`` or ``'v'``.
            output (Tensor): The network's output, shaped like ``x_t``.
            x_t (Tensor): Noisy sample, shape (B, ...).
            t (Tensor): Diffusion time 0 … S-1, shape (B,).

        Returns:
            Prediction: The clean sample and the noise.

        Raises:
            UserError: If ``prediction`` is unknown.
        """
        check_shape('output', output, tuple(x_t.shape))
        if prediction == 'epsilon':
            return Prediction(self.x0_from_eps(x_t, output, t), output)
        if prediction == 'x0':
            return Prediction(output, self.eps_from_x0(x_t, output, t))
        if prediction == 'v':
            return Prediction(self.x0_from_v(x_t, output, t), self.eps_from_v(x_t, output, t))
        raise unknown_prediction(prediction)

    # ---- reverse process ---------------------------------------------------
    def step_beta(self, t: Tensor, t_prev: Tensor) -> Tensor:
        """Variance of the forward step from ``t_prev`` to ``t``: ``1 - a_t / a_prev``, float64, shape (B,)."""
        return 1 - self.signal_level(t) / self.signal_level(t_prev)

    def posterior(self, x0: Tensor, x_t: Tensor, t: Tensor, t_prev: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of ``q(x_prev | x_t, x0)`` (DDPM, equations 6 and 7), for any ``t_prev < t``.

        Args:
            x0 (Tensor): Clean sample, shape (B, ...).
            x_t (Tensor): Noisy sample, shaped like ``x0``.
            t (Tensor): Diffusion time 0 … S-1, shape (B,).
            t_prev (Tensor): Earlier time -1 … S-2, shape (B,).

        Returns:
            tuple: Mean, shaped like ``x0``; variance, float64, shape (B,).
        """
        level, level_prev, beta = self.signal_level(t), self.signal_level(t_prev), self.step_beta(t, t_prev)
        of_x0 = level_prev.sqrt() * beta / (1 - level)
        of_x_t = (1 - beta).sqrt() * (1 - level_prev) / (1 - level)
        mean = broadcast_to_rank(of_x0, x0) * x0 + broadcast_to_rank(of_x_t, x0) * x_t
        return mean, beta * (1 - level_prev) / (1 - level)

    def extra_repr(self) -> str:
        """Show the number of steps in ``print(model)``."""
        return f'num_train_timesteps={self.num_train_timesteps}'


def unknown_prediction(prediction: str) -> UserError:
    """The error for a prediction type that does not exist."""
    return UserError(f'prediction={prediction!r} is unknown; set the model key prediction to one of '
                     f'{", ".join(map(repr, PREDICTIONS))}')
