"""A temporal U-Net over motion codes: LEO's denoiser (arXiv 2305.03989, section 3.2).

The parts are those of the image U-Net of DDPM and of its later form (arXiv 2006.11239, 2105.05233):
residual blocks with group normalisation, time by scale and shift, attention at the coarse levels.

Any number of frames goes through without padding: halving gives ceil(T / 2) frames, and doubling is
cropped to the length of the level it returns to. No frame is ever invented, so none needs a mask.
"""

from typing import Iterator

import torch
from torch import Tensor, nn

from leokit.diffusion_backbones.temporal import ResidualBlock, TemporalAttention, TemporalConv, TemporalGroupNorm
from leokit.nn import TimeEmbedding
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import UserError, check_shape


@DIFFUSION_BACKBONES.register_module()
class UNet1D(nn.Module):
    """Temporal U-Net; starts with a zero output. The defaults have about 15 million parameters.

    Args:
        motion_dim (int): Motion dimension N.
        channels (Sequence[int]): Width of each level, fine to coarse; every level halves the frames.
        num_blocks (int): Residual blocks per level, on the way down and on the way up.
        attention_levels (Sequence[int]): Levels with self-attention (0 is the finest); the middle always has it.
        embedding_dim (int): Width of the time embedding.
        cond_dim (int): Width of the condition vector; 0 for none.
        head_dim (int): Width of an attention head.
        dropout (float): Dropout in the residual blocks.

    Raises:
        UserError: If the levels or the head width do not fit together.
    """

    def __init__(self, motion_dim: int = 20, channels: tuple[int, ...] = (256, 256, 384), *, num_blocks: int = 2,
                 attention_levels: tuple[int, ...] = (1, 2), embedding_dim: int = 256, cond_dim: int = 0,
                 head_dim: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        self._check(channels, attention_levels, head_dim)
        self.motion_dim = motion_dim
        self.embed = TimeEmbedding(embedding_dim, cond_dim)
        self.stem = TemporalConv(motion_dim, channels[0])

        def level(in_channels: int, width: int, attention: bool) -> nn.ModuleList:
            widths = [in_channels] + [width] * num_blocks
            blocks = [ResidualBlock(a, b, dropout=dropout) for a, b in zip(widths, widths[1:])]
            return nn.ModuleList([*blocks, TemporalAttention(width, head_dim=head_dim)] if attention else blocks)

        coarse = channels[-1]
        before = (channels[0], *channels)  # the width that arrives at each level
        self.down = nn.ModuleList(level(a, b, i in attention_levels) for i, (a, b) in enumerate(zip(before, channels)))
        self.halve = nn.ModuleList(TemporalConv(width, width, stride=2, bias=False) for width in channels[:-1])
        self.middle = level(coarse, coarse, attention=True)
        after = (*channels[1:], coarse)  # the width that returns to each level
        self.up = nn.ModuleList(  # coarse to fine, the order in which they run
            level(after[i] + channels[i], channels[i], i in attention_levels) for i in reversed(range(len(channels))))
        self.out_norm = TemporalGroupNorm(channels[0])
        self.out = TemporalConv(channels[0], motion_dim, zero_init=True)
        # every block's scale and shift in one matrix product, in the order in which the blocks run
        self.modulation_widths = [2 * m.out_channels for m in self.modules() if isinstance(m, ResidualBlock)]
        self.modulation = nn.Linear(embedding_dim, sum(self.modulation_widths))

    @staticmethod
    def _check(channels: tuple[int, ...], attention_levels: tuple[int, ...], head_dim: int) -> None:
        levels = range(len(channels))
        if len(levels) == 0 or any(i not in levels for i in attention_levels):
            raise UserError(f'UNet1D: attention_levels={tuple(attention_levels)} must name levels of '
                            f'channels={tuple(channels)}, counted from 0')
        uneven = [channels[i] for i in {*attention_levels, len(channels) - 1} if channels[i] % head_dim]
        if uneven:
            raise UserError(f'UNet1D: head_dim={head_dim} must divide the channels of every level with attention, '
                            f'but there is a level of {uneven[0]}')

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
        embedding = nn.functional.silu(self.embed(t, cond))
        modulations = iter(self.modulation(embedding).split(self.modulation_widths, dim=-1))

        # down
        h = self.stem(x)
        skips = []
        for i, level in enumerate(self.down):
            h = _run(level, h, modulations)
            skips.append(h)
            if i < len(self.halve):
                h = self.halve[i](h)

        # middle
        h = _run(self.middle, h, modulations)

        # up
        for level, skip in zip(self.up, reversed(skips)):
            if h.shape[1] != skip.shape[1]:
                h = h.repeat_interleave(2, dim=1)[:, :skip.shape[1]]
            h = _run(level, torch.cat([h, skip], dim=-1), modulations)
        return self.out(nn.functional.silu(self.out_norm(h)))


def _run(level: nn.ModuleList, h: Tensor, modulations: Iterator[Tensor]) -> Tensor:
    for layer in level:
        if isinstance(layer, ResidualBlock):
            scale, shift = next(modulations).chunk(2, dim=-1)
            h = layer(h, scale, shift)
        else:
            h = layer(h)
    return h
