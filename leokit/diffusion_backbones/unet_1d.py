"""A temporal U-Net over motion codes: LEO's denoiser (arXiv 2305.03989, section 3.2)."""

from typing import Sequence

from torch import Tensor

from leokit.diffusion_backbones.temporal import (
    ResidualBlock, TemporalAttention, TemporalConv, TemporalGroupNorm, upsample_frames)
from leokit.diffusion_backbones.unet import UNet, UNetLayers
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import check_shape

LAYERS = UNetLayers(conv=TemporalConv, norm=TemporalGroupNorm, block=ResidualBlock, attention=TemporalAttention,
                    enlarge=upsample_frames, channel_axis=-1)


@DIFFUSION_BACKBONES.register_module()
class UNet1D(UNet):
    """Temporal U-Net; starts with a zero output. The defaults have about 15 million parameters.

    Args:
        motion_dim (int): Motion dimension N.
        channels (Sequence[int]): Width of each level, fine to coarse; every level halves the frames.
        num_blocks (int): Residual blocks per level, on the way down and on the way up.
        attention_levels (Sequence[int]): Levels with self-attention (0 is the finest); the middle always has it.
        embedding_dim (int): Width of the embedding of time and condition.
        cond_dim (int): Width of the condition vector; 0 for none.
        head_dim (int): Width of an attention head.
        dropout (float): Dropout in the residual blocks.

    Raises:
        UserError: If the levels or the head width do not fit together.
    """

    def __init__(self, motion_dim: int = 20, channels: Sequence[int] = (256, 256, 384), *, num_blocks: int = 2,
                 attention_levels: Sequence[int] = (1, 2), embedding_dim: int = 256, cond_dim: int = 0,
                 head_dim: int = 64, dropout: float = 0.0) -> None:
        super().__init__(motion_dim, motion_dim, layers=LAYERS, channels=channels, num_blocks=num_blocks,
                         attention_levels=attention_levels, embedding_dim=embedding_dim, cond_dim=cond_dim,
                         head_dim=head_dim, dropout=dropout)
        self.motion_dim = motion_dim

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Predict from a noisy sequence.

        Args:
            x (Tensor): Noisy motion sequence of any length, shape (B, T, N).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).

        Returns:
            Tensor: Prediction, shape (B, T, N).

        Raises:
            ValueError: If a shape does not fit.
        """
        check_shape('x', x, (None, None, self.motion_dim))
        return self.denoise(x, t, cond)
