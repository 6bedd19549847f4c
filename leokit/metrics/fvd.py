"""FVD: Fréchet distance of two Gaussians fitted to features of videos.

    d² = |m_a - m_b|² + tr A + tr B - 2 tr (A B)^(1/2)

with means m and covariances A, B of the features of two sets (Dowson and Landau, 1982). With features of I3D, which
describe short clips, it is the Fréchet Video Distance (Unterthiner et al., "Towards Accurate Generative Models of
Video", 2018); with features of Inception-v3, which describe images, it is FID (Heusel et al., 2017). Lower is better.

This module computes the distance of two feature matrices. Where it is applied to videos:

- :mod:`leokit.evaluation.video_set_metrics`: FVD of folders of videos, with clips sampled by a protocol.
- :mod:`leokit.evaluation.runner_metrics.video_distance_metric`: FVD during validation and testing.
- :mod:`leokit.feature_extractors`: I3D, and the substitutes that are used without its weights.

Conventions: d² is reported and called the distance. Covariances are over N (StyleGAN-V, cd-fvd) or over N - 1 (TF-GAN,
DIGAN, TATS); for 256 videos the values differ by half a percent, so the convention is part of the protocol. The
distance of finite sets is biased upwards, roughly by a constant over N; compare sets of equal size only.

The last term is computed as the nuclear norm of ``F_a F_b'`` for factors with ``F' F`` equal to the covariances,
because the eigenvalues of A B are the squared singular values of that product. Unlike ``scipy.linalg.sqrtm`` of A B,
which is off by 1e-5 to 1e-2 and turns complex for singular covariances, this is real and exact.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.utils import check_shape


class FrechetTerms(NamedTuple):
    """The four terms of the distance, scalar float64 tensors."""

    mean: Tensor  # squared distance of the means
    trace_a: Tensor
    trace_b: Tensor
    trace_root: Tensor  # tr (A B)^(1/2)

    @property
    def distance(self) -> Tensor:
        """The squared Fréchet distance, which the literature calls the distance; at least zero."""
        return (self.mean + self.trace_a + self.trace_b - 2 * self.trace_root).clamp(min=0)


def frechet_terms(features_a: Tensor, features_b: Tensor, *, unbiased: bool = False) -> FrechetTerms:
    """The terms of the Fréchet distance of two feature matrices.

    Args:
        features_a (Tensor): Shape (n_a, d).
        features_b (Tensor): Shape (n_b, d).
        unbiased (bool): Covariances over N - 1 instead of N.

    Returns:
        FrechetTerms: On the device of the features.
    """
    check_shape('features_b', features_b, (None, features_a.shape[-1]))
    mean_a, centered_a = _center('features_a', features_a, unbiased)
    mean_b, centered_b = _center('features_b', features_b, unbiased)
    return FrechetTerms(
        mean=(mean_a - mean_b).square().sum(),
        trace_a=centered_a.square().sum(),
        trace_b=centered_b.square().sum(),
        trace_root=_nuclear_norm(_square_factor(centered_a), _square_factor(centered_b)))


def frechet_distance(features_a: Tensor, features_b: Tensor, *, unbiased: bool = False) -> float:
    """Fréchet distance of two feature matrices; arguments as in :func:`frechet_terms`."""
    return float(frechet_terms(features_a, features_b, unbiased=unbiased).distance)


def _center(name: str, features: Tensor, unbiased: bool) -> tuple[Tensor, Tensor]:
    """Mean (d,), and centered rows scaled such that their Gram matrix is the covariance; float64."""
    check_shape(name, features, (None, None))
    divisor = features.shape[0] - int(unbiased)
    if divisor < 1:
        raise ValueError(f'{name} needs at least {1 + int(unbiased)} rows, got {features.shape[0]}')
    features = features.detach().double()
    if not bool(torch.isfinite(features).all()):
        raise ValueError(f'{name} hold NaN or infinity; remove and count those samples before')
    mean = features.mean(0)
    return mean, (features - mean) / divisor**0.5


def _square_factor(centered: Tensor) -> Tensor:
    """A factor of at most d rows with the same Gram matrix: R of the QR decomposition if there are more rows."""
    return torch.linalg.qr(centered, mode='r').R if centered.shape[0] > centered.shape[1] else centered


def _nuclear_norm(factor_a: Tensor, factor_b: Tensor) -> Tensor:
    product = factor_a @ factor_b.T
    if 0 in product.shape:
        return product.new_zeros(())
    return torch.linalg.svdvals(product).sum()
