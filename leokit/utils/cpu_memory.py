"""Reuse of freed memory by the C library, and peak memory of a process.

glibc requests every block above some megabytes from the kernel and returns it as soon as it is freed. A network on a
CPU allocates and frees such blocks layer by layer, and the kernel zeroes each new one page by page: with activations of
tens of megabytes, this takes as long as the convolutions. With other settings glibc keeps freed memory and reuses it.
"""

import ctypes
import os
import sys
from pathlib import Path

# from malloc.h
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -3, -4, -8
DEFAULTS = {M_TRIM_THRESHOLD: 128 * 2**10, M_TOP_PAD: 128 * 2**10, M_MMAP_THRESHOLD: 128 * 2**10, M_MMAP_MAX: 65536,
            M_ARENA_MAX: 0}
KEEP_UP_TO = 2**31 - 1  # bytes of free heap that are kept; mallopt takes an int
GROW_BY = 64 * 2**20  # bytes by which the heap grows beyond a request


def disable_malloc_trim() -> bool:
    """Make this process keep freed memory for its next tensors instead of returning it to the system.

    For programs, which call it early, not for libraries. It has no effect without glibc, or if the user has configured
    the allocator by an environment variable ``MALLOC_*`` or ``GLIBC_TUNABLES`` or replaced it (``LD_PRELOAD``).

    Returns:
        bool: True if it has taken effect.
    """
    chosen = any(name.startswith('MALLOC_') for name in os.environ)
    if chosen or not sys.platform.startswith('linux') or {'GLIBC_TUNABLES', 'LD_PRELOAD'} & os.environ.keys():
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    # allocate large blocks from the heap, and never shrink the heap; threads share it, because a heap of their own
    # (an arena) holds no block above 64 MiB, so that such blocks would come from the kernel every time
    return all([mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, KEEP_UP_TO), mallopt(M_TOP_PAD, GROW_BY),
                mallopt(M_ARENA_MAX, 1)])


def enable_malloc_trim() -> None:
    """Undo :func:`disable_malloc_trim` by restoring glibc's defaults, for benchmarks."""
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in DEFAULTS.items():
        mallopt(option, value)


def reset_peak_memory() -> None:
    """Reset :func:`peak_memory`, if the system supports it (Linux)."""
    try:
        Path('/proc/self/clear_refs').write_text('5')
    except OSError:
        pass


def peak_memory() -> int:
    """Peak resident memory of this process since :func:`reset_peak_memory`, in bytes; 0 if unknown."""
    try:
        return next(int(line.split()[1]) * 2**10 for line in Path('/proc/self/status').read_text().splitlines()
                    if line.startswith('VmHWM:'))
    except (OSError, StopIteration):
        return 0
