"""The starting-code model p(alpha_1) (LEO, arXiv 2305.03989, section 3.2): with cLMDM it makes the LMDM.

A frame-wise diffusion model: every code of every training sequence is one sample.
"""

from typing import Any

import torch
from torch import Generator, Tensor

from leokit.models.code_diffusion import CodeDiffusion, evaluation_generators, one_dict_per_sample
from leokit.models.diffusion_core import DiffusionCore, Generators, Network
from leokit.registry import MODELS
from leokit.samplers import Sampler, noise_source
from leokit.utils import UserError, check_shape


@MODELS.register_module()
class StartCodeDiffusion(CodeDiffusion):
    """Diffusion over single motion codes.

    Args:
        motion_dim (int): Motion dimension N.
        backbone (dict, optional): Config in DIFFUSION_BACKBONES, over codes (B, N); ``MLPDenoiser`` by default.
        noise_scheduler (dict, optional): Config in NOISE_SCHEDULERS; ``LinearNoiseScheduler`` by default.
        sampler (dict, optional): Config in SAMPLERS; ``DDIMSampler`` with 50 steps by default.
        prediction (str): What the network outputs: ``'epsilon'``, ``'x0'`` or ``'v'``.
        min_snr_gamma (float, optional): Bound of min-SNR weighting; None for the plain error.
        epsilon_skip (bool): See :class:`DiffusionCore`; False for a network that outputs epsilon itself.
        data_preprocessor (dict, optional): Config in MODELS; by default batches are moved to the model's device.

    Raises:
        UserError: If an option is unknown or does not fit.
    """

    label = 'the start-code model'

    def __init__(self, motion_dim: int = 20, *, backbone: dict | None = None, noise_scheduler: dict | None = None,
                 sampler: dict | None = None, prediction: str = 'epsilon', min_snr_gamma: float | None = None,
                 epsilon_skip: bool = True, data_preprocessor: dict | None = None) -> None:
        core = DiffusionCore(noise_scheduler or dict(type='LinearNoiseScheduler', num_train_timesteps=1000),
                             sampler or dict(type='DDIMSampler', num_inference_steps=50),
                             prediction=prediction, min_snr_gamma=min_snr_gamma, epsilon_skip=epsilon_skip)
        super().__init__(
            motion_dim, backbone or dict(type='MLPDenoiser'), core=core, data_preprocessor=data_preprocessor)

    def unit(self) -> Tensor:
        """See the base class: the codes' own deviation."""
        return self.std

    def _network(self) -> Network:
        return lambda x, t: self.backbone(x, t)

    def _objective(self, motion: Tensor, generator: Generator | None = None) -> Tensor:
        """The loss over single codes: of motion (B, T, N) or (B, N), frames count as samples. See the base class."""
        codes = self.normalize(motion).flatten(0, -2)
        return self.diffusion.loss(self._network(), codes, generator=generator).mean()

    @torch.no_grad()
    def sample(self, count: int, *, noise: Tensor | None = None, generator: Generators = None,
               sampler: Sampler | dict[str, Any] | None = None) -> Tensor:
        """Draw starting codes.

        Args:
            count (int): How many, n.
            noise (Tensor, optional): Standard normal noise, shape (n, N).
            generator (Generator | list[Generator], optional): Source of noise; a list holds one per sample.
            sampler (Sampler | dict, optional): In place of the model's.

        Returns:
            Tensor: Raw codes, shape (n, N).

        Raises:
            UserError: If the statistics are not set or ``count`` is not positive.
        """
        self._require_statistics()
        if count < 1:
            raise UserError(f'the number of starting codes must be at least 1, got {count}')
        shape = (count, self.motion_dim)
        if noise is None:
            noise = noise_source(generator)(self.mean.new_empty(shape))
        check_shape('noise', noise, shape)
        denoise = self.diffusion.denoiser(self._network())
        return self.denormalize(self.diffusion.sample(denoise, noise, generator=generator, sampler=sampler))

    def predict(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Draw one starting code for each given sequence.

        Args:
            inputs (dict): ``motion``, raw codes, shape (B, T, N) or (B, N).
            data_samples (dict, optional): With ``name`` (and ``start``), each sample has its own seed.

        Returns:
            list: Per sample ``real`` (the first code) and ``generated``, both (N,), and ``name``, ``start`` if known.
        """
        motion = inputs['motion']
        real = motion[:, 0] if motion.ndim == 3 else motion
        generated = self.sample(real.shape[0], generator=evaluation_generators(data_samples, real.shape[0]))
        return one_dict_per_sample(data_samples, real=real, generated=generated)

    def _forward(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> Tensor:
        """The network's output for the clean codes at time 0, shape (B or B·T, N)."""
        codes = self.normalize(inputs['motion']).flatten(0, -2)
        return self._network()(codes, torch.zeros(codes.shape[0], dtype=torch.long, device=codes.device))
