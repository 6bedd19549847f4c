"""The diffusion process that all diffusion models share: noising, training target, weighted loss, sampling.

The network is an argument, a callable ``network(x_t, t) -> output shaped like x_t``; conditions are up to the model.
A :class:`Diffusion` has no parameters and adds nothing to a state dict.

If epsilon is predicted, the network by default learns only what the noisy sample does not contain:
``eps = sqrt(1 - a_t) x_t + sqrt(a_t) F(x_t, t)``, the preconditioning of arXiv 2206.00364 (section 5) for this process.
The loss is unchanged. Without it the network must copy its input at high noise, and sampling divides the error of the
copy by sqrt(a_t) (0.006 at the end of the linear schedule), more than a network in bfloat16 can afford.
"""

import logging
from typing import Any, Callable

import torch
from mmengine.logging import print_log
from torch import Generator, Tensor, nn

from leokit.models.contracts import check_prediction
from leokit.noise_schedulers import COUPLINGS, PREDICTIONS, Prediction, couple_noise, min_snr_weight
from leokit.noise_schedulers.gaussian_path import unknown_prediction
from leokit.registry import NOISE_SCHEDULERS, SAMPLERS, TIME_SAMPLERS
from leokit.samplers import Denoiser, Sampler, noise_source
from leokit.utils import UserError

Network = Callable[[Tensor, Tensor], Tensor]
MIN_SIGNAL_LEVEL = 1e-6  # alpha^2 below which an error of epsilon is an error of x0 a thousand times as large
MAX_SIGNAL_LEVEL = 0.01  # alpha^2 = 0.1^2: what is left of the signal biases samples noticeably
Generators = Generator | list[Generator] | None  # None: torch's global generator; a list: one per sample


