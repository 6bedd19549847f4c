"""Distillations: training objectives by which a student samples in a few steps what its teacher samples in many."""

from leokit.distillations.consistency import ConsistencyDistillation
from leokit.distillations.distillation import Distillation, velocity_between
from leokit.distillations.progressive import ProgressiveDistillation

__all__ = ['ConsistencyDistillation', 'Distillation', 'ProgressiveDistillation', 'velocity_between']
