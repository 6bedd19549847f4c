import pytest
import torch
from support.tiny_extractors import TinyImageFeatures

from leokit.feature_extractors.video_features import video_features, video_label
from leokit.metrics.fvd import frechet_distance
from leokit.registry import FEATURE_EXTRACTORS

TINY = dict(type='TinyImageFeatures')


def changes(**options):
    return FEATURE_EXTRACTORS.build(dict(type='FeatureChanges', extractor=TINY, **options))


def test_changes_are_mean_absolute_differences_over_the_lags():
    videos = torch.rand(3, 6, 3, 8, 8) * 1.8 - 0.9
    extractor = changes(lags=(1, 3))
    features = TinyImageFeatures()(videos.flatten(0, 1)).unflatten(0, (3, 6))
    one = torch.stack([(features[:, t + 1] - features[:, t]).abs() for t in range(5)]).mean(0)
    three = torch.stack([(features[:, t + 3] - features[:, t]).abs() for t in range(3)]).mean(0)
    torch.testing.assert_close(extractor(videos), torch.cat([one, three], 1))
    assert extractor.dim == 12 and video_label(extractor) == 'tiny_changes1-3'
    torch.testing.assert_close(video_features(extractor, videos), extractor(videos))


def test_constant_content_cancels_out():
    frame = torch.rand(2, 1, 3, 8, 8)
    assert not changes()(frame.expand(-1, 5, -1, -1, -1)).any()
    moving = torch.rand(2, 5, 3, 8, 8) * 0.2
    torch.testing.assert_close(changes()(moving), changes()(moving + 0.5), atol=1e-6, rtol=1e-4)


def test_unsuitable_extractors_lags_and_videos_are_refused():
    with pytest.raises(ValueError, match='describes videos'):
        FEATURE_EXTRACTORS.build(dict(type='FeatureChanges', extractor=dict(type='TinyVideoFeatures')))
    with pytest.raises(ValueError, match='lags'):
        changes(lags=(0, 1))
    with pytest.raises(ValueError, match='longer videos, got 4'):
        changes()(torch.zeros(1, 4, 3, 8, 8))


def test_few_clips_detect_frozen_videos_where_frame_features_do_not():
    generator = torch.Generator().manual_seed(0)

    def clips(extent):  # identities differ more than the moving part
        people = torch.rand(24, 1, 3, 1, 1, generator=generator) * 2 - 1 + torch.rand(
            24, 1, 3, 8, 8, generator=generator) / 10
        return people + extent * torch.rand(24, 8, 3, 1, 1, generator=generator)

    real, moving, frozen = clips(0.2), clips(0.2), clips(0.0)

    def gain(extractor):
        seen = [video_features(extractor, videos) for videos in (real, moving, frozen)]
        return frechet_distance(seen[0], seen[2]) / frechet_distance(seen[0], seen[1])

    assert gain(changes()) > 20 and gain(TinyImageFeatures()) < 5