class Diffusion(nn.Module):
    """Noise scheduler, sampler and training objective.

    Args:
        noise_scheduler (dict): Config in NOISE_SCHEDULERS.
        sampler (dict): Config in SAMPLERS; the default for sampling.
        prediction_type (str): Output of the network: ``'epsilon'``, ``'x0'`` or ``'v'``.
        min_snr_gamma (float, optional): Bound of min-SNR weighting; None for the plain mean squared error.
        epsilon_skip (bool): If epsilon is predicted, the network learns only what ``x_t`` does not contain.
        time_sampler (dict, optional): Config in TIME_SAMPLERS; ``UniformTimeSampler`` by default.
        coupling (str): ``'independent'``, or ``'optimal_transport'`` within a training batch
            (:func:`~leokit.noise_schedulers.couple_noise`).
    """

    def __init__(self, noise_scheduler: dict[str, Any], sampler: dict[str, Any], *, prediction_type: str = 'epsilon',
                 min_snr_gamma: float | None = None, epsilon_skip: bool = True,
                 time_sampler: dict[str, Any] | None = None, coupling: str = 'independent') -> None:
        super().__init__()
        if prediction_type not in PREDICTIONS:
            raise unknown_prediction(prediction_type)
        if min_snr_gamma is not None and not min_snr_gamma > 0:
            raise UserError(f'min_snr_gamma={min_snr_gamma} must be positive; set it to 5 (the paper), or to None')
        if coupling not in COUPLINGS:
            raise UserError(f'coupling={coupling!r} is unknown; use one of {", ".join(map(repr, COUPLINGS))}')
        self.scheduler = NOISE_SCHEDULERS.build(noise_scheduler)
        self.sampler = SAMPLERS.build(sampler)
        self.time_sampler = TIME_SAMPLERS.build(time_sampler or dict(type='UniformTimeSampler'))
        self.coupling = coupling
        # not compiled, since the assignment runs on the CPU; where it is not used, the compiler is not imported
        self._couple_noise = torch.compiler.disable(couple_noise) if coupling == 'optimal_transport' else None
        self.prediction_type = prediction_type
        self.min_snr_gamma = min_snr_gamma
        self.epsilon_skip = epsilon_skip and prediction_type == 'epsilon'
        self._check_last_time()

    def _check_last_time(self) -> None:
        """Sampling starts from pure noise, so the last time of training must be nearly that, and predictable."""
        last = torch.tensor([self.scheduler.num_train_timesteps - 1])
        level = float(self.scheduler.signal_level(last))  # alpha^2
        if self.prediction_type == 'epsilon' and level == 0:
            raise UserError("prediction_type='epsilon' does not work with a noise scheduler that leaves no signal at "
                            "the last time: pure noise does not determine x0; set prediction_type to 'v' or 'x0'")
        name = type(self.scheduler).__name__
        if self.prediction_type == 'epsilon' and not self.epsilon_skip and level < MIN_SIGNAL_LEVEL and not (
                self.sampler.clip):
            print_log(f'{name} leaves {level:.1g} of the signal at the last time, and sampling divides the error of '
                      "epsilon by its square root; set epsilon_skip=True, sampler.clip, or prediction_type='v'",
                      logger='current', level=logging.WARNING)
        if level > MAX_SIGNAL_LEVEL:
            print_log(f'{name} with num_train_timesteps={self.scheduler.num_train_timesteps} keeps '
                      f'{100 * level ** 0.5:.0f} % of the amplitude of the signal at the last time, but sampling '
                      'starts from pure noise, so samples will be biased; use more timesteps or larger betas (for the '
                      'linear schedule, scale start and end by 1000 / num_train_timesteps)',
                      logger='current', level=logging.WARNING)

    @property
    def conventions(self) -> dict[str, Any]:
        """Settings that the weights depend on; checkpoints carry them."""
        return dict(noise_scheduler=type(self.scheduler).__name__,
                    num_train_timesteps=self.scheduler.num_train_timesteps,
                    prediction_type=self.prediction_type, epsilon_skip=self.epsilon_skip)

    def loss(self, network: Network, x0: Tensor, *, mask: Tensor | None = None, eps: Tensor | None = None,
             generator: Generator | None = None) -> Tensor:
        """Mean squared error of the network at one random time per sample (DDPM, arXiv 2006.11239, equation 14).

        Args:
            network (Network): Maps x_t (B, ...) and t (B,) to an output shaped like x_t.
            x0 (Tensor): Clean samples of about unit variance, shape (B, ...).
            mask (Tensor, optional): True in frames of sequences x0 (B, T, ...) that count, bool, shape (B, T). The
                mean over the batch is then the mean over these frames.
            eps (Tensor, optional): The noise that belongs to each sample, shaped like x0, as in reflow; drawn and
                coupled by default.
            generator (Generator, optional): Source of times and noise; torch's global one by default.

        Returns:
            Tensor: Weighted loss per sample, float32, shape (B,).
        """
        t = self.sample_times(x0.shape[0], device=x0.device, generator=generator)
        if eps is None:
            eps = noise_source(generator)(x0)
            if self._couple_noise is not None:
                eps = self._couple_noise(x0, eps)
        target = self.scheduler.target(self.prediction_type, x0, eps, t)
        prediction = self._predict(network, self.scheduler.add_noise(x0, eps, t), t)
        errors = (prediction.float() - target.float()).square()
        if mask is not None:
            frames = mask.to(errors.dtype)
            share = (frames / frames.mean().clamp_min(torch.finfo(frames.dtype).tiny))  # of a mean of 1 over the batch
            errors = errors.flatten(2).mean(2) * share  # (B, T)
        losses = errors.flatten(1).mean(1)  # (B,)
        if self.min_snr_gamma is None:
            return losses
        weight = min_snr_weight(self.scheduler.signal_to_noise(t), self.min_snr_gamma, self.prediction_type,
                                noise_level=self.scheduler.noise_level(t))
        return weight.to(losses.dtype) * losses

    def sample_times(self, count: int, *, device: torch.device, generator: Generator | None = None) -> Tensor:
        """Random training times 0 … S-1, shape (count,)."""
        return self.time_sampler.sample(count, self.scheduler, device=device, generator=generator)

    def _predict(self, network: Network, x_t: Tensor, t: Tensor) -> Tensor:
        """The network's prediction of the target, including the skip, in the type of x_t."""
        output = network(x_t, t)
        check_prediction(output, x_t)
        output = output.to(x_t.dtype)
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
        return self.chosen_sampler(sampler).sample(denoise, noise, self.scheduler, noise_source=noise_source(generator))

    def chosen_sampler(self, sampler: Sampler | dict[str, Any] | None) -> Sampler:
        """A sampler, built from its config, or the default one."""
        if sampler is None:
            return self.sampler
        return SAMPLERS.build(sampler) if isinstance(sampler, dict) else sampler
