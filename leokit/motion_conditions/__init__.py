"""Motion conditions: what of a motion sequence is noised, and how the rest steers it."""

from leokit.motion_conditions.concat_motion_condition import ConcatMotionCondition
from leokit.motion_conditions.linear_motion_condition import LinearMotionCondition
from leokit.motion_conditions.motion_condition import MotionCondition, NetworkInput, StartCondition
from leokit.motion_conditions.no_motion_condition import NoMotionCondition

__all__ = [
    'ConcatMotionCondition', 'LinearMotionCondition', 'MotionCondition', 'NetworkInput', 'NoMotionCondition',
    'StartCondition',
]
