"""Files with features that were computed once; a damaged or private file is the same as none."""

import logging
from pathlib import Path

import torch
from mmengine.logging import print_log
from torch import Tensor

from leokit.utils.files import atomic_path


def read_features(path: Path) -> Tensor | None:
    """The features in a file; None if there is no such file, or it cannot be read."""
    try:
        return torch.load(path, map_location='cpu', weights_only=True)['features'] if path.is_file() else None
    except Exception:  # features are computed, and written again
        return None


def write_features(path: Path, features: Tensor) -> None:
    """Write features; if that fails, there is a warning, since they can be computed again."""
    try:
        with atomic_path(path) as part:
            torch.save(dict(features=features), part)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        reason = getattr(error, 'strerror', None) or str(error).strip().split('\n')[0]
        print_log(f'the features {path} cannot be cached ({reason}); the next evaluation computes them again. Choose '
                  'another folder with --cache-dir or LEOKIT_STATISTICS', logger='current', level=logging.WARNING)
