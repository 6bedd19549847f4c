"""Samplers: the reverse process over any callable ``denoise(x, t)``."""

from leokit.samplers.base import Denoiser, Sampler
from leokit.samplers.consistency_sampler import ConsistencySampler
from leokit.samplers.correction import Correction, correct
from leokit.samplers.ddim_sampler import DDIMSampler
from leokit.samplers.ddpm_sampler import DDPMSampler
from leokit.samplers.dpm_solver import DPMSolverPlusPlusSampler
from leokit.samplers.guidance import guide, guide_in_order, mark_condition
from leokit.samplers.noise import NoiseSource, generators_from_seeds, noise_source
from leokit.samplers.ode_samplers import EulerSampler, HeunSampler, MidpointSampler
from leokit.samplers.time_grids import (
    karras_grid, leading_grid, linspace_grid, next_in_grid, previous_by_stride, time_grid, trailing_grid)

__all__ = [
    'ConsistencySampler', 'Correction', 'DDIMSampler', 'DDPMSampler', 'DPMSolverPlusPlusSampler', 'Denoiser',
    'EulerSampler', 'HeunSampler', 'MidpointSampler', 'NoiseSource', 'Sampler', 'correct', 'generators_from_seeds',
    'guide', 'guide_in_order', 'karras_grid', 'leading_grid', 'linspace_grid', 'mark_condition', 'next_in_grid',
    'noise_source', 'previous_by_stride', 'time_grid', 'trailing_grid',
]
