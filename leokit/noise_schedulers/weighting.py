"""Weights of the training loss by diffusion time."""

import torch
from torch import Tensor

from leokit.noise_schedulers.gaussian_path import unknown_prediction


def min_snr_weight(signal_to_noise: Tensor, gamma: float, prediction: str, *,
                   noise_level: Tensor | None = None) -> Tensor:
    """Min-SNR-gamma: no time counts for more than gamma in terms of x0 (arXiv 2303.09556, section 3.4).

    The weight of the x0 loss is ``min(snr, gamma)``; for the other targets it is divided by what turns
    an x0 loss into theirs.

    Args:
        signal_to_noise (Tensor): ``a_t / (1 - a_t)``, shape (B,).
        gamma (float): The bound; the paper uses 5.
        prediction (str): ``'epsilon'``, ``'x0'`` or ``'v'``.
        noise_level (Tensor, optional): ``sigma_t^2``, shape (B,); by default that of a variance-preserving process.

    Returns:
        Tensor: Weights, shape (B,).

    Raises:
        UserError: If ``prediction`` is unknown.
    """
    bounded = torch.clamp_max(signal_to_noise, gamma)
    if prediction == 'epsilon':
        return bounded / signal_to_noise
    if prediction == 'x0':
        return bounded
    if prediction == 'v':
        # an error of v is an error of x0 divided by sigma_t
        return bounded / (signal_to_noise + 1) if noise_level is None else bounded * noise_level
    raise unknown_prediction(prediction)
