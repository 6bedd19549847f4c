"""The forward process of a diffusion or flow-matching model, and the conversions that follow from it.

    x_t = alpha_t x0 + sigma_t eps

with eps standard normal. A process is defined by two coefficients per time. They convert the possible predictions of a
network into each other: ``x0``, ``eps`` and the velocity ``v = dx/dtau``, where tau is the process's parameter of the
path. Both families here have ``alpha dsigma/dtau - sigma dalpha/dtau = 1``, so with the derivatives ``(alpha',
sigma')``

    v = alpha' x0 + sigma' eps,    x0 = sigma' x_t - sigma v,    eps = alpha v - alpha' x_t

Diffusion time is an integer 0 … S-1, always of shape (B,). The time :data:`DATA_TIME` (-1) is the data itself,
``alpha = 1, sigma = 0``, so that every formula holds for the last step of a sampler too.
"""

from abc import ABCMeta, abstractmethod
from typing import Any, Callable, NamedTuple

import torch
from torch import Tensor, nn

from leokit.utils import UserError, check_shape

DATA_TIME = -1
PREDICTIONS = ('epsilon', 'x0', 'v')  # possible outputs of a network


class Prediction(NamedTuple):
    """The prediction for a noisy sample, in the two forms that samplers use.

    Attributes:
        x0 (Tensor): The clean sample, shape (B, ...).
        eps (Tensor): The noise, shape (B, ...).
    """

    x0: Tensor
    eps: Tensor


def broadcast_to_rank(values: Tensor, like: Tensor) -> Tensor:
    """Reshape one number per sample (B,) to (B, 1, ..., 1), with rank and dtype of a batch (B, ...)."""
    check_shape('values', values, (like.shape[0],))
    return values.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))


