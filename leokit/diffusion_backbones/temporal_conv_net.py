"""A plain convolution net over motion codes: residual blocks with dilated convolutions over time.

The dilations repeat 1, 2, 4, … as in WaveNet (arXiv 1609.03499, section 2.1), without causality; time and condition set
the scale and shift of every block (FiLM, arXiv 1709.07871). It never changes the number of frames.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from leokit.nn import ControlInput, TimeEmbedding, masked_var_mean, zero_padding
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import UserError, check_shape
from leokit.utils.batch_random import BatchDropout


@DIFFUSION_BACKBONES.register_module()
class TemporalConvNet(nn.Module):
    """Convolutional denoiser; its output is zero at initialization. The defaults have about 15 million parameters.

    Args:
        motion_dim (int): Motion dimension N.
        channels (int): Width of the residual stream; a multiple of 8.
        depth (int): Number of blocks, of two convolutions each.
        cycle (int): Blocks after which the dilation starts at 1 again; the largest is ``2^(cycle - 1)``.
        kernel_size (int): Frames of a convolution; odd.
        embedding_dim (int): Width of the embedding of time and condition.
        cond_dim (int): Width of the condition vector; 0 for none.
        dropout (float): Dropout in the blocks.
        control_dim (int): Width of the control of each frame; 0 for none.

    Attributes:
        receptive_field (int): Frames of the input that a frame of the output depends on. Group normalization over time
            adds statistics of the whole sequence.
    """

    autocast_layers = (nn.Linear, nn.Conv1d)  # see AutocastCopy

    def __init__(self, motion_dim: int = 20, channels: int = 448, *, depth: int = 10, cycle: int = 5,
                 kernel_size: int = 3, embedding_dim: int = 256, cond_dim: int = 0, dropout: float = 0.0,
                 control_dim: int = 0) -> None:
        super().__init__()
        if kernel_size % 2 == 0 or kernel_size < 1:
            raise UserError(f'TemporalConvNet: kernel_size={kernel_size} must be odd')
        if channels % 8 or min(channels, depth, cycle) < 1:
            raise UserError(f'TemporalConvNet: channels={channels} must be a multiple of 8; depth={depth} and '
                            f'cycle={cycle} at least 1')
        dilations = [2 ** (block % cycle) for block in range(depth)]
        self.motion_dim = motion_dim
        # stem and output convolve with kernel_size too; the second convolution of a block has no dilation
        self.receptive_field = 1 + (kernel_size - 1) * (2 + sum(dilation + 1 for dilation in dilations))
        self.embed = TimeEmbedding(embedding_dim, cond_dim)
        self.stem = nn.Conv1d(motion_dim, channels, kernel_size, padding=kernel_size // 2)
        self.control = ControlInput(control_dim, channels)
        self.blocks = nn.ModuleList(
            DilatedBlock(channels, kernel_size=kernel_size, dilation=dilation, embedding_dim=embedding_dim,
                         dropout=dropout) for dilation in dilations)
        self.out_norm = nn.GroupNorm(8, channels)
        self.out = nn.Conv1d(channels, motion_dim, kernel_size, padding=kernel_size // 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None, *, mask: Tensor | None = None,
                control: Tensor | None = None) -> Tensor:
        """Predict from a noisy sequence.

        Args:
            x (Tensor): Noisy motion sequence of any length, shape (B, T, N).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).
            mask (Tensor, optional): True in frames that count, bool, shape (B, T).
            control (Tensor, optional): Control of each frame, shape (B, T, control_dim).

        Returns:
            Tensor: Prediction, shape (B, T, N).
        """
        check_shape('x', x, (None, None, self.motion_dim))
        if mask is not None:
            check_shape('mask', mask, tuple(x.shape[:2]))
            mask = mask[..., None]  # (B, T, 1)
        embedding = F.silu(self.embed(t, cond))  # (B, embedding_dim)
        h = self.stem(zero_padding(x, mask).transpose(1, 2))  # (B, channels, T)
        h = self.control(h.transpose(1, 2), control, mask).transpose(1, 2)
        mask = None if mask is None else mask.transpose(1, 2)  # (B, 1, T)
        for block in self.blocks:
            h = block(h, embedding, mask)
        h = F.silu(masked_group_norm(self.out_norm, h, mask))
        return self.out(zero_padding(h, mask)).transpose(1, 2)


class DilatedBlock(nn.Module):
    """Norm, SiLU, dilated convolution, scale and shift, SiLU, convolution, added to the input.

    Args:
        channels (int): Width.
        kernel_size (int): Frames of a convolution.
        dilation (int): Distance of the frames of the first convolution.
        embedding_dim (int): Width of the embedding.
        dropout (float): Dropout before the second convolution.
    """

    def __init__(self, channels: int, *, kernel_size: int, dilation: int, embedding_dim: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv1d(channels, channels, kernel_size, padding=dilation * (kernel_size // 2),
                               dilation=dilation)
        self.modulation = nn.Linear(embedding_dim, 2 * channels)
        self.norm2 = nn.GroupNorm(8, channels, affine=False)
        self.dropout = BatchDropout(dropout)
        self.conv2 = nn.Conv1d(channels, channels, kernel_size, padding=kernel_size // 2)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor, embedding: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map x (B, channels, T), embedding (B, embedding_dim) and mask (B, 1, T) to (B, channels, T)."""
        scale, shift = self.modulation(embedding)[..., None].chunk(2, dim=1)  # (B, channels, 1) each
        h = F.silu(masked_group_norm(self.norm1, x, mask))
        h = self.conv1(zero_padding(h, mask))
        h = F.silu(masked_group_norm(self.norm2, h, mask) * (1 + scale) + shift)
        return x + self.conv2(zero_padding(self.dropout(h), mask))


def masked_group_norm(norm: nn.GroupNorm, x: Tensor, mask: Tensor | None) -> Tensor:
    """Group normalization of (B, channels, T) by the statistics of the frames in the mask (B, 1, T)."""
    if mask is None:
        return norm(x)
    grouped = x.float().unflatten(1, (norm.num_groups, -1))  # (B, G, C, T)
    variance, mean = masked_var_mean(grouped, mask[:, None], (2, 3))
    normed = ((grouped - mean) * torch.rsqrt(variance + norm.eps)).flatten(1, 2)
    if norm.weight is not None:
        normed = normed * norm.weight[:, None] + norm.bias[:, None]
    return normed
