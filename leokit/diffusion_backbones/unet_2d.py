"""An image U-Net: the denoiser of starting frames given their motion code (LEO, arXiv 2305.03989, section 3.3).

The condition acts through every block's scale and shift (FiLM, arXiv 1709.07871). For super-resolution the small
picture, enlarged, is given as extra channels (SR3, arXiv 2104.07636).
"""

from typing import Sequence

import torch
from torch import Tensor

from leokit.diffusion_backbones.spatial import (
    SpatialAttention, SpatialBlock, enlarge_pixels, spatial_conv, spatial_norm)
from leokit.diffusion_backbones.unet import UNet, UNetLayers
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import check_shape

LAYERS = UNetLayers(conv=spatial_conv, norm=spatial_norm, block=SpatialBlock, attention=SpatialAttention,
                    enlarge=enlarge_pixels, channel_axis=1)


@DIFFUSION_BACKBONES.register_module()
class UNet2D(UNet):
    """Image U-Net; starts with a zero output.

    Args:
        image_channels (int): Channels C of the picture.
        channels (Sequence[int]): Width of each level, fine to coarse; every level halves the sides.
        num_blocks (int): Residual blocks per level, on the way down and on the way up.
        attention_levels (Sequence[int]): Levels with self-attention (0 is the finest); the middle always has it.
        embedding_dim (int): Width of the embedding of time and condition.
        cond_dim (int): Width of the condition vector, such as a motion code; 0 for none.
        extra_channels (int): Channels of a second picture that is given beside the noisy one; 0 for none.
        head_dim (int): Width of an attention head.
        dropout (float): Dropout in the residual blocks.

    Raises:
        UserError: If the levels or the head width do not fit together.
    """

    def __init__(self, image_channels: int = 3, channels: Sequence[int] = (128, 192, 256, 384), *, num_blocks: int = 2,
                 attention_levels: Sequence[int] = (2, 3), embedding_dim: int = 512, cond_dim: int = 0,
                 extra_channels: int = 0, head_dim: int = 64, dropout: float = 0.0) -> None:
        super().__init__(image_channels + extra_channels, image_channels, layers=LAYERS, channels=channels,
                         num_blocks=num_blocks, attention_levels=attention_levels, embedding_dim=embedding_dim,
                         cond_dim=cond_dim, head_dim=head_dim, dropout=dropout)
        self.image_channels = image_channels
        self.extra_channels = extra_channels

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None, *, extra: Tensor | None = None) -> Tensor:
        """Predict from noisy pictures.

        Args:
            x (Tensor): Noisy pictures of any size, shape (B, C, H, W).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).
            extra (Tensor, optional): Second pictures, shape (B, extra_channels, H, W).

        Returns:
            Tensor: Prediction, shape (B, C, H, W).

        Raises:
            ValueError: If a shape does not fit, or ``extra`` is missing or not wanted.
        """
        check_shape('x', x, (None, self.image_channels, None, None))
        if (extra is None) != (self.extra_channels == 0):
            raise ValueError('extra must be given if and only if the network was built with extra_channels > 0')
        if extra is not None:
            check_shape('extra', extra, (x.shape[0], self.extra_channels, *x.shape[2:]))
            x = torch.cat([x, extra], dim=1)
        return self.denoise(x, t, cond)
