"""Datasets, frame stores, motion-code caches, samplers and batch transforms. Importing this registers them."""

from leokit.datasets.clip_dataset import ClipDataset
from leokit.datasets.code_cache import CodeCache, CodedVideo, code_statistics
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.datasets.coded_frame_dataset import CodedFrameDataset
from leokit.datasets.control_file import Controls, load_controls, resample_control, save_controls
from leokit.datasets.deterministic_sampler import DeterministicSampler, SampleKey
from leokit.datasets.face_regions import FaceRegionTable, load_face_regions, save_face_regions
from leokit.datasets.frame_cache import FrameCache
from leokit.datasets.frame_decoder import FrameDecoder
from leokit.datasets.frame_memory import FrameMemory
from leokit.datasets.frame_pair_dataset import FramePairDataset
from leokit.datasets.motion_code_dataset import MotionCodeDataset
from leokit.datasets.teacher_pair_dataset import TeacherPairDataset
from leokit.datasets.transforms.affine import PairedAffine
from leokit.datasets.transforms.base import BatchTransform
from leokit.datasets.transforms.color_jitter import PairedColorJitter
from leokit.datasets.transforms.elastic import PairedElastic
from leokit.datasets.transforms.flip import PairedFlip
from leokit.datasets.transforms.motion_view import MotionView

__all__ = [
    'BatchTransform', 'ClipDataset', 'CodeCache', 'CodeCacheWriter', 'CodedFrameDataset', 'CodedVideo', 'Controls',
    'DeterministicSampler', 'FaceRegionTable', 'FrameCache', 'FrameDecoder', 'FrameMemory', 'FramePairDataset',
    'MotionCodeDataset', 'MotionView', 'PairedAffine', 'PairedColorJitter', 'PairedElastic', 'PairedFlip',
    'SampleKey', 'TeacherPairDataset', 'code_statistics', 'load_controls', 'load_face_regions', 'resample_control',
    'save_controls', 'save_face_regions',
]
