"""Choose the reader by the path: frame folder, array or video file."""

from pathlib import Path
from typing import Sequence

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.utils.files import local_path
from leokit.video.images import TRANSPARENT_BACKGROUND
from leokit.video.readers.array_reader import ArrayReader, is_array
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader
from leokit.video.readers.frame_folder_reader import FrameFolderReader
from leokit.video.readers.pyav_reader import PyAVReader


@VIDEO_READERS.register_module()
class AutoReader(VideoReader):
    """Reads frame folders, ``.npy`` arrays and video files.

    Args:
        file_readers (Sequence[dict], optional): Readers of video files in order of preference; if one refuses a file,
            the next is tried. Default: PyAV alone, which is exact for every file and, for pairs of frames of short
            clips, faster than decord.
        fps (float): Frames per second of frame folders and arrays, which do not store a rate.
        float_range (str, optional): See :class:`~leokit.video.readers.array_reader.ArrayReader`.
        background (tuple[int, int, int]): Color behind transparent pixels of the default readers.
    """

    def __init__(self, file_readers: Sequence[dict] | None = None, fps: float = DEFAULT_FPS,
                 float_range: str | None = None,
                 background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> None:
        if file_readers is not None and not file_readers:
            raise ValueError('file_readers must name at least one reader')
        self.fps = fps
        self.float_range = float_range
        # Readers are also built in threads, and MMEngine's registries take a lock that an exception elsewhere may have
        # left locked: the default does not go through the registry.
        self.file_readers: list[VideoReader] = (
            [PyAVReader(background=background)] if file_readers is None
            else [VIDEO_READERS.build(dict(config)) for config in file_readers])
        self.folder_reader = FrameFolderReader(fps, background)
        self.array_reader = ArrayReader(fps, float_range)

    def open(self, path: str | Path) -> VideoHandle:
        path = local_path(path)
        if path.is_dir():
            return self.folder_reader.open(path)
        if is_array(path):
            return self.array_reader.open(path)
        if path.suffix.lower() == '.webp':
            raise UserError(f'{path} is a WebP image; animated WebP is not read, convert it to mp4 or GIF')
        for reader in self.file_readers[:-1]:
            try:
                return reader.open(path)
            except UserError:  # the error of the last reader is the one to raise
                continue
        return self.file_readers[-1].open(path)
