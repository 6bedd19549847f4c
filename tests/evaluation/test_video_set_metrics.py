"""Values of the metrics of sets, by hand."""

import math

import numpy as np
import pytest
import torch

from leokit.evaluation.protocol import ArithmeticRule
from leokit.evaluation.video_set_metrics import (
    ACD, FVD, KVD, ACDOverTime, ContentDrift, FrameFID, OverTime)
from leokit.metrics.kvd import KernelDistance

NAN = float('nan')


def test_subsets_of_the_generated_set_are_drawn_first(monkeypatch):
    """As in StyleGAN-V."""
    monkeypatch.setattr('leokit.evaluation.video_set_metrics.kernel_distance',
                        lambda fake, real: KernelDistance(float(fake - 10 * real), 0.0))
    assert KVD(ArithmeticRule(kernel='subsets')).distance(torch.tensor(1.0), torch.tensor(2.0)) == -8000


def test_the_kernel_distance_over_subsets_is_times_1000():
    """k(x, y) = (xy + 1)^3 of the features 0, 0 and 2, 2: 1 + 125 - 2 * 1, and each subset is the whole set."""
    real, fake = torch.zeros(3, 1), torch.full((3, 1), 2.0)
    assert KVD(ArithmeticRule(kernel='full')).distance(real, fake) == pytest.approx(124)
    assert KVD(ArithmeticRule(kernel='subsets')).distance(real, fake) == pytest.approx(124_000)


@pytest.mark.parametrize('covariance, variances', [('population', (1, 4)), ('unbiased', (2, 8))])
def test_the_frechet_distance_has_the_covariance_of_the_protocol(covariance, variances):
    """In one dimension it is (difference of means)^2 + (difference of standard deviations)^2."""
    real, fake = torch.tensor([[0.0], [2.0]]), torch.tensor([[3.0], [7.0]])
    expected = 16 + (variances[1] ** 0.5 - variances[0] ** 0.5) ** 2
    assert FVD(ArithmeticRule(covariance=covariance)).distance(real, fake) == pytest.approx(expected, abs=1e-4)


def test_fid_counts_frames_with_a_feature():
    """Two frames each of two clips; those of NaN are left out. FID in one dimension: means 1 and 4, deviations 1."""
    real = torch.tensor([[[0.0], [NAN]], [[2.0], [NAN]]])
    fake = torch.tensor([[[3.0], [5.0]], [[NAN], [NAN]]])
    assert FrameFID(ArithmeticRule()).distance(real, fake) == pytest.approx(9, abs=1e-4)
    assert math.isnan(FrameFID(ArithmeticRule()).distance(real, fake[1:]))
    one = torch.tensor([[[3.0], [NAN]]])
    assert math.isnan(FrameFID(ArithmeticRule()).distance(real, one))
    part = torch.tensor([[[3.0], [NAN]], [[5.0], [NAN]], [[NAN], [NAN]]])
    result = FrameFID(ArithmeticRule()).compare(real, part, want_std=False)  # a clip counts if one frame has a feature
    assert result.value == pytest.approx(9, abs=1e-4) and result.details == dict(fake_clips_without_feature=1)


def test_clips_without_a_feature_are_left_out_and_counted():
    real = torch.tensor([[0.0], [2.0], [NAN]])
    fake = torch.tensor([[3.0], [5.0]])
    result = FVD(ArithmeticRule()).compare(real, fake, want_std=False)
    assert result.value == pytest.approx(9, abs=1e-4) and result.std is None
    assert result.details == dict(real_clips_without_feature=1)
    few = FVD(ArithmeticRule()).compare(real[1:], fake, want_std=True)
    assert math.isnan(few.value) and few.details == dict(real_clips_without_feature=1)


def test_a_covariance_of_too_few_samples_is_warned_of():
    metric = FVD(ArithmeticRule())
    assert metric.warnings(3, (4, 9)) == []
    sentence, = metric.warnings(3, (9, 3))
    assert sentence.startswith('fvd is estimated from 3 samples of 3-dimensional features')


