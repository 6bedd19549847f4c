"""How well generated motion follows its control."""

from typing import NamedTuple

from torch import Tensor

from leokit.utils import check_shape


class ControlError(NamedTuple):
    """Agreement of realized values with asked ones, float64; NaN where they do not vary.

    Attributes:
        correlation (Tensor): Pearson correlation over the frames of all sequences, each value minus the mean of its
            sequence, shape (K,): whether motion follows the control in time.
        error (Tensor): Root mean square difference, in the unit of the values, shape (K,).
        chance (Tensor): The same correlation if each sequence is compared with what another one was asked for, shape
            (K,).
        chance_error (Tensor): Its root mean square difference, shape (K,).
    """

    correlation: Tensor
    error: Tensor
    chance: Tensor
    chance_error: Tensor


def control_error(asked: Tensor, realized: Tensor) -> ControlError:
    """Compare realized with asked values of at least two sequences.

    Args:
        asked (Tensor): Shape (B, T, K).
        realized (Tensor): Shape (B, T, K).
    """
    check_shape('asked', asked, (None, None, None))
    check_shape('realized', realized, tuple(asked.shape))
    if len(asked) < 2:
        raise ValueError(f'chance needs at least 2 sequences, got {len(asked)}')
    asked, realized = asked.double(), realized.double()
    others = asked.roll(1, dims=0)
    return ControlError(_correlation(asked, realized), _error(asked, realized), _correlation(others, realized),
                        _error(others, realized))


def _correlation(x: Tensor, y: Tensor) -> Tensor:
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    norm = (x.square().sum((0, 1)) * y.square().sum((0, 1))).sqrt()
    return (x * y).sum((0, 1)) / norm  # 0 / 0 is NaN


def _error(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().mean((0, 1)).sqrt()
