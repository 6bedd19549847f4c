"""Deprecated; use :func:`leokit.load`."""

import warnings
from typing import Any

from torch import nn

from leokit.inference.loading import load


def init_model(*args: Any, **kwargs: Any) -> nn.Module:
    """Deprecated name of :func:`leokit.load`."""
    warnings.warn('leokit.apis.init_model was renamed to leokit.load', FutureWarning, stacklevel=2)
    return load(*args, **kwargs)
