"""Small helpers that know nothing of models or data."""

from leokit.utils.checks import check_shape
from leokit.utils.config import load_config, resolve_references
from leokit.utils.errors import UserError, run_tool
from leokit.utils.hashing import weights_hash
from leokit.utils.prefetch import Prefetcher
from leokit.utils.progress import progress_bar
from leokit.utils.weights import WeightFile, file_sha256, find_weights, load_tensors, weights_dir

__all__ = [
    'Prefetcher', 'UserError', 'WeightFile', 'check_shape', 'file_sha256', 'find_weights', 'load_config',
    'load_tensors', 'progress_bar', 'resolve_references', 'run_tool', 'weights_dir', 'weights_hash',
]
