import sys

import pytest
import torch

from leokit.feature_extractors import frame_features, temporal_summary, video_features
from leokit.feature_extractors.video_features import FRAMES_AT_ONCE, video_dim, video_label


def clips(frames=5):
    return torch.rand(2, frames, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_an_image_extractor_gives_mean_and_mean_absolute_step():
    features = torch.tensor([[[0.0, 1], [2, 1], [1, 1]]])
    assert temporal_summary(features).tolist() == [[1, 1, 1.5, 0]]


def test_a_frozen_clip_differs_from_a_moving_one_in_the_second_half_only(tiny_image, tiny_video):
    moving = clips()
    frozen = moving.mean(1, keepdim=True).expand_as(moving)
    torch.testing.assert_close(video_features(tiny_video, moving), video_features(tiny_video, frozen))
    still = video_features(tiny_image, frozen)
    assert still[:, 6:].abs().max() == 0 and video_features(tiny_image, moving)[:, 6:].min() > 0


def test_labels_and_dimensions(tiny_image, tiny_video):
    assert video_label(tiny_image) == 'tiny_dt' and video_dim(tiny_image) == 12
    assert video_label(tiny_video) == 'tiny_video' and video_dim(tiny_video) == 3
    assert video_features(tiny_image, clips()).shape == (2, 12)
    assert video_features(tiny_video, clips()).shape == (2, 3)


def test_every_frame_is_described_at_its_index(tiny_image):
    many = torch.rand(5, FRAMES_AT_ONCE // 4 + 1, 3, 4, 4)  # more than one call of the extractor takes
    features = frame_features(tiny_image, many)
    assert features.shape == (*many.shape[:2], 6)
    torch.testing.assert_close(features[3, 7], tiny_image(many[3, 7:8])[0])


def test_the_chunk_size_changes_nothing(monkeypatch, tiny_image):
    whole = frame_features(tiny_image, clips())
    assert whole.shape == (2, 5, 6)
    monkeypatch.setattr(sys.modules[frame_features.__module__], 'FRAMES_AT_ONCE', 3)
    assert torch.equal(frame_features(tiny_image, clips()), whole)


def test_bad_input_is_refused(tiny_image, tiny_video):
    with pytest.raises(ValueError, match='at least two frames'):
        temporal_summary(torch.zeros(1, 1, 4))
    with pytest.raises(ValueError, match='need an image extractor'):
        frame_features(tiny_video, clips())
    with pytest.raises(ValueError, match='clips must have shape'):
        video_features(tiny_video, torch.zeros(2, 3, 8, 8))
    with pytest.raises(ValueError, match='clips must have shape'):
        frame_features(tiny_image, torch.zeros(2, 3, 8, 8))
    with pytest.raises(ValueError, match='features must have shape'):
        temporal_summary(torch.zeros(3, 4))
