import pytest
import torch
from support.tiny_extractors import TinyImageFeatures, TinyVideoFeatures

from leokit.feature_extractors import frame_features
from leokit.feature_extractors.per_frame import FRAMES_AT_ONCE


def test_every_frame_is_described_in_its_place():
    clips = torch.rand(5, FRAMES_AT_ONCE // 4 + 1, 3, 4, 4)  # more than fit at a time
    features = frame_features(TinyImageFeatures(), clips)
    assert features.shape == (*clips.shape[:2], 6)
    torch.testing.assert_close(features[3, 7], TinyImageFeatures()(clips[3, 7:8])[0])


def test_a_video_extractor_is_refused():
    with pytest.raises(ValueError, match='need an image extractor'):
        frame_features(TinyVideoFeatures(), torch.zeros(1, 2, 3, 4, 4))
