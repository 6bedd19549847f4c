"""Classifier-free guidance (arXiv 2207.12598), of one condition or of several, each with its own scale."""

from collections.abc import Sequence

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


def guide_in_order(denoisers: Sequence[Denoiser], guidance_scales: Sequence[float]) -> Denoiser:
    """A denoiser with one guidance scale for each of several conditions (arXiv 2211.09800, equation 3).

    With ``D_k`` seeing the first k conditions, the prediction is ``D_0 + s_1 (D_1 - D_0) + s_2 (D_2 - D_1) + ...``: a
    scale weighs what its condition adds to those before it. Only denoisers of a nonzero weight are evaluated: with
    equal scales the first and the last one, with scales of 1 the last one.

    Args:
        denoisers (Sequence[Denoiser]): ``D_0 ... D_n``.
        guidance_scales (Sequence[float]): ``s_1 ... s_n``.
    """
    following = [*guidance_scales[1:], 0.0] if guidance_scales else []
    weights = [1 - guidance_scales[0] if guidance_scales else 1.0,
               *(scale - after for scale, after in zip(guidance_scales, following))]
    if len(denoisers) != len(weights):
        raise ValueError(f'{len(guidance_scales)} guidance scales need {len(weights)} denoisers, got {len(denoisers)}')
    used = [k for k, weight in enumerate(weights) if weight != 0]
    if len(used) == 1:
        return denoisers[used[0]]

    def denoise(x: Tensor, t: Tensor) -> Prediction:
        predictions = [denoisers[k](x, t) for k in used]
        return Prediction(*(sum(weights[k] * part for k, part in zip(used, parts)) for parts in zip(*predictions)))

    return denoise


def mark_condition(cond: Tensor, present: Tensor) -> Tensor:
    """Zero the condition of some samples and append a flag that is 1 where the condition is present.

    The flag distinguishes a dropped condition from one that is zero, so that one network learns both predictions; its
    ``cond_dim`` is one larger than the condition.

    Args:
        cond (Tensor): Conditions, shape (B, D), or of each frame, shape (B, T, D).
        present (Tensor): Conditions to keep, bool, shape (B,).

    Returns:
        Tensor: Conditions or zeros, and the flag, shape (B, D + 1) or (B, T, D + 1).
    """
    check_shape('present', present, (cond.shape[0],))
    flag = present.to(cond.dtype).reshape(-1, *[1] * (cond.ndim - 1))
    return torch.cat([cond * flag, flag.expand(*cond.shape[:-1], 1)], dim=-1)
