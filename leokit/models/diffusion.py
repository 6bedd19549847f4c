"""The diffusion process that all diffusion models share: noising, training target, weighted loss, sampling.

The network is an argument, a callable ``network(x_t, t) -> output shaped like x_t``; conditions are up to the model.
A :class:`Diffusion` has no parameters and adds nothing to a state dict.

If epsilon is predicted, the network by default learns only what the noisy sample does not contain:
``eps = sqrt(1 - a_t) x_t + sqrt(a_t) F(x_t, t)``, the preconditioning of arXiv 2206.00364 (section 5) for this process.
The loss is unchanged. Without it the network must copy its input at high noise, and sampling divides the error of the
copy by sqrt(a_t) (0.006 at the end of the linear schedule), more than a network in bfloat16 can afford.
"""

from typing import Any, Callable

import torch
from torch import Generator, Tensor, nn

from leokit.noise_schedulers import PREDICTIONS, Prediction, min_snr_weight
from leokit.noise_schedulers.gaussian_path import unknown_prediction
from leokit.registry import NOISE_SCHEDULERS, SAMPLERS
from leokit.samplers import Denoiser, Sampler, noise_source
from leokit.utils import UserError

Network = Callable[[Tensor, Tensor], Tensor]
Generators = Generator | list[Generator] | None  # None: torch's global generator; a list: one per sample


class Diffusion(nn.Module):
    """Noise scheduler, sampler and training objective.

    Args:
        noise_scheduler (dict): Config in NOISE_SCHEDULERS.
        sampler (dict): Config in SAMPLERS; the default for sampling.
        prediction_type (str): Output of the network: ``'epsilon'``, ``'x0'`` or ``'v'``.
        min_snr_gamma (float, optional): Bound of min-SNR weighting; None for the plain mean squared error.
        epsilon_skip (bool): If epsilon is predicted, the network learns only what ``x_t`` does not contain.
    """

    def __init__(self, noise_scheduler: dict[str, Any], sampler: dict[str, Any], *, prediction_type: str = 'epsilon',
                 min_snr_gamma: float | None = None, epsilon_skip: bool = True) -> None:
        super().__init__()
        if prediction_type not in PREDICTIONS:
            raise unknown_prediction(prediction_type)
        if min_snr_gamma is not None and not min_snr_gamma > 0:
            raise UserError(f'min_snr_gamma={min_snr_gamma} must be positive; set it to 5 (the paper), or to None')
        self.scheduler = NOISE_SCHEDULERS.build(noise_scheduler)
        self.sampler = SAMPLERS.build(sampler)
        self.prediction_type = prediction_type
        self.min_snr_gamma = min_snr_gamma
        self.epsilon_skip = epsilon_skip and prediction_type == 'epsilon'

    @property
    def conventions(self) -> dict[str, Any]:
        """Settings that the weights depend on; checkpoints carry them."""
        return dict(noise_scheduler=type(self.scheduler).__name__,
                    num_train_timesteps=self.scheduler.num_train_timesteps,
                    prediction_type=self.prediction_type, epsilon_skip=self.epsilon_skip)

    def loss(self, network: Network, x0: Tensor, *, generator: Generator | None = None) -> Tensor:
        """Mean squared error of the network at one random time per sample (DDPM, arXiv 2006.11239, equation 14).

        Args:
            network (Network): Maps x_t (B, ...) and t (B,) to an output shaped like x_t.
            x0 (Tensor): Clean samples of about unit variance, shape (B, ...).
            generator (Generator, optional): Source of times and noise; torch's global one by default.

        Returns:
            Tensor: Weighted loss per sample, float32, shape (B,).
        """
        t = self.sample_times(x0.shape[0], device=x0.device, generator=generator)
        eps = noise_source(generator)(x0)
        target = self.scheduler.target(self.prediction_type, x0, eps, t)
        prediction = self._predict(network, self.scheduler.add_noise(x0, eps, t), t)
        losses = (prediction.float() - target.float()).square().flatten(1).mean(1)  # (B,)
        if self.min_snr_gamma is None:
            return losses
        weight = min_snr_weight(self.scheduler.signal_to_noise(t), self.min_snr_gamma, self.prediction_type)
        return weight.to(losses.dtype) * losses

    def sample_times(self, count: int, *, device: torch.device, generator: Generator | None = None) -> Tensor:
        """Uniform times 0 … S-1, shape (count,)."""
        total = self.scheduler.num_train_timesteps
        if generator is None:
            return torch.randint(0, total, (count,), device=device)
        return torch.randint(0, total, (count,), generator=generator, device=generator.device).to(device)

    def _predict(self, network: Network, x_t: Tensor, t: Tensor) -> Tensor:
        """The network's prediction of the target, including the skip, in the type of x_t."""
        output = network(x_t, t).to(x_t.dtype)
        # the skip is the map from a velocity to its epsilon
        return self.scheduler.eps_from_v(x_t, output, t) if self.epsilon_skip else output

    def denoiser(self, network: Network) -> Denoiser:
        """The callable that samplers take, from a network; wrap it to guide or to inpaint.

        Args:
            network (Network): Maps x_t (B, ...) and t (B,) to an output shaped like x_t.

        Returns:
            Denoiser: Maps the same to a Prediction(x0, eps), computed in the type of x_t.
        """
        def denoise(x: Tensor, t: Tensor) -> Prediction:
            return self.scheduler.interpret(self.prediction_type, self._predict(network, x, t), x, t)
        return denoise

    def sample(self, denoise: Denoiser, noise: Tensor, *, generator: Generators = None,
               sampler: Sampler | dict[str, Any] | None = None) -> Tensor:
        """Run the reverse process.

        Args:
            denoise (Denoiser): Usually :meth:`denoiser` of a network.
            noise (Tensor): Standard normal noise, shape (B, ...).
            generator (Generator | list[Generator], optional): Source of further noise; a list holds one per sample.
            sampler (Sampler | dict, optional): In place of the default one.

        Returns:
            Tensor: Clean samples, shaped like ``noise``.
        """
        if sampler is None:
            sampler = self.sampler
        elif isinstance(sampler, dict):
            sampler = SAMPLERS.build(sampler)
        return sampler.sample(denoise, noise, self.scheduler, noise_source=noise_source(generator))
