"""Helpers that do not depend on models or data: configs, checkpoints, files, errors, threads, timing."""

from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from leokit.utils.checks import check_shape
from leokit.utils.config import load_config
from leokit.utils.errors import UserError, run_tool
from leokit.utils.hashing import weights_hash
from leokit.utils.prefetch import Prefetcher
from leokit.utils.progress import progress_bar
from leokit.utils.references import resolve_references

__all__ = [
    'Prefetcher', 'UserError', 'check_shape', 'load_checkpoint', 'load_config', 'progress_bar', 'resolve_references',
    'run_tool', 'save_checkpoint', 'weights_hash',
]
