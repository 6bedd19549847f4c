"""Streaming mean and covariance of features, in float64, on any device, over any number of processes.

The covariance is kept as the *scatter* (the sum of outer products of centered features), which merges without loss
(Chan, Golub, LeVeque, 1979), so that one pass, two halves merged, and several processes reduced agree to rounding.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from leokit.utils import check_shape


class FeatureStatistics:
    """Mean, scatter and count of feature vectors seen so far.

    Args:
        dim (int): Length d of a feature vector.
        device (str | torch.device): Where the sums live; it must know float64 (Apple's MPS does not).

    Attributes:
        count (int): Vectors seen.
        mean (Tensor): Their mean, shape (d,), float64.
        scatter (Tensor): Sum of centered outer products, shape (d, d), float64.
    """

    def __init__(self, dim: int, device: str | torch.device = 'cpu') -> None:
        self.count = 0
        self.mean = torch.zeros(dim, dtype=torch.float64, device=device)
        self.scatter = torch.zeros(dim, dim, dtype=torch.float64, device=device)

    @classmethod
    def of(cls, features: Tensor) -> 'FeatureStatistics':
        """Statistics of one matrix of features, shape (n, d), on its device."""
        statistics = cls(features.shape[1], features.device)
        statistics.update(features)
        return statistics

    @property
    def dim(self) -> int:
        """Length of a feature vector."""
        return self.mean.shape[0]

    def update(self, features: Tensor) -> None:
        """Add a batch.

        Args:
            features (Tensor): Feature vectors, shape (n, d), floating point; n may be 0.

        Raises:
            ValueError: If the width differs, or a value is not finite.
        """
        check_shape('features', features, (None, self.dim))
        if features.shape[0] == 0:
            return
        features = features.detach().to(self.mean.device, torch.float64)
        if not bool(torch.isfinite(features).all()):
            raise ValueError('features hold NaN or infinity; drop those samples, and count them, before the statistics')
        mean = features.mean(0)
        centered = features - mean
        self._merge(features.shape[0], mean, centered.T @ centered)

    def merge(self, other: 'FeatureStatistics') -> 'FeatureStatistics':
        """Add everything that another instance has seen.

        Args:
            other (FeatureStatistics): Statistics of the same width; not changed.

        Returns:
            FeatureStatistics: This instance.

        Raises:
            ValueError: If the widths differ.
        """
        if other.dim != self.dim:
            raise ValueError(f'cannot merge statistics of width {other.dim} into width {self.dim}')
        if other.count:
            self._merge(other.count, other.mean.to(self.mean.device), other.scatter.to(self.mean.device))
        return self

    def covariance(self, unbiased: bool = False) -> Tensor:
        """Covariance matrix.

        Args:
            unbiased (bool): Divide by n - 1 instead of n.

        Returns:
            Tensor: Shape (d, d), float64.

        Raises:
            ValueError: If there are too few vectors for the division.
        """
        divisor = self.count - int(unbiased)
        if divisor < 1:
            raise ValueError(f'a covariance needs at least {1 + int(unbiased)} feature vectors, got {self.count}')
        return self.scatter / divisor

    def all_reduce(self) -> 'FeatureStatistics':
        """Replace the statistics by those of all processes together; nothing happens without a process group.

        Returns:
            FeatureStatistics: This instance.
        """
        if not (dist.is_available() and dist.is_initialized()):
            return self
        count = torch.tensor(self.count, dtype=torch.float64, device=self.mean.device)
        total, weighted = count.clone(), self.mean * count
        dist.all_reduce(total)
        dist.all_reduce(weighted)
        mean = weighted / total.clamp(min=1)
        offset = self.mean - mean
        scatter = self.scatter + count * torch.outer(offset, offset)
        dist.all_reduce(scatter)
        self.count, self.mean, self.scatter = int(total), mean, scatter
        return self

    def state_dict(self) -> dict[str, Any]:
        """Plain tensors and numbers, for a file."""
        return dict(count=self.count, mean=self.mean.cpu(), scatter=self.scatter.cpu())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        check_shape('mean', state['mean'], (self.dim,))
        self.count = int(state['count'])
        self.mean = state['mean'].to(self.mean)
        self.scatter = state['scatter'].to(self.scatter)

    def _merge(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        total = self.count + count
        offset = mean - self.mean
        self.scatter = self.scatter + scatter + torch.outer(offset, offset) * (self.count * count / total)
        self.mean = self.mean + offset * (count / total)
        self.count = total
