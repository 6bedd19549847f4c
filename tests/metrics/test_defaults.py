"""Default values, as in the protocols and as documented."""

from support.signatures import defaults

from leokit.metrics import (
    dispersion, drift, frechet_distance, kernel_distance, long_motion, polynomial_mmd)
from leokit.metrics.expressions import MARGIN, MAX_POSE_CHANGE, MIN_CHANGE, expression_pairs


def test_distances():
    """StyleGAN-V: 100 subsets of 1000; the covariance of FVD is that of the population."""
    assert defaults(frechet_distance) == dict(unbiased=False)
    assert defaults(polynomial_mmd) == dict(unbiased=True)
    assert defaults(kernel_distance) == dict(subsets=100, subset_size=1000, seed=0)


def test_motion():
    for statistic in (dispersion, drift, long_motion):
        assert defaults(statistic) == dict(segments=8)


def test_expressions():
    assert defaults(expression_pairs) == dict(count=4)
    assert MIN_CHANGE == dict(mouth=0.1, eyes=0.06) and (MAX_POSE_CHANGE, MARGIN) == (0.1, 0.15)
