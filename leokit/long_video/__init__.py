"""Strategies for videos longer than one window: how each window continues the previous one."""

from leokit.long_video.calibrated_overlap import CalibratedOverlap
from leokit.long_video.strategies import History, LastCode, LongVideoStrategy, Overlap

__all__ = [
    'CalibratedOverlap', 'History', 'LastCode', 'LongVideoStrategy', 'Overlap',
]