class GaussianPath(nn.Module, metaclass=ABCMeta):
    """Base of the forward processes, which are immutable.

    Tables stay float64 when the model is cast to another dtype, follow the model's device, and are not part of the
    state dict.
    """

    def __init__(self) -> None:
        super().__init__()
        self._coefficients: dict[torch.dtype, Tensor] = {}

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any) -> nn.Module:
        self._coefficients.clear()
        # model.half() or model.to(bfloat16) must not round the tables, so only the device is applied
        device = fn(next(self.buffers())).device
        return super()._apply(lambda table: table.to(device), *args)

    # ---- the process: all float64, for times -1 … S-1 of shape (B,) ----------
    @property
    @abstractmethod
    def num_train_timesteps(self) -> int:
        """Number of times S."""

    @abstractmethod
    def signal_level(self, t: Tensor) -> Tensor:
        """``alpha_t^2``, the fraction of the signal's variance at time t; 1 at :data:`DATA_TIME`. Shape (B,)."""

    @abstractmethod
    def noise_level(self, t: Tensor) -> Tensor:
        """``sigma_t^2``, the variance of the noise at time t; 0 at :data:`DATA_TIME`. Shape (B,)."""

    @abstractmethod
    def path_time(self, t: Tensor) -> Tensor:
        """The parameter tau of the path, in which ``v = dx/dtau``; 0 at :data:`DATA_TIME`. Shape (B,)."""

    @abstractmethod
    def velocity_coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """``dalpha/dtau`` and ``dsigma/dtau``, each of shape (B,)."""

    def half_log_snr(self, t: Tensor) -> Tensor:
        """``log(alpha_t / sigma_t)``; infinite at :data:`DATA_TIME`. Shape (B,)."""
        return (self.signal_level(t).log() - self.noise_level(t).log()) / 2

    def signal_to_noise(self, t: Tensor) -> Tensor:
        """``alpha_t^2 / sigma_t^2``, float64, for times 0 … S-1, shape (B,)."""
        return self.signal_level(t) / self.noise_level(t)

    def coefficients(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``alpha_t, sigma_t, alpha'_t, sigma'_t``, each (B, 1, ...) in the dtype of a batch ``like`` (B, ...).

        For times -1 … S-1 of shape (B,). They are computed once for all times and then gathered by one kernel, because
        a sampling step of a small network consists of kernels of a few microseconds.
        """
        check_shape('t', t, (like.shape[0],))
        if torch.compiler.is_compiling():  # the compiler fuses the computation
            values = self._compute_coefficients(t).to(like.dtype)
        else:
            values = self._table_of_coefficients(like.dtype)[t]  # DATA_TIME, -1, is the last row
        return tuple(value.reshape(-1, *[1] * (like.ndim - 1)) for value in values.unbind(1))

    def _table_of_coefficients(self, dtype: torch.dtype) -> Tensor:
        """The coefficients of times 0 … S-1 and of the data, shape (S + 1, 4)."""
        table = self._coefficients.get(dtype)
        if table is None:
            with torch.inference_mode(False), torch.no_grad():  # training may use it later
                times = torch.arange(self.num_train_timesteps + 1, device=next(self.buffers()).device)
                times = torch.where(times == self.num_train_timesteps, DATA_TIME, times)
                table = self._compute_coefficients(times).to(dtype)
            capturing = torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()
            if not capturing:  # memory of a graph is not kept
                self._coefficients[dtype] = table
        return table

    def _compute_coefficients(self, t: Tensor) -> Tensor:
        """The coefficients of times (B,), float64, shape (B, 4)."""
        return torch.stack([self.signal_level(t).sqrt(), self.noise_level(t).sqrt(), *self.velocity_coefficients(t)], 1)

    # ---- forward process and conversions -----------------------------------
    def add_noise(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """``x_t`` from the clean sample and the noise.

        Args:
            x0 (Tensor): Clean sample, shape (B, ...).
            eps (Tensor): Standard normal noise, shaped like ``x0``.
            t (Tensor): Diffusion time, shape (B,).

        Returns:
            Tensor: Noisy sample, shaped like ``x0``.
        """
        check_shape('eps', eps, tuple(x0.shape))
        signal, noise, _, _ = self.coefficients(t, x0)
        return signal * x0 + noise * eps

    def velocity(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """``v`` from the clean sample (B, ...), the noise (B, ...) and the time (B,)."""
        _, _, of_x0, of_eps = self.coefficients(t, x0)
        return of_eps * eps + of_x0 * x0

    def x0_from_eps(self, x_t: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """The clean sample from the noisy one (B, ...), its noise (B, ...) and the time (B,)."""
        signal, noise, _, _ = self.coefficients(t, x_t)
        return (x_t - noise * eps) / signal

    def eps_from_x0(self, x_t: Tensor, x0: Tensor, t: Tensor) -> Tensor:
        """The noise from the noisy sample (B, ...), the clean one (B, ...) and the time 0 … S-1 (B,)."""
        signal, noise, _, _ = self.coefficients(t, x_t)
        return (x_t - signal * x0) / noise

    def x0_from_v(self, x_t: Tensor, v: Tensor, t: Tensor) -> Tensor:
        """The clean sample from the noisy one (B, ...), its velocity (B, ...) and the time (B,)."""
        _, noise, _, of_eps = self.coefficients(t, x_t)
        return of_eps * x_t - noise * v

    def eps_from_v(self, x_t: Tensor, v: Tensor, t: Tensor) -> Tensor:
        """The noise from the noisy sample (B, ...), its velocity (B, ...) and the time (B,)."""
        signal, _, of_x0, _ = self.coefficients(t, x_t)
        return signal * v - of_x0 * x_t

    # ---- training target and network output ----------------------------------
    def target(self, prediction_type: str, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """The regression target of a network.

        Args:
            prediction_type (str): ``'epsilon'``, ``'x0'`` or ``'v'``.
            x0 (Tensor): Clean sample, shape (B, ...).
            eps (Tensor): Its noise, shaped like ``x0``.
            t (Tensor): Diffusion time, shape (B,).

        Returns:
            Tensor: Target, shaped like ``x0``.
        """
        if prediction_type == 'epsilon':
            return eps
        if prediction_type == 'x0':
            return x0
        if prediction_type == 'v':
            return self.velocity(x0, eps, t)
        raise unknown_prediction(prediction_type)

    def interpret(self, prediction_type: str, output: Tensor, x_t: Tensor, t: Tensor) -> Prediction:
        """Convert the output of a network to clean sample and noise.

        Args:
            prediction_type (str): The type of the output: ``'epsilon'``, ``'x0'`` or ``'v'``.
            output (Tensor): The network's output, shaped like ``x_t``.
            x_t (Tensor): Noisy sample, shape (B, ...).
            t (Tensor): Diffusion time 0 … S-1, shape (B,).
        """
        check_shape('output', output, tuple(x_t.shape))
        if prediction_type == 'epsilon':
            return Prediction(self.x0_from_eps(x_t, output, t), output)
        if prediction_type == 'x0':
            return Prediction(output, self.eps_from_x0(x_t, output, t))
        if prediction_type == 'v':
            return Prediction(self.x0_from_v(x_t, output, t), self.eps_from_v(x_t, output, t))
        raise unknown_prediction(prediction_type)

    # ---- reverse process ---------------------------------------------------
    def step_beta(self, t: Tensor, t_prev: Tensor) -> Tensor:
        """Variance of the forward step from ``t_prev`` to ``t``, ``sigma^2_{t|prev}``, float64, shape (B,)."""
        scale = self.signal_level(t) / self.signal_level(t_prev)
        return self.noise_level(t) - scale * self.noise_level(t_prev)

    def posterior(self, x0: Tensor, x_t: Tensor, t: Tensor, t_prev: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of ``q(x_prev | x_t, x0)`` for any ``t_prev < t`` (arXiv 2107.00630, appendix A).

        Args:
            x0 (Tensor): Clean sample, shape (B, ...).
            x_t (Tensor): Noisy sample, shaped like ``x0``.
            t (Tensor): Diffusion time 0 … S-1, shape (B,).
            t_prev (Tensor): Earlier time -1 … S-2, shape (B,).

        Returns:
            tuple: Mean, shaped like ``x0``; variance, float64, shape (B,).
        """
        signal, signal_prev = self.signal_level(t).sqrt(), self.signal_level(t_prev).sqrt()
        noise, noise_prev, step_noise = self.noise_level(t), self.noise_level(t_prev), self.step_beta(t, t_prev)
        of_x0, of_x_t = signal_prev * step_noise / noise, signal / signal_prev * noise_prev / noise
        mean = broadcast_to_rank(of_x0, x0) * x0 + broadcast_to_rank(of_x_t, x0) * x_t
        return mean, step_noise * noise_prev / noise

    def extra_repr(self) -> str:
        return f'num_train_timesteps={self.num_train_timesteps}'


def unknown_prediction(prediction_type: str) -> UserError:
    """The error for a prediction type that does not exist."""
    return UserError(f'prediction_type={prediction_type!r} is unknown; set it in the model config to one of '
                     f'{", ".join(map(repr, PREDICTIONS))}')
