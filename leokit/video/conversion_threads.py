"""Threads of a single color conversion by FFmpeg: one, since frames are converted beside each other."""

import av

# PyAV from 17 on starts a pool for every converter, of a thread for each core, which wait for each other in every
# frame; older versions have no such option and use one.
ONE_THREAD: dict[str, int] = {'threads': 1} if int(av.__version__.split('.')[0]) >= 17 else {}
