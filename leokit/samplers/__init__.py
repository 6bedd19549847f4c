"""Samplers: the reverse process over any callable ``denoise(x, t)``."""

from leokit.samplers.correction import correct
from leokit.samplers.ddim_sampler import DDIMSampler
from leokit.samplers.ddpm_sampler import DDPMSampler
from leokit.samplers.dpm_solver import DPMSolverPlusPlusSampler
from leokit.samplers.guidance import guide, mark_condition
from leokit.samplers.noise import NoiseSource, generators_from_seeds, noise_source
from leokit.samplers.sampler import Denoiser, Sampler
from leokit.samplers.time_grids import (
    leading_grid, linspace_grid, next_in_grid, previous_by_stride, time_grid, trailing_grid)

__all__ = [
    'DDIMSampler', 'DDPMSampler', 'DPMSolverPlusPlusSampler', 'Denoiser', 'NoiseSource', 'Sampler', 'correct',
    'generators_from_seeds', 'guide', 'leading_grid', 'linspace_grid', 'mark_condition', 'next_in_grid', 'noise_source',
    'previous_by_stride', 'time_grid', 'trailing_grid',
]
