"""Motion conditions: what of a motion sequence is noised, and how the rest steers it."""

from leokit.motion_conditions.base import MotionCondition, NetworkInput, StartCondition
from leokit.motion_conditions.concat import ConcatMotionCondition
from leokit.motion_conditions.linear import LinearMotionCondition
from leokit.motion_conditions.none import NoMotionCondition

__all__ = [
    'ConcatMotionCondition', 'LinearMotionCondition', 'MotionCondition', 'NetworkInput', 'NoMotionCondition',
    'StartCondition',
]
