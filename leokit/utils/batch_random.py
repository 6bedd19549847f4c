"""Random numbers of a training batch as if one process trained on the batches of all processes.

In an iteration all processes have the same random state. Each one generates the numbers of the whole batch and takes
the rows of its own samples: process r of W has the samples r, r + W, r + 2W, ... of the batch
(:class:`~leokit.datasets.deterministic_sampler.DeterministicSampler`). So a sample's noise and augmentation do not
depend on the number of processes. Outside of :func:`batch_share`, as in validation, there is one process.
"""

from contextlib import contextmanager
from typing import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_share = (0, 1)  # rank and number of the processes that share a batch


@contextmanager
def batch_share(rank: int, world_size: int) -> Iterator[None]:
    """Within this block, a batch is the share of process ``rank`` of ``world_size``."""
    global _share
    previous, _share = _share, (rank, world_size)
    try:
        yield
    finally:
        _share = previous


def own_rows(generate: Callable[[int], Tensor], count: int, dim: int = 0) -> Tensor:
    """The random numbers of the samples of this process.

    Args:
        generate (Callable): Maps a number of samples to their numbers, with samples along dimension ``dim``.
        count (int): Samples of this process.
        dim (int): The dimension.
    """
    rank, world_size = _share
    if world_size == 1:
        return generate(count)
    numbers = generate(count * world_size)
    rows = torch.arange(rank, count * world_size, world_size, device=numbers.device)
    return numbers.index_select(dim, rows)


def randn_rows_like(like: Tensor) -> Tensor:
    """Standard normal noise shaped like a batch (B, ...), from torch's global generator."""
    if _share[1] == 1:
        return torch.randn_like(like)
    return _keep_format(own_rows(lambda count: torch.randn_like(_resized(like, count)), len(like)), like)


def uniform_rows(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """One number in [0, 1) for each sample of a batch, shape (B,); from torch's global generator by default."""
    if generator is None:
        return own_rows(lambda count: torch.rand(count, device=like.device), len(like))
    return torch.rand(len(like), device=generator.device, generator=generator).to(like.device)


class BatchDropout(nn.Dropout):
    """``nn.Dropout`` whose mask does not depend on the number of processes; the batch is the first dimension."""

    def forward(self, x: Tensor) -> Tensor:
        if _share[1] == 1 or not self.training or self.p == 0:
            return super().forward(x)
        mask = own_rows(lambda count: F.dropout(torch.ones_like(_resized(x.detach(), count)), self.p), len(x))
        return x * mask


def _resized(like: Tensor, count: int) -> Tensor:
    """An empty tensor of ``count`` samples with type, device and memory layout of a batch."""
    return _keep_format(like.new_empty((count, *like.shape[1:])), like)


def _keep_format(tensor: Tensor, like: Tensor) -> Tensor:
    # random numbers are generated in the order of the memory
    is_channels_last = like.ndim == 4 and like.is_contiguous(memory_format=torch.channels_last) \
        and not like.is_contiguous()
    return tensor.contiguous(memory_format=torch.channels_last) if is_channels_last else tensor
