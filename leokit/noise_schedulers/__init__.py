"""Noise schedulers: the forward process, training targets and conversions between x0, epsilon and v; no networks."""

from leokit.noise_schedulers.base import NoiseScheduler, zero_terminal_snr
from leokit.noise_schedulers.cosine_noise_scheduler import CosineNoiseScheduler
from leokit.noise_schedulers.coupling import COUPLINGS, couple_noise
from leokit.noise_schedulers.edm_noise_scheduler import EDMNoiseScheduler, karras_sigmas
from leokit.noise_schedulers.flow_matching_scheduler import FlowMatchingScheduler
from leokit.noise_schedulers.gaussian_path import DATA_TIME, PREDICTIONS, GaussianPath, Prediction, broadcast_to_rank
from leokit.noise_schedulers.linear_noise_scheduler import LinearNoiseScheduler
from leokit.noise_schedulers.weighting import min_snr_weight

__all__ = [
    'COUPLINGS', 'CosineNoiseScheduler', 'DATA_TIME', 'EDMNoiseScheduler', 'FlowMatchingScheduler', 'GaussianPath',
    'LinearNoiseScheduler', 'NoiseScheduler', 'PREDICTIONS', 'Prediction', 'broadcast_to_rank', 'couple_noise',
    'karras_sigmas', 'min_snr_weight', 'zero_terminal_snr',
]
