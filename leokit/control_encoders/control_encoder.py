"""The base class of the control encoders: normalization of a control sequence, one row of numbers per frame."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from leokit.nn import zero_padding
from leokit.utils import UserError

STD_FLOOR = 1e-6  # of a channel that never varies


class ControlEncoder(nn.Module, ABC):
    """Maps control sequences to features of each frame, which a backbone adds to its own.

    Channels are normalized by the statistics of the training data, which are part of the weights.

    Args:
        control_dim (int): Channels C of the control.
        dim (int): Width of the features.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, control_dim: int, dim: int) -> None:
        super().__init__()
        if min(control_dim, dim) < 1:
            raise UserError(f'{type(self).__name__}: control_dim={control_dim} and dim={dim} must be at least 1')
        self.control_dim = control_dim
        self.dim = dim
        self.register_buffer('mean', torch.zeros(control_dim))
        self.register_buffer('std', torch.ones(control_dim))

    def set_statistics(self, mean: Any, std: Any) -> None:
        """Set mean and standard deviation of the channels, shape (C,)."""
        mean, std = (torch.as_tensor(value) for value in (mean, std))
        if mean.shape != self.mean.shape:
            raise UserError(f'the control sequences of the dataset have {len(mean)} channels, but the model has '
                            f'control_dim={self.control_dim}; make them equal')
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > STD_FLOOR, std, torch.ones_like(std)))

    def forward(self, control: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode control sequences.

        Args:
            control (Tensor): Control, shape (B, T, C), in the units of the training data.
            mask (Tensor, optional): True in frames that count, bool, shape (B, T).

        Returns:
            Tensor: Features, shape (B, T, dim).
        """
        mask = None if mask is None else mask[..., None]  # (B, T, 1)
        return self.encode(zero_padding((control.float() - self.mean) / self.std, mask), mask)

    @abstractmethod
    def encode(self, control: Tensor, mask: Tensor | None) -> Tensor:
        """Encode normalized control.

        Args:
            control (Tensor): Control of mean 0 and standard deviation 1, shape (B, T, C); 0 outside the mask.
            mask (Tensor, optional): True in frames that count, bool, shape (B, T, 1); for encoders that mix frames.

        Returns:
            Tensor: Features, shape (B, T, dim).
        """
