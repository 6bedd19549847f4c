"""Weights of the training loss by diffusion time."""

import torch
from torch import Tensor

from leokit.noise_schedulers.noise_scheduler import unknown_prediction


def min_snr_weight(signal_to_noise: Tensor, gamma: float, prediction: str) -> Tensor:
    """Min-SNR-gamma: no time counts for more than gamma in terms of x0 (arXiv 2303.09556, section 3.4).

    The weight of the x0 loss is ``min(snr, gamma)``; for the other targets it is divided by what turns
    an x0 loss into theirs.

    Args:
        signal_to_noise (Tensor): ``a_t / (1 - a_t)``, shape (B,).
        gamma (float): The bound; the paper uses 5.
        prediction (str): ``'epsilon'``, ``'x0'`` or ``'v'``.

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
        return bounded / (signal_to_noise + 1)
    raise unknown_prediction(prediction)
