"""Default values: features of two sets are compared, so another default is another metric."""

import pytest
from support.signatures import defaults

from leokit.feature_extractors import (
    I3D, ColorStatistics, FaceIdentity, FaceLandmarks, FeatureChanges, I3DTorchScript, VGG19Features)
from leokit.feature_extractors.face_detection import FaceExtractor, detect_faces
from leokit.feature_extractors.i3d_network import I3DNetwork, Unit3D
from leokit.feature_extractors.weights import find_weights


def test_features_of_images():
    assert defaults(ColorStatistics) == dict(statistics=('mean', 'std', 'histogram'), bins=16)
    assert defaults(FeatureChanges) == dict(lags=(1, 4))


@pytest.mark.parametrize('function', [FaceExtractor, FaceIdentity, FaceLandmarks, detect_faces])
def test_faces(function):
    assert defaults(function) == dict(resolution=256, upsample=1)


def test_features_of_videos():
    """The epsilon is PyTorch's; a file of code runs only if it is trusted."""
    assert defaults(I3D) == dict(weights='i3d_pretrained_400', channels_last=False)
    assert defaults(I3DTorchScript) == dict(trust=False, download=True)
    assert defaults(I3DNetwork) == dict(eps=1e-5)
    assert defaults(Unit3D) == dict(kernel_size=1, stride=1)


@pytest.mark.parametrize('function', [VGG19Features, find_weights])
def test_missing_weights_are_downloaded(function):
    assert defaults(function) == dict(download=True)
