"""Compiled inference with a cache on disk, where it saves time.

Compiling takes up to minutes the first time on a machine and some seconds afterwards, so short videos are rendered
faster without it.
"""

import os

from mmengine.logging import print_log

from leokit.models import Animator
from leokit.utils.cache_dirs import cache_dir

MIN_COMPILED_FRAMES = 3000  # two minutes of video


def compile_for(animator: Animator, num_frames: int | None) -> bool:
    """Compile an animator if a video is long enough; the log says so if it is not.

    Args:
        animator (Animator): Encoder and flow generator are compiled in place.
        num_frames (int | None): Frames to render; None if unknown (a camera).

    Returns:
        bool: Whether the animator is compiled.
    """
    if num_frames is None or num_frames < MIN_COMPILED_FRAMES:
        print_log(f'--compile has no effect on {"a stream" if num_frames is None else f"{num_frames} frames"}: it is '
                  f'used from {MIN_COMPILED_FRAMES} frames on', logger='current')
        return False
    use_compile_cache()
    animator.compile_parts()
    return True


def use_compile_cache() -> None:
    """Keep compiled code in the cache folder for later processes, unless the environment names another one."""
    os.environ.setdefault('TORCHINDUCTOR_CACHE_DIR', str(cache_dir() / 'compiled'))
    os.environ.setdefault('TORCHINDUCTOR_FX_GRAPH_CACHE', '1')
