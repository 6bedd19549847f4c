"""Threads that convert colors by FFmpeg: each converts some frames at a time, alone."""

import av

from leokit.utils.thread_map import worker_count

# PyAV from 17 on starts a pool for every converter, of a thread for each core, which wait for each other in every
# frame; older versions have no such option and use one.
ONE_THREAD: dict[str, int] = {'threads': 1} if int(av.__version__.split('.')[0]) >= 17 else {}
MAX_CONVERTERS = 4  # of a file; one converts some thousand frames of 256 x 256 pixels per second
GROUP = 4  # frames that one converts at a time, since every handover takes the interpreter


def converter_count(threads: int = 0) -> int:
    """Threads that convert colors of a file beside the one that decodes or encodes it.

    Args:
        threads (int): Threads that the file may have in all; 0 stands for one per core.

    Returns:
        int: 0 for a file with one thread.
    """
    return min(MAX_CONVERTERS, (threads or worker_count()) - 1)
