"""Choosing the reader by what the path is."""

from pathlib import Path
from typing import Sequence

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader
from leokit.video.readers.frame_folder_reader import FrameFolderReader
from leokit.video.readers.npy_reader import NpyReader
from leokit.video.readers.pyav_reader import PyAVReader


@VIDEO_READERS.register_module()
class AutoReader(VideoReader):
    """Reads frame folders, ``.npy`` arrays and video files.

    Args:
        file_readers (Sequence[dict], optional): Readers for video files, in order of preference; the next one is
            asked when one refuses a file. The default is PyAV alone: it is exact for every file, and for pairs of
            frames out of short clips it is faster than decord.
        fps (float): Frames per second of frame folders and arrays, which do not tell.
    """

    def __init__(self, file_readers: Sequence[dict] | None = None, fps: float = DEFAULT_FPS) -> None:
        if file_readers is not None and not file_readers:
            raise ValueError('file_readers must name at least one reader')
        self.fps = fps
        # Readers are made in threads too, and MMEngine's registries take a lock there that an exception elsewhere may
        # have left taken: the default does not ask them.
        self.file_readers: list[VideoReader] = (
            [PyAVReader()] if file_readers is None else [VIDEO_READERS.build(dict(config)) for config in file_readers])
        self.folder_reader = FrameFolderReader(fps)
        self.array_reader = NpyReader(fps)

    def open(self, path: str | Path) -> VideoHandle:
        """See :class:`VideoReader`."""
        path = Path(path)
        if path.is_dir():
            return self.folder_reader.open(path)
        if path.suffix.lower() == '.npy':
            return self.array_reader.open(path)
        for reader in self.file_readers[:-1]:
            try:
                return reader.open(path)
            except UserError:  # the last reader has the last word
                continue
        return self.file_readers[-1].open(path)
