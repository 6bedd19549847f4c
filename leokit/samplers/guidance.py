"""Classifier-free guidance (arXiv 2207.12598)."""

import torch
from torch import Tensor

from leokit.noise_schedulers import Prediction
from leokit.samplers.base import Denoiser
from leokit.utils import check_shape


def guide(conditional: Denoiser, unconditional: Denoiser, guidance_scale: float) -> Denoiser:
    """A denoiser that extrapolates from the unconditional prediction through the conditional one.

    x0 and epsilon are extrapolated alike, so they stay consistent with each other.

    Args:
        conditional (Denoiser): Sees the condition.
        unconditional (Denoiser): Does not see it.
        guidance_scale (float): 0 for the unconditional prediction, 1 for the conditional one (then only that one is
            evaluated), above 1 to amplify the condition. The paper's w is ``guidance_scale - 1``.
    """
    if guidance_scale == 1:
        return conditional

    def denoise(x: Tensor, t: Tensor) -> Prediction:
        with_condition, without = conditional(x, t), unconditional(x, t)
        return Prediction(*(torch.lerp(b, a, guidance_scale) for a, b in zip(with_condition, without)))

    return denoise


def mark_condition(cond: Tensor, present: Tensor) -> Tensor:
    """Zero the condition of some samples and append a flag that is 1 where the condition is present.

    The flag distinguishes a dropped condition from one that is zero, so that one network learns both predictions; its
    ``cond_dim`` is one larger than the condition.

    Args:
        cond (Tensor): Conditions, shape (B, D).
        present (Tensor): Conditions to keep, bool, shape (B,).

    Returns:
        Tensor: Conditions or zeros, and the flag, shape (B, D + 1).
    """
    check_shape('present', present, (cond.shape[0],))
    flag = present.to(cond.dtype)[:, None]
    return torch.cat([cond * flag, flag], dim=1)
