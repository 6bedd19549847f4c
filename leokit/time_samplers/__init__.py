"""Time samplers: the distribution of diffusion times that a network is trained on."""

from leokit.time_samplers.time_samplers import (
    LogitNormalTimeSampler, LogNormalTimeSampler, TimeSampler, UniformTimeSampler)

__all__ = ['LogNormalTimeSampler', 'LogitNormalTimeSampler', 'TimeSampler', 'UniformTimeSampler']
