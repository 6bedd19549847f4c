"""Data: video readers, data sets, samplers, transforms. Importing this registers them."""

from leokit.datasets.clip_dataset import ClipDataset
from leokit.datasets.code_cache import CodeCache, CodedVideo, code_statistics
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.datasets.coded_frame_dataset import CodedFrameDataset
from leokit.datasets.draw_sampler import Draw, DrawSampler
from leokit.datasets.frame_cache import FrameCache
from leokit.datasets.frame_decoder import FrameDecoder
from leokit.datasets.frame_memory import FrameMemory
from leokit.datasets.frame_pair_dataset import FramePairDataset
from leokit.datasets.images import IMAGE_SUFFIXES, read_image
from leokit.datasets.manifest import read_manifest, write_manifest
from leokit.datasets.motion_code_dataset import MotionCodeDataset
from leokit.datasets.readers import (
    AutoReader, DecordReader, FrameFolderReader, NpyReader, PyAVReader, VideoHandle, VideoReader)
from leokit.datasets.resize import fit_frames
from leokit.datasets.splits import split_identities
from leokit.datasets.transforms import (
    BatchTransform, MotionView, PairedAffine, PairedColorJitter, PairedFlip)
from leokit.datasets.video_entry import Skipped, VideoEntry, VideoFilter
from leokit.datasets.video_index import VIDEO_SUFFIXES, VideoIndex, scan_folder

__all__ = [
    'AutoReader', 'BatchTransform', 'ClipDataset', 'CodeCache', 'CodeCacheWriter', 'CodedFrameDataset', 'CodedVideo',
    'DecordReader', 'Draw', 'DrawSampler', 'FrameCache', 'FrameDecoder', 'FrameFolderReader', 'FrameMemory',
    'FramePairDataset', 'IMAGE_SUFFIXES', 'MotionCodeDataset', 'MotionView', 'NpyReader', 'PairedAffine',
    'PairedColorJitter', 'PairedFlip', 'PyAVReader', 'Skipped', 'VIDEO_SUFFIXES', 'VideoEntry', 'VideoFilter',
    'VideoHandle', 'VideoIndex', 'VideoReader', 'code_statistics', 'fit_frames', 'read_image', 'read_manifest',
    'scan_folder', 'split_identities', 'write_manifest',
]
