"""Time samplers: the distribution of diffusion times that a network is trained on."""

from leokit.time_samplers.time_samplers import (
    GridTimeSampler, LogitNormalTimeSampler, LogNormalTimeSampler, TimeSampler, UniformTimeSampler)

__all__ = ['GridTimeSampler', 'LogNormalTimeSampler', 'LogitNormalTimeSampler', 'TimeSampler', 'UniformTimeSampler']
