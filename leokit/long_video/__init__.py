"""Strategies for videos longer than one window: how each window continues the previous one."""

from leokit.long_video.strategies import History, LastCode, LongVideoStrategy, Overlap

__all__ = [
    'History', 'LastCode', 'LongVideoStrategy', 'Overlap',
]
