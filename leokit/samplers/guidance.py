"""Classifier-free guidance (arXiv 2207.12598): a denoiser made of two."""

import torch
from torch import Tensor

from leokit.noise_schedulers import Prediction
from leokit.samplers.sampler import Denoiser
from leokit.utils import check_shape


def guide(conditional: Denoiser, unconditional: Denoiser, weight: float) -> Denoiser:
    """Extrapolate from the unconditional prediction through the conditional one.

    x0 and epsilon are moved alike, so they stay consistent with each other.

    Args:
        conditional (Denoiser): Sees the condition.
        unconditional (Denoiser): Does not.
        weight (float): 0 for the unconditional prediction, 1 for the conditional one (only that one is run), more
            to overstate the condition. The paper's w is ``weight - 1``.

    Returns:
        Denoiser: The guided denoiser.
    """
    if weight == 1:
        return conditional

    def denoise(x: Tensor, t: Tensor) -> Prediction:
        with_condition, without = conditional(x, t), unconditional(x, t)
        return Prediction(*(torch.lerp(b, a, weight) for a, b in zip(with_condition, without)))

    return denoise


def mark_condition(cond: Tensor, present: Tensor) -> Tensor:
    """Blank the condition of some samples, and say of each whether it is there.

    The flag tells a blanked condition from one that happens to be zero, so one network learns both predictions; it
    is built with ``cond_dim`` one larger than the condition.

    Args:
        cond (Tensor): Conditions, shape (B, D).
        present (Tensor): Which to keep, bool, shape (B,).

    Returns:
        Tensor: Conditions or zeros, and the flag, shape (B, D + 1).
    """
    check_shape('present', present, (cond.shape[0],))
    flag = present.to(cond.dtype)[:, None]
    return torch.cat([cond * flag, flag], dim=1)
