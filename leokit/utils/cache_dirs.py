"""Folders for files that can be downloaded or computed again, and the environment variables that move them.

| variable | default | contents |
|---|---|---|
| ``LEOKIT_CACHE`` | ``~/.cache/leokit`` | probe results of videos (frames, rate, size); compiled networks |
| ``LEOKIT_STATISTICS`` | ``~/.cache/leokit/statistics`` | features of real video sets |
| ``LEOKIT_WEIGHTS`` | ``~/.cache/leokit/weights`` | weights of frozen networks (I3D, VGG, ...) |

Each variable moves its own folder only. The folders need not exist.
"""

import os
from pathlib import Path

CACHE_VARIABLE = 'LEOKIT_CACHE'
STATISTICS_VARIABLE = 'LEOKIT_STATISTICS'
WEIGHTS_VARIABLE = 'LEOKIT_WEIGHTS'


def cache_dir() -> Path:
    """The folder of small caches."""
    return _folder(CACHE_VARIABLE)


def statistics_dir() -> Path:
    """The folder of features of real video sets."""
    return _folder(STATISTICS_VARIABLE, 'statistics')


def weights_dir() -> Path:
    """The folder of weight files."""
    return _folder(WEIGHTS_VARIABLE, 'weights')


def _folder(variable: str, *default: str) -> Path:
    folder = os.environ.get(variable)
    return Path(folder).expanduser() if folder else Path.home().joinpath('.cache', 'leokit', *default)
