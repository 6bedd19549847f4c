"""Video readers: file or folder -> frames by index."""

from leokit.video.readers.array_reader import ArrayReader
from leokit.video.readers.auto_reader import AutoReader
from leokit.video.readers.base import VideoHandle, VideoReader
from leokit.video.readers.decord_reader import DecordReader
from leokit.video.readers.frame_folder_reader import FrameFolderReader, frame_files
from leokit.video.readers.pyav_reader import PyAVReader

__all__ = [
    'ArrayReader', 'AutoReader', 'DecordReader', 'FrameFolderReader', 'PyAVReader', 'VideoHandle', 'VideoReader',
    'frame_files',
]
