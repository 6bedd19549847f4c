"""A plain convolution net over motion codes: residual blocks with dilated convolutions over time.

The dilations repeat 1, 2, 4, … as in WaveNet (arXiv 1609.03499, section 2.1), without causality; time and condition set
the scale and shift of every block (FiLM, arXiv 1709.07871). It never changes the number of frames.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from leokit.nn import TimeEmbedding
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

    Attributes:
        receptive_field (int): Frames of the input that a frame of the output depends on. Group normalization over time
            adds statistics of the whole sequence.
    """

    def __init__(self, motion_dim: int = 20, channels: int = 448, *, depth: int = 10, cycle: int = 5,
                 kernel_size: int = 3, embedding_dim: int = 256, cond_dim: int = 0, dropout: float = 0.0) -> None:
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
        self.blocks = nn.ModuleList(
            DilatedBlock(channels, kernel_size=kernel_size, dilation=dilation, embedding_dim=embedding_dim,
                         dropout=dropout) for dilation in dilations)
        self.out_norm = nn.GroupNorm(8, channels)
        self.out = nn.Conv1d(channels, motion_dim, kernel_size, padding=kernel_size // 2)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Predict from a noisy sequence.

        Args:
            x (Tensor): Noisy motion sequence of any length, shape (B, T, N).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).

        Returns:
            Tensor: Prediction, shape (B, T, N).
        """
        check_shape('x', x, (None, None, self.motion_dim))
        embedding = F.silu(self.embed(t, cond))  # (B, embedding_dim)
        h = self.stem(x.transpose(1, 2))  # (B, channels, T)
        for block in self.blocks:
            h = block(h, embedding)
        return self.out(F.silu(self.out_norm(h))).transpose(1, 2)


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

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Map x (B, channels, T) and embedding (B, embedding_dim) to (B, channels, T)."""
        scale, shift = self.modulation(embedding)[..., None].chunk(2, dim=1)  # (B, channels, 1) each
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (1 + scale) + shift
        return x + self.conv2(self.dropout(F.silu(h)))
