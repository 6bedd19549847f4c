"""Layers over padded sequences: with a mask, a padded sequence gives the outputs that it gives without its padding.

Padded frames are zero before a convolution, which then sees what it sees at the end of a sequence, and do not count in
the statistics of a normalization.
"""

import torch
from torch import Tensor


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set padded frames to 0, whatever they hold.

    Args:
        x (Tensor): Sequences.
        mask (Tensor, optional): True in frames that count, bool, of a shape that broadcasts to ``x``.
    """
    return x if mask is None else x.masked_fill(~mask, 0)


def masked_var_mean(x: Tensor, mask: Tensor | None, dims: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Biased variance and mean over the frames that count, like ``torch.var_mean(correction=0, keepdim=True)``.

    Args:
        x (Tensor): Sequences.
        mask (Tensor, optional): True in frames that count, bool, of a shape that broadcasts to ``x``.
        dims (tuple[int, ...]): Axes to reduce.
    """
    if mask is None:
        return torch.var_mean(x, dim=dims, correction=0, keepdim=True)
    weight = mask.to(x.dtype).expand_as(x)
    count = weight.sum(dims, keepdim=True).clamp_min(1)
    mean = zero_padding(x, mask).sum(dims, keepdim=True) / count
    return (zero_padding(x - mean, mask).square().sum(dims, keepdim=True) / count), mean
