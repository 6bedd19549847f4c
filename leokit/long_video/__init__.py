"""Strategies for videos longer than one window: how each window continues the previous one."""

from leokit.long_video.history import History
from leokit.long_video.last_code import LastCode
from leokit.long_video.overlap import Overlap
from leokit.long_video.strategy import Continuation

__all__ = [
    'Continuation', 'History', 'LastCode', 'Overlap',
]
