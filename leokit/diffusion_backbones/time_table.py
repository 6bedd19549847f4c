"""Loops over the times of a sampler: what a backbone computes from the time alone is computed once for all of them."""

from functools import partial
from typing import Callable

from torch import Tensor, nn


def with_time_table(backbone: nn.Module, num_times: int) -> Callable[..., Tensor]:
    """A backbone with the present weights, for many calls without gradients.

    On a GPU a table of all times is one batch, while in every call of a small network the embedding of the time is as
    many kernels as two of its layers.

    Args:
        backbone (nn.Module): If it has a method ``time_table(num_times)`` and that returns a table, its ``forward``
            takes it as the argument ``time_table``. Others are returned as they are.
        num_times (int): Number of times; calls have 0, ..., num_times - 1.
    """
    table = backbone.time_table(num_times) if hasattr(backbone, 'time_table') else None
    return backbone if table is None else partial(backbone, time_table=table)
