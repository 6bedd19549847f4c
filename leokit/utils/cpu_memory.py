"""How the C library keeps the memory of tensors that are no more.

glibc asks the kernel for every block above some megabytes and gives it back as soon as it is freed. A network on a CPU
makes and frees such blocks layer by layer, and the kernel fills each new one with zeros, page by page: with tens of
megabytes an activation, that takes as long as the convolutions. Told to keep what was freed, glibc reuses it.
"""

import ctypes
import os
import sys
from pathlib import Path

# from malloc.h
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -2, -3, -4
DEFAULTS = {M_TRIM_THRESHOLD: 128 * 2**10, M_TOP_PAD: 128 * 2**10, M_MMAP_THRESHOLD: 128 * 2**10, M_MMAP_MAX: 65536}
KEEP_UP_TO = 2**31 - 1  # bytes of free heap before any is given back; mallopt takes an int
GROW_BY = 64 * 2**20  # bytes by which the heap grows beyond what is asked for


def disable_malloc_trim() -> bool:
    """Let this process keep freed memory for its next tensors instead of giving it back to the system.

    Call it early, in a program, not in a library. It does nothing where somebody has chosen otherwise, by an
    environment variable ``MALLOC_*`` or ``GLIBC_TUNABLES`` or by another allocator (``LD_PRELOAD``), or where there is
    no glibc.

    Returns:
        bool: Whether it is so now.
    """
    chosen = any(name.startswith('MALLOC_') for name in os.environ)
    if chosen or not sys.platform.startswith('linux') or {'GLIBC_TUNABLES', 'LD_PRELOAD'} & os.environ.keys():
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    # no blocks of their own for large requests, and a heap that does not shrink
    return all([mallopt(M_MMAP_MAX, 0), mallopt(M_TRIM_THRESHOLD, KEEP_UP_TO), mallopt(M_TOP_PAD, GROW_BY)])


def enable_malloc_trim() -> None:
    """Undo :func:`disable_malloc_trim` where it has returned True: glibc's defaults. For comparing the two."""
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in DEFAULTS.items():
        mallopt(option, value)


def reset_peak_memory() -> None:
    """Let :func:`peak_memory` begin anew, where the system can (Linux)."""
    try:
        Path('/proc/self/clear_refs').write_text('5')
    except OSError:
        pass


def peak_memory() -> int:
    """The most memory that this process has held in RAM, in bytes, since :func:`reset_peak_memory`; 0 if unknown."""
    try:
        return next(int(line.split()[1]) * 2**10 for line in Path('/proc/self/status').read_text().splitlines()
                    if line.startswith('VmHWM:'))
    except (OSError, StopIteration):
        return 0
