"""Noise schedulers: the forward process, targets and x0/epsilon/v conversions; no networks."""

from leokit.noise_schedulers.cosine_noise_scheduler import CosineNoiseScheduler
from leokit.noise_schedulers.linear_noise_scheduler import LinearNoiseScheduler
from leokit.noise_schedulers.noise_scheduler import (
    DATA_TIME, PREDICTIONS, NoiseScheduler, Prediction, broadcast_to_rank)
from leokit.noise_schedulers.weighting import min_snr_weight

__all__ = [
    'DATA_TIME', 'PREDICTIONS', 'CosineNoiseScheduler', 'LinearNoiseScheduler', 'NoiseScheduler', 'Prediction',
    'broadcast_to_rank', 'min_snr_weight',
]
