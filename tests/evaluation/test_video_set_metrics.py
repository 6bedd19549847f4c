"""Values of the metrics of sets, by hand."""

import pytest
import torch

from leokit.evaluation.protocol import ArithmeticRule
from leokit.evaluation.video_set_metrics import FVD, KVD


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