def test_content_distance_is_the_mean_over_videos_with_a_value():
    """Columns: the distance, and the number of frames with a feature."""
    features = torch.tensor([[0.5, 4.0], [NAN, 1.0], [1.5, 3.0], [NAN, 0.0]])
    result = ACD(ArithmeticRule()).statistic(features, want_std=False)
    assert result.value == 1 and result.std is None
    assert result.details == dict(videos_scored=2, videos_without_detection=2, frames_detected=8)
    many = torch.stack([torch.arange(10.0), torch.ones(10)], 1)
    expected = np.std(np.arange(10), ddof=1) / 10 ** 0.5  # the standard error of a mean
    assert ACD(ArithmeticRule()).statistic(many, want_std=True).std == pytest.approx(expected)
    assert ACD(ArithmeticRule()).statistic(many, want_std=False).std is None
    nobody = ACD(ArithmeticRule()).statistic(features[1:2], want_std=True)
    assert math.isnan(nobody.value) and nobody.std is None
    precise = torch.tensor([[2.0**24, 1], [1, 1], [1, 1]])  # float32 has no 2^24 + 1
    assert ACD(ArithmeticRule()).statistic(precise, want_std=False).value == (2**24 + 2) / 3
    assert math.isnan(ACD(ArithmeticRule()).statistic(features[1:2], want_std=True).value)


def test_content_drift_is_that_of_the_last_quarter():
    """Of eight frames the last two count, without those that have no face."""
    rows = torch.tensor([[0.0, 1, 2, 3, 4, 5, 6, 8], [0, 0, 0, 0, 0, 0, NAN, 3]])
    result = ContentDrift(ArithmeticRule()).statistic(rows, want_std=False)
    assert result.value == (7 + 3) / 2 and result.details == dict(videos_scored=2)
    assert result.curve == dict(label='frame', x=list(range(8)), y=[0, 0.5, 1, 1.5, 2, 2.5, 6, 5.5])
    many = torch.arange(10.0)[:, None].repeat(1, 4)
    drifts = [ContentDrift(ArithmeticRule()).statistic(many, want_std=want).std for want in (True, False)]
    assert drifts == [pytest.approx(np.std(np.arange(10), ddof=1) / 10 ** 0.5), None]
    precise = torch.tensor([[0, 2.0**24], [0, 1], [0, 1]])
    assert ContentDrift(ArithmeticRule()).statistic(precise, want_std=False).value == (2**24 + 2) / 3
    twelve = ContentDrift(ArithmeticRule()).statistic(torch.arange(12.0)[None], want_std=False)
    assert twelve.value == (9 + 10 + 11) / 3
    short = ContentDrift(ArithmeticRule()).statistic(torch.tensor([[0.0, 2.0]]), want_std=False)
    assert short.value == 2  # of fewer than four frames the last


def test_the_error_over_time_leaves_out_videos():
    """A distance of means: windows of one video are left out together. By the jackknife of five videos, one each."""
    class Means(OverTime):
        def distance(self, real, fake):
            return float(2 * fake.mean() - real.mean())

    real, offset = torch.zeros(5, 1), torch.tensor([[0.0], [1], [2], [3], [4]])
    windows = [offset, offset + 10]
    values = 2 * np.array([(10 - k) / 4 + 5 for k in range(5)])  # the mean without video k
    expected = (4 / 5 * ((values - values.mean())**2).sum()) ** 0.5
    assert Means(ArithmeticRule()).mean_std(real, windows) == pytest.approx(expected)
    assert Means(ArithmeticRule()).mean_std(real, [offset, offset[1:]]) is None
    lost = [torch.cat([window, torch.tensor([[second]])]) for window, second in zip(windows, (NAN, 100.0))]
    assert Means(ArithmeticRule()).mean_std(real, lost) == pytest.approx(expected)  # a video without a window's feature


def test_the_error_of_a_statistic_over_time_needs_no_real_videos():
    windows = [torch.stack([torch.arange(5.0) + shift, torch.ones(5)], 1) for shift in (0, 10)]
    values = np.array([(10 - k) / 4 + 5 for k in range(5)])
    expected = (4 / 5 * ((values - values.mean())**2).sum()) ** 0.5
    assert ACDOverTime(ArithmeticRule()).mean_std(torch.zeros(5, 2), windows) == pytest.approx(expected)
