import pytest
import torch
from support.tiny_extractors import TinyImageFeatures, TinyVideoFeatures

from leokit.evaluation import FeatureRequest
from leokit.evaluation.reductions import FRAME_REDUCTIONS, reduce_clips
from leokit.feature_extractors import temporal_summary
from leokit.feature_extractors.video_features import frame_features
from leokit.metrics import average_content_distance, content_drift, jitter
from leokit.utils import UserError

REDUCTIONS = ('clip', *FRAME_REDUCTIONS)


def clips():
    return torch.rand(2, 6, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_every_reduction_of_frames_equals_its_function():
    extractor = TinyImageFeatures()
    frames = frame_features(extractor, clips())
    results = reduce_clips([FeatureRequest(extractor, name) for name in REDUCTIONS], clips())
    torch.testing.assert_close(results['clip-tiny_dt'], temporal_summary(frames))
    torch.testing.assert_close(results['frames-tiny'], frames)
    torch.testing.assert_close(results['content-tiny'][:, 0], average_content_distance(frames).value)
    assert results['content-tiny'][:, 1].tolist() == [6, 6]
    torch.testing.assert_close(results['content_drift-tiny'], content_drift(frames))
    by_point = [jitter(frames[..., point:point + 2]) for point in (0, 2, 4)]
    torch.testing.assert_close(results['jitter-tiny'][:, 0], torch.stack(by_point).mean(0))


def test_a_network_runs_once_per_batch():
    class Counting(TinyImageFeatures):
        calls = 0

        def forward(self, images):
            self.calls += 1
            return super().forward(images)

    extractor = Counting()
    reduce_clips([FeatureRequest(extractor, name) for name in REDUCTIONS], clips())
    assert extractor.calls == 1


def test_video_extractors_describe_clips_only():
    extractor = TinyVideoFeatures()
    assert reduce_clips([FeatureRequest(extractor, 'clip')], clips())['clip-tiny_video'].shape == (2, 3)
    with pytest.raises(UserError, match='choose an image extractor'):
        reduce_clips([FeatureRequest(extractor, 'frames')], clips())


def test_a_missing_detection_removes_jitter_and_is_counted():
    moving = clips()
    moving[0, 2] = -1  # the tiny extractor detects nothing in a black frame
    result = reduce_clips([FeatureRequest(TinyImageFeatures(), 'jitter')], moving)['jitter-tiny']
    assert bool(result[0, 0].isnan()) and result[:, 1].tolist() == [5, 6] and bool(result[1, 0] > 0)
