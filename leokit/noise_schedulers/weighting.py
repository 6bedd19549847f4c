"""Weights of the training loss as a function of diffusion time."""

import torch
from torch import Tensor

from leokit.noise_schedulers.gaussian_path import unknown_prediction


def min_snr_weight(signal_to_noise: Tensor, gamma: float, prediction_type: str, *,
                   noise_level: Tensor | None = None) -> Tensor:
    """Min-SNR-gamma: bounds the weight of the x0 loss by gamma (arXiv 2303.09556, section 3.4).

    The weight of the x0 loss is ``min(snr, gamma)``; for other targets it is divided by the factor between their loss
    and the x0 loss.

    Args:
        signal_to_noise (Tensor): ``a_t / (1 - a_t)``, shape (B,).
        gamma (float): The bound; the paper uses 5.
        prediction_type (str): ``'epsilon'``, ``'x0'`` or ``'v'``.
        noise_level (Tensor, optional): ``sigma_t^2``, shape (B,); by default that of a variance-preserving process.

    Returns:
        Tensor: Weights, shape (B,).
    """
    bounded = torch.clamp_max(signal_to_noise, gamma)
    if prediction_type == 'epsilon':
        return bounded / signal_to_noise
    if prediction_type == 'x0':
        return bounded
    if prediction_type == 'v':
        # an error of v is an error of x0 divided by sigma_t
        return bounded / (signal_to_noise + 1) if noise_level is None else bounded * noise_level
    raise unknown_prediction(prediction_type)
