"""Small helpers that know nothing of models or data."""

from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from leokit.utils.checks import check_shape
from leokit.utils.config import load_config, resolve_references
from leokit.utils.errors import UserError, run_tool
from leokit.utils.hashing import weights_hash
from leokit.utils.prefetch import Prefetcher
from leokit.utils.progress import progress_bar

__all__ = [
    'Prefetcher', 'UserError', 'check_shape', 'load_checkpoint', 'load_config', 'progress_bar', 'resolve_references',
    'run_tool', 'save_checkpoint', 'weights_hash',
]
