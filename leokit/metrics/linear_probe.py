"""Linear probes: how much of known quantities a linear map predicts from motion codes, and their directions.

A map is fitted on some videos and scored on others.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.utils import check_shape

RIDGE = 1e-4  # relative to the variance of the inputs; excludes directions that never vary
TINY = 1e-30  # replaces the variance of inputs that do not vary at all; they get no weight


class LinearMap(NamedTuple):
    """A ridge-regularized linear map from codes to quantities, float64; see :func:`fit_linear_map`.

    Attributes:
        code_mean (Tensor): Shape (N,).
        quantity_mean (Tensor): Shape (K,).
        weights (Tensor): Shape (N, K).
    """

    code_mean: Tensor
    quantity_mean: Tensor
    weights: Tensor

    def __call__(self, codes: Tensor) -> Tensor:
        """Quantities (..., K) of codes (..., N), float64."""
        return (codes.double() - self.code_mean) @ self.weights + self.quantity_mean


def fit_linear_map(codes: Tensor, quantities: Tensor) -> LinearMap:
    """Fit a linear map from codes (n, N) to known quantities (n, K) by least squares."""
    check_shape('codes', codes, (None, None))
    check_shape('quantities', quantities, (len(codes), None))
    x, y = codes.double(), quantities.double()
    means = x.mean(0), y.mean(0)
    return LinearMap(*means, _ridge(x - means[0], y - means[1]))


def linear_probe(train_inputs: Tensor, train_targets: Tensor, test_inputs: Tensor, test_targets: Tensor) -> Tensor:
    """Coefficient of determination of a linear map, for every target.

    R² = 1 - (sum of squared errors) / (sum of squared deviations from the test mean): 1 for a perfect prediction, 0 for
    one no better than the mean, below 0 for a worse one.

    Args:
        train_inputs (Tensor): Motion codes, shape (n, N).
        train_targets (Tensor): Known quantities, shape (n, K).
        test_inputs (Tensor): Codes of other videos, shape (m, N).
        test_targets (Tensor): Their quantities, shape (m, K).

    Returns:
        Tensor: float64, shape (K,); NaN for a target that does not vary in the test.
    """
    n, dim = train_inputs.shape
    check_shape('train_targets', train_targets, (n, None))
    check_shape('test_inputs', test_inputs, (None, dim))
    check_shape('test_targets', test_targets, (len(test_inputs), train_targets.shape[1]))
    truth = test_targets.double()
    errors = (truth - fit_linear_map(train_inputs, train_targets)(test_inputs)).square().sum(0)
    deviations = (truth - truth.mean(0)).square().sum(0)
    return torch.where(deviations > 0, 1 - errors / deviations, torch.nan)


def quantity_directions(codes: Tensor, quantities: Tensor) -> Tensor:
    """Displacement in code space for one standard deviation of each quantity, with the others fixed.

    It is the least-squares linear map from quantities to codes; adding row k to a code changes quantity k.

    Args:
        codes (Tensor): Motion codes, shape (n, N).
        quantities (Tensor): Known quantities, shape (n, K).

    Returns:
        Tensor: float64, shape (K, N); zeros for a quantity that does not vary.
    """
    check_shape('codes', codes, (None, None))
    check_shape('quantities', quantities, (len(codes), None))
    return _ridge(_standardized(quantities), codes.double() - codes.double().mean(0))


def direction_correlations(codes: Tensor, quantities: Tensor) -> Tensor:
    """Correlation of every entry of the codes with every quantity.

    Args:
        codes (Tensor): Motion codes, shape (n, N).
        quantities (Tensor): Known quantities, shape (n, K).

    Returns:
        Tensor: float64 in [-1, 1], shape (N, K); 0 if one of the two does not vary.
    """
    check_shape('codes', codes, (None, None))
    check_shape('quantities', quantities, (len(codes), None))
    return _standardized(codes).t() @ _standardized(quantities) / len(codes)


def _standardized(table: Tensor) -> Tensor:
    """Columns with mean 0 and standard deviation 1, float64; a constant column becomes 0."""
    centered = table.double() - table.double().mean(0)
    deviation = centered.square().mean(0).sqrt()
    return centered / torch.where(deviation > 0, deviation, 1)


def _ridge(x: Tensor, y: Tensor) -> Tensor:
    """Weights (inputs, outputs) of the ridge regression of centered columns."""
    covariance = x.t() @ x
    variance = covariance.diagonal().mean().clamp(min=TINY)
    ridge = RIDGE * variance * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return torch.linalg.solve(covariance + ridge, x.t() @ y)
