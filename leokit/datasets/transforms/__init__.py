"""Batch transforms: data augmentation on the device, with the same parameters for all frames of a sample."""

from leokit.datasets.transforms.affine import PairedAffine
from leokit.datasets.transforms.base import BatchTransform
from leokit.datasets.transforms.color_jitter import PairedColorJitter
from leokit.datasets.transforms.elastic import PairedElastic
from leokit.datasets.transforms.flip import PairedFlip
from leokit.datasets.transforms.motion_view import MotionView

__all__ = ['BatchTransform', 'MotionView', 'PairedAffine', 'PairedColorJitter', 'PairedElastic', 'PairedFlip']
