"""Small helpers that know nothing of models or data."""

from leokit.utils.checks import check_shape
from leokit.utils.config import load_config, resolve_references
from leokit.utils.errors import UserError, run_tool
from leokit.utils.hashing import weights_hash

__all__ = ['UserError', 'check_shape', 'load_config', 'resolve_references', 'run_tool', 'weights_hash']
