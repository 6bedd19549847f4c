"""Motion conditions: the part of a motion sequence that is noised, and how the first code conditions it."""

from leokit.motion_conditions.ablations import ConcatMotionCondition, NoMotionCondition
from leokit.motion_conditions.linear_motion_condition import LinearMotionCondition
from leokit.motion_conditions.motion_condition import MotionCondition, NetworkInput

__all__ = ['ConcatMotionCondition', 'LinearMotionCondition', 'MotionCondition', 'NetworkInput', 'NoMotionCondition']
