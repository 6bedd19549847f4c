"""Default values, as in the protocols and as documented."""

from support.signatures import defaults

from leokit.metrics import (
    dispersion, drift, frechet_distance, kernel_distance, long_motion, polynomial_mmd)
from leokit.metrics.expressions import MAX_POSE_CHANGE, MIN_CHANGE, REGIONS, RIGID, expression_pairs
from leokit.nn.face_regions import REGION_MARGIN


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
    # of the 68 points of iBUG 300-W: the inner and outer lips, both eyes; nose and corners of the eyes
    assert REGIONS == dict(mouth=slice(48, 68), eyes=slice(36, 48))
    assert RIGID == (27, 28, 29, 30, 33, 36, 39, 42, 45)
    assert MIN_CHANGE == dict(mouth=0.1, eyes=0.06) and (MAX_POSE_CHANGE, REGION_MARGIN) == (0.1, 0.15)
