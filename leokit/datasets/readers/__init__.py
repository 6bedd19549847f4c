"""Video readers: file or folder -> frames by number."""

from leokit.datasets.readers.auto_reader import AutoReader
from leokit.datasets.readers.base import VideoHandle, VideoReader
from leokit.datasets.readers.decord_reader import DecordReader
from leokit.datasets.readers.frame_folder_reader import FrameFolderReader, frame_files
from leokit.datasets.readers.npy_reader import NpyReader
from leokit.datasets.readers.pyav_reader import PyAVReader

__all__ = [
    'AutoReader', 'DecordReader', 'FrameFolderReader', 'NpyReader', 'PyAVReader', 'VideoHandle', 'VideoReader',
    'frame_files',
]
