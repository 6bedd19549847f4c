"""How much of some known quantities a linear map reads from motion codes.

Fitted on some videos and scored on others, so that what was learned by heart does not count.
"""

import torch
from torch import Tensor

from leokit.utils import check_shape

RIDGE = 1e-4  # of the inputs' variance: keeps directions that never vary out of the solution


def linear_probe(train_inputs: Tensor, train_targets: Tensor, test_inputs: Tensor, test_targets: Tensor) -> Tensor:
    """Coefficient of determination (R²) of a ridge-regularised linear map, for every target.

    R² is 1 - (sum of squared errors) / (sum of squared deviations from the test mean): 1 for a
    perfect prediction, 0 for one no better than the mean, below 0 for a worse one.

    Args:
        train_inputs (Tensor): Motion codes, shape (n, N).
        train_targets (Tensor): Known quantities, shape (n, K).
        test_inputs (Tensor): Codes of other videos, shape (m, N).
        test_targets (Tensor): Their quantities, shape (m, K).

    Returns:
        Tensor: float64, shape (K,); NaN for a target that does not vary in the test.

    Raises:
        ValueError: If the shapes do not fit.
    """
    n, dim = train_inputs.shape
    check_shape('train_targets', train_targets, (n, None))
    check_shape('test_inputs', test_inputs, (None, dim))
    check_shape('test_targets', test_targets, (len(test_inputs), train_targets.shape[1]))
    x, y, u, v = (tensor.double() for tensor in (train_inputs, train_targets, test_inputs, test_targets))
    x_mean, y_mean = x.mean(0), y.mean(0)
    x, y = x - x_mean, y - y_mean
    covariance = x.t() @ x
    ridge = RIDGE * covariance.diagonal().mean() * torch.eye(dim, dtype=x.dtype, device=x.device)
    weights = torch.linalg.solve(covariance + ridge, x.t() @ y)
    errors = (v - y_mean - (u - x_mean) @ weights).square().sum(0)
    spread = (v - v.mean(0)).square().sum(0)
    return torch.where(spread > 0, 1 - errors / spread, torch.nan)
