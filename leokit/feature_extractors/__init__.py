"""Frozen networks and formulas that turn images and videos into features."""

from leokit.feature_extractors.base import Detected, FeatureExtractor
from leokit.feature_extractors.color import ColorStatistics
from leokit.feature_extractors.efficientnet import EfficientNetLite0Features
from leokit.feature_extractors.face_identity import FaceIdentity
from leokit.feature_extractors.face_landmarks import FaceLandmarks
from leokit.feature_extractors.feature_changes import FeatureChanges
from leokit.feature_extractors.per_frame import frame_features
from leokit.feature_extractors.i3d import I3D
from leokit.feature_extractors.i3d_torchscript import I3DTorchScript
from leokit.feature_extractors.named import named_extractor
from leokit.feature_extractors.vgg import VGG19Features

__all__ = [
    'ColorStatistics', 'Detected', 'EfficientNetLite0Features', 'FaceIdentity', 'FaceLandmarks', 'FeatureChanges',
    'FeatureExtractor', 'I3D', 'I3DTorchScript', 'VGG19Features', 'frame_features', 'named_extractor',
]
