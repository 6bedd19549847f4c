"""Where a data set's frames come from: decoded when asked for, from a disk cache, or from memory."""

from pathlib import Path

from leokit.datasets.frame_cache import FrameCache
from leokit.datasets.frame_decoder import FrameDecoder, FrameStore
from leokit.datasets.frame_memory import FrameMemory
from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers import VideoReader

KEYS = ('reader', 'crop', 'cache_dir', 'in_memory', 'workers')


def build_frame_store(size: int, config: dict | None = None) -> tuple[FrameStore, VideoReader]:
    """Make the frame store that a data set's ``frames`` config describes.

    Args:
        size (int): Side S of the frames.
        config (dict, optional): ``reader`` (config in VIDEO_READERS; ``AutoReader``), ``crop`` (``'center'`` or
            ``'none'``), ``cache_dir`` (decode every video once into this folder), ``in_memory`` (keep all frames in
            memory), ``workers`` (threads that fill cache and memory; all cores).

    Returns:
        tuple[FrameStore, VideoReader]: The store, and the reader that probes the videos.

    Raises:
        UserError: If the config has an unknown key.
    """
    config = config or {}
    for key in config:
        if key not in KEYS:
            raise UserError(f'unknown key {key!r} in frames; the keys are {", ".join(KEYS)}')
    return _build(size, **config)


def _build(size: int, *, reader: dict | None = None, crop: str = 'center', cache_dir: str | Path | None = None,
           in_memory: bool = False, workers: int | None = None) -> tuple[FrameStore, VideoReader]:
    decoder = FrameDecoder(size, crop, reader=VIDEO_READERS.build(reader) if reader else None)
    store = FrameCache(decoder, cache_dir, workers=workers) if cache_dir else decoder
    return (FrameMemory(store, size, workers=workers) if in_memory else store), decoder.reader
