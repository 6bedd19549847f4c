"""Data: video readers, data sets, samplers, transforms. Importing this registers them."""

from leokit.datasets.images import IMAGE_SUFFIXES, read_image
from leokit.datasets.readers import (
    AutoReader, DecordReader, FrameFolderReader, NpyReader, PyAVReader, VideoHandle, VideoReader)
from leokit.datasets.resize import fit_frames

__all__ = [
    'AutoReader', 'DecordReader', 'FrameFolderReader', 'IMAGE_SUFFIXES', 'NpyReader', 'PyAVReader', 'VideoHandle',
    'VideoReader', 'fit_frames', 'read_image',
]
