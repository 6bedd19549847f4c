"""KVD: kernel distance of features of videos, the squared maximum mean discrepancy with a cubic polynomial kernel.

    k(x, y) = (x'y / d + 1)³

    MMD² = E k(x, x') + E k(y, y') - 2 E k(x, y)

With features of Inception-v3 it is KID (Bińkowski et al., "Demystifying MMD GANs", 2018), with features of I3D the
Kernel Video Distance (Unterthiner et al., 2018). Lower is better. Its estimate is unbiased, so unlike FVD it can be
compared between sets of different sizes, and can be negative.

This module computes the distance of two feature matrices. Where it is applied to videos:

- :mod:`leokit.evaluation.video_set_metrics`: KVD of folders of videos, with clips sampled by a protocol.
- :mod:`leokit.evaluation.runner_metrics.video_distance_metric`: KVD during validation and testing.

Two estimates have the same name in the literature and differ by a factor of a thousand:

- *full*: the unbiased estimate over all features (DIGAN, TATS), reported as it is;
- *subsets*: the mean of unbiased estimates over random subsets (StyleGAN, StyleGAN-V), reported **times 1000**.

The functions here return the plain value, never times 1000.

Sums over subsets are computed as products with indicator rows, ``u' K v``, so that all subsets need only one pass over
the kernel matrix, which is computed in blocks of rows.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from leokit.utils import check_shape

BLOCK_ELEMENTS = 2**24  # kernel entries computed at a time: 128 MiB in float64
KERNEL_DEGREE = 3


class KernelDistance(NamedTuple):
    """Mean and standard deviation of the estimates over subsets."""

    value: float
    std: float  # population standard deviation over the subsets


def polynomial_mmd(features_a: Tensor, features_b: Tensor, *, unbiased: bool = True) -> float:
    """Squared MMD of all features.

    Args:
        features_a (Tensor): Shape (n_a, d).
        features_b (Tensor): Shape (n_b, d).
        unbiased (bool): Leave out the diagonals of the kernel matrices (needs 2 rows each; may be negative).
    """
    a, b = _prepare(features_a, features_b, minimum=1 + int(unbiased))
    ones_a, ones_b = torch.ones_like(a[:, :1]).T, torch.ones_like(b[:, :1]).T
    counts = (a.shape[0], b.shape[0])
    return float(_mmd_of_subsets(a, b, ones_a, ones_b, counts, unbiased)[0])


def kernel_distance(
        fake: Tensor, real: Tensor, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0) -> KernelDistance:
    """Mean unbiased squared MMD over random subsets, sampled as in StyleGAN-V.

    Rows are sampled without replacement by NumPy's legacy generator, for each subset first from ``fake``, then from
    ``real``; this reproduces the reference implementation after ``np.random.seed(seed)``.

    Args:
        fake (Tensor): Features of generated samples, shape (n_f, d).
        real (Tensor): Features of real samples, shape (n_r, d).
        subsets (int): Number of subsets.
        subset_size (int): Rows of a subset, limited by the size of the smaller set.
        seed (int): Seed of the subsets.

    Returns:
        KernelDistance: Not times 1000.
    """
    if subsets < 1 or subset_size < 2:
        raise ValueError(f'subsets must be at least 1 and subset_size at least 2, got {subsets} and {subset_size}')
    fake, real = _prepare(fake, real, minimum=2)
    size = min(fake.shape[0], real.shape[0], subset_size)
    random = np.random.RandomState(seed)
    chosen_fake, chosen_real = fake.new_zeros(subsets, fake.shape[0]), real.new_zeros(subsets, real.shape[0])
    for subset in range(subsets):  # the order of these calls is part of the protocol
        chosen_fake[subset, torch.from_numpy(random.choice(fake.shape[0], size, replace=False))] = 1
        chosen_real[subset, torch.from_numpy(random.choice(real.shape[0], size, replace=False))] = 1
    values = _mmd_of_subsets(fake, real, chosen_fake, chosen_real, (size, size), unbiased=True)
    return KernelDistance(float(values.mean()), float(values.std(correction=0)))


def _prepare(features_a: Tensor, features_b: Tensor, minimum: int) -> tuple[Tensor, Tensor]:
    check_shape('features_a', features_a, (None, None))
    check_shape('features_b', features_b, (None, features_a.shape[1]))
    if min(features_a.shape[0], features_b.shape[0]) < minimum:
        raise ValueError(f'the kernel distance needs at least {minimum} rows in each set, '
                         f'got {features_a.shape[0]} and {features_b.shape[0]}')
    a, b = features_a.detach().double(), features_b.detach().double().to(features_a.device)
    if not bool(torch.isfinite(a).all() and torch.isfinite(b).all()):
        raise ValueError('features hold NaN or infinity; remove and count those samples before')
    return a, b


def _mmd_of_subsets(a: Tensor, b: Tensor, chosen_a: Tensor, chosen_b: Tensor, sizes: tuple[int, int],
                    unbiased: bool) -> Tensor:
    """Squared MMD of each subset, shape (subsets,); ``chosen`` are indicator rows, shape (subsets, n)."""
    size_a, size_b = sizes
    within_a, within_b = _kernel_sums(a, a, chosen_a, chosen_a), _kernel_sums(b, b, chosen_b, chosen_b)
    if unbiased:
        within_a = (within_a - chosen_a @ _diagonal(a)) / (size_a * (size_a - 1))
        within_b = (within_b - chosen_b @ _diagonal(b)) / (size_b * (size_b - 1))
    else:
        within_a, within_b = within_a / size_a**2, within_b / size_b**2
    return within_a + within_b - 2 * _kernel_sums(a, b, chosen_a, chosen_b) / (size_a * size_b)


def _kernel_sums(x: Tensor, y: Tensor, chosen_x: Tensor, chosen_y: Tensor) -> Tensor:
    """Sum of the kernel over the chosen rows of each subset, shape (subsets,)."""
    sums = x.new_zeros(chosen_x.shape[0])
    rows = max(1, BLOCK_ELEMENTS // y.shape[0])
    for start in range(0, x.shape[0], rows):
        block = slice(start, start + rows)
        kernel = (x[block] @ y.T / x.shape[1] + 1).pow(KERNEL_DEGREE)
        sums += ((chosen_x[:, block] @ kernel) * chosen_y).sum(1)
    return sums


def _diagonal(x: Tensor) -> Tensor:
    return (x.square().sum(1) / x.shape[1] + 1).pow(KERNEL_DEGREE)
