"""Frozen networks and formulas that compute features of images and videos."""

from leokit.feature_extractors.base import Detected, FeatureExtractor
from leokit.feature_extractors.color import ColorStatistics
from leokit.feature_extractors.efficientnet import EfficientNetLite0Features
from leokit.feature_extractors.face_identity import FaceIdentity
from leokit.feature_extractors.face_landmarks import FaceLandmarks
from leokit.feature_extractors.feature_changes import FeatureChanges
from leokit.feature_extractors.i3d import I3D
from leokit.feature_extractors.i3d_torchscript import I3DTorchScript
from leokit.feature_extractors.vgg import VGG19Features
from leokit.feature_extractors.video_features import frame_features, temporal_summary, video_features
from leokit.feature_extractors.weights import WeightFile, find_weights, load_tensors

__all__ = [
    'ColorStatistics', 'Detected', 'EfficientNetLite0Features', 'FaceIdentity', 'FaceLandmarks', 'FeatureChanges',
    'FeatureExtractor', 'I3D', 'I3DTorchScript', 'VGG19Features', 'WeightFile', 'find_weights',
    'frame_features', 'load_tensors', 'temporal_summary', 'video_features',
]
