"""Convolutions over time, for controls in which neighboring frames belong together, such as features of sound."""

import torch.nn.functional as F
from torch import Tensor, nn

from leokit.control_encoders.control_encoder import ControlEncoder
from leokit.nn import zero_padding
from leokit.registry import CONTROL_ENCODERS
from leokit.utils import UserError


@CONTROL_ENCODERS.register_module()
class ConvControlEncoder(ControlEncoder):
    """A linear layer, then residual convolutions over time, each over ``kernel_size`` frames.

    Args:
        control_dim (int): Channels C of the control.
        dim (int): Width of the features and of the layers.
        depth (int): Convolutions; each sees ``kernel_size // 2`` frames more on either side.
        kernel_size (int): Frames of a convolution; odd.
    """

    def __init__(self, control_dim: int, dim: int = 64, *, depth: int = 3, kernel_size: int = 3) -> None:
        super().__init__(control_dim, dim)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise UserError(f'ConvControlEncoder: kernel_size={kernel_size} must be odd')
        self.stem = nn.Linear(control_dim, dim)
        self.convs = nn.ModuleList(
            nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2) for _ in range(depth))

    def encode(self, control: Tensor, mask: Tensor | None) -> Tensor:
        h = self.stem(control)  # (B, T, dim)
        for conv in self.convs:
            h = h + conv(zero_padding(F.silu(h), mask).transpose(1, 2)).transpose(1, 2)
        return h
