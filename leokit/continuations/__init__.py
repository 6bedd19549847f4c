"""Continuations: how one window of a long motion sequence goes on where the last one ended."""

from leokit.continuations.continuation import Continuation
from leokit.continuations.history import History
from leokit.continuations.last_code import LastCode
from leokit.continuations.overlap import Overlap

__all__ = ['Continuation', 'History', 'LastCode', 'Overlap']
