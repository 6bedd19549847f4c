"""Fréchet distance of two Gaussians fitted to features: the arithmetic of FID and FVD.

    d² = |m_a - m_b|² + tr A + tr B - 2 tr (A B)^(1/2)

(Dowson and Landau, 1982; as a metric of generators: Heusel et al., 2017, and for video Unterthiner et al., 2018.)

The last term is the *nuclear norm* of ``F_a F_b'`` for any factors with ``F' F`` the covariance, because the
eigenvalues of A B are the squared singular values of that product. No square root of a product is ever taken: the
result is real for singular covariances too, costs one small SVD, and is exact where ``scipy.linalg.sqrtm`` is off by
1e-5 to 1e-2 and turns complex. The null space is left out of the factors, since the roots of eigenvalues that ought to
be zero are what other methods add as noise.

Two conventions are in use: covariances over N (StyleGAN-V, cd-fvd) and over N - 1 (TF-GAN, DIGAN, TATS). With 256
videos they differ by half a per cent, so the convention belongs to the protocol.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.utils import check_shape


class FrechetTerms(NamedTuple):
    """The four parts of the distance; each a scalar float64 tensor."""

    mean: Tensor  # squared distance of the means
    trace_a: Tensor
    trace_b: Tensor
    trace_root: Tensor  # tr (A B)^(1/2)

    @property
    def distance(self) -> Tensor:
        """The squared Fréchet distance, which the literature calls the distance; never below zero."""
        return (self.mean + self.trace_a + self.trace_b - 2 * self.trace_root).clamp(min=0)


def frechet_terms(features_a: Tensor, features_b: Tensor, *, unbiased: bool = False) -> FrechetTerms:
    """The terms of the distance of two feature matrices.

    Args:
        features_a (Tensor): Shape (n_a, d).
        features_b (Tensor): Shape (n_b, d).
        unbiased (bool): Covariances over N - 1 instead of N.

    Returns:
        FrechetTerms: On the device of the features.

    Raises:
        ValueError: If shapes do not fit, a value is not finite or there are too few rows.
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
    """Mean (d,), and the centered rows divided so that their Gram matrix is the covariance, float64."""
    check_shape(name, features, (None, None))
    divisor = features.shape[0] - int(unbiased)
    if divisor < 1:
        raise ValueError(f'{name} needs at least {1 + int(unbiased)} rows, got {features.shape[0]}')
    features = features.detach().double()
    if not bool(torch.isfinite(features).all()):
        raise ValueError(f'{name} hold NaN or infinity; drop those samples, and count them, before the distance')
    mean = features.mean(0)
    return mean, (features - mean) / divisor**0.5


def _square_factor(centered: Tensor) -> Tensor:
    """A factor of at most d rows with the same Gram matrix: R of the QR decomposition when there are more rows."""
    return torch.linalg.qr(centered, mode='r').R if centered.shape[0] > centered.shape[1] else centered


def _nuclear_norm(factor_a: Tensor, factor_b: Tensor) -> Tensor:
    product = factor_a @ factor_b.T
    if 0 in product.shape:
        return product.new_zeros(())
    return torch.linalg.svdvals(product).sum()
