"""The U-Net that :class:`UNet1D` (LEO's denoiser) and :class:`UNet2D` share: levels, skip connections, conditioning.

Residual blocks with group normalization, scale and shift by time and condition, attention at the coarse levels
(DDPM, arXiv 2006.11239, appendix B; improved in arXiv 2105.05233, section 3).

Inputs of any size work without padding: downsampling gives ceil(n / 2) points, and upsampling is cropped to the size of
the skip connection. Sequences of several lengths in one batch are padded and have a mask, which every level halves.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from leokit.nn import TimeEmbedding
from leokit.utils import UserError


class UNetLayers(NamedTuple):
    """The layers of a U-Net over one kind of data.

    Attributes:
        conv (Callable): (in_channels, out_channels, *, stride, bias, zero_init) -> convolution.
        norm (Callable): (channels,) -> normalization.
        block (Callable): (in_channels, out_channels, *, dropout) -> residual block, called with (x, scale, shift).
        attention (Callable): (channels, *, head_dim) -> self-attention with its residual connection.
        upsample (Callable): (x, like) -> x upsampled by 2 and cropped to the size of ``like``.
        channel_axis (int): The axis of the channels.
    """

    conv: Callable[..., nn.Module]
    norm: Callable[..., nn.Module]
    block: Callable[..., nn.Module]
    attention: Callable[..., nn.Module]
    upsample: Callable[[Tensor, Tensor], Tensor]
    channel_axis: int


class UNet(nn.Module):
    """U-Net of given layers; its output is zero at initialization.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        layers (UNetLayers): The constructors of its layers.

    All other arguments are those of the subclasses.
    """

    def __init__(self, in_channels: int, out_channels: int, *, layers: UNetLayers, channels: Sequence[int],
                 num_blocks: int, attention_levels: Sequence[int], embedding_dim: int, cond_dim: int, head_dim: int,
                 dropout: float) -> None:
        super().__init__()
        check_levels(type(self).__name__, channels, attention_levels, head_dim)
        self.layers = layers
        self.embed = TimeEmbedding(embedding_dim, cond_dim)
        self.stem = layers.conv(in_channels, channels[0])

        def level(in_channels: int, width: int, attention: bool) -> Level:
            widths = [in_channels] + [width] * num_blocks
            blocks = [layers.block(a, b, dropout=dropout) for a, b in zip(widths, widths[1:])]
            return Level(blocks, width, layers.attention(width, head_dim=head_dim) if attention else None)

        before = (channels[0], *channels)  # input width of each level on the way down
        after = (*channels[1:], channels[-1])  # input width of each level on the way up, without the skip
        self.down = nn.ModuleList(level(a, b, i in attention_levels) for i, (a, b) in enumerate(zip(before, channels)))
        self.halve = nn.ModuleList(  # downsampling; the name is in checkpoints
            layers.conv(width, width, stride=2, bias=False) for width in channels[:-1])
        self.middle = level(channels[-1], channels[-1], attention=True)
        self.up = nn.ModuleList(  # coarse to fine, the order in which they run
            level(after[i] + channels[i], channels[i], i in attention_levels) for i in reversed(range(len(channels))))
        self.out_norm = layers.norm(channels[0])
        self.out = layers.conv(channels[0], out_channels, zero_init=True)
        # scale and shift of all blocks in one matrix product, in the order in which the blocks run
        levels = (*self.down, self.middle, *self.up)
        self.modulation_widths = [2 * level.width for level in levels for _ in level.blocks]
        self.modulation = nn.Linear(embedding_dim, sum(self.modulation_widths))

    def modulations(self, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Scales and shifts of all blocks, shape (B, M), for times (B,) and condition vectors (B, cond_dim)."""
        return self.modulation(nn.functional.silu(self.embed(t, cond)))

    def time_table(self, num_times: int) -> Tensor | None:
        """The modulations of times 0, ..., num_times - 1, shape (num_times, M); None if they have a condition, too."""
        if self.embed.condition is not None:
            return None
        return self.modulations(torch.arange(num_times, device=self.modulation.weight.device))

    def denoise(self, x: Tensor, t: Tensor, cond: Tensor | None = None, *, mask: Tensor | None = None,
                enter: Callable[[Tensor], Tensor] | None = None, time_table: Tensor | None = None) -> Tensor:
        """Run the network.

        Args:
            x (Tensor): Input, shape (B, ...) with ``in_channels`` channels.
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).
            mask (Tensor, optional): True in frames that count, bool, shape (B, T, 1), for layers that take a mask.
            enter (Callable, optional): Map of the features after the first layer, for further inputs.
            time_table (Tensor, optional): That of :meth:`time_table`, to look the modulations up.

        Returns:
            Tensor: Output of the size of ``x`` with ``out_channels`` channels.
        """
        modulation = self.modulations(t, cond) if time_table is None else time_table[t]
        modulations = iter(modulation.split(self.modulation_widths, dim=1))

        masks = [mask]  # by level
        for _ in self.halve:
            masks.append(None if mask is None else masks[-1][:, ::2])

        # down
        h = run_layer(self.stem, x, mask=mask)
        h = h if enter is None else enter(h)
        skips = []
        for i, level in enumerate(self.down):
            h = level(h, modulations, masks[i])
            skips.append(h)
            if i < len(self.halve):
                h = run_layer(self.halve[i], h, mask=masks[i])

        # middle
        h = self.middle(h, modulations, masks[-1])

        # up
        for i, (level, skip) in enumerate(zip(self.up, reversed(skips))):
            if i > 0:
                h = self.layers.upsample(h, skip)
            h = level(torch.cat([h, skip], dim=self.layers.channel_axis), modulations, masks[-1 - i])
        h = nn.functional.silu(run_layer(self.out_norm, h, mask=mask))
        return run_layer(self.out, h, mask=mask)


class Level(nn.Module):
    """The residual blocks of one level, then its attention.

    Args:
        blocks (Sequence[nn.Module]): The blocks.
        width (int): Channels of their output.
        attention (nn.Module, optional): Self-attention.
    """

    def __init__(self, blocks: Sequence[nn.Module], width: int, attention: nn.Module | None) -> None:
        super().__init__()
        self.width = width
        self.blocks = nn.ModuleList(blocks)
        self.attention = attention

    def forward(self, h: Tensor, modulations: Iterator[Tensor], mask: Tensor | None = None) -> Tensor:
        """Run the level; every block takes the next modulation (B, 2 width): its scale and shift."""
        for block in self.blocks:
            scale, shift = next(modulations).chunk(2, dim=1)
            h = run_layer(block, h, scale, shift, mask=mask)
        return h if self.attention is None else run_layer(self.attention, h, mask=mask)


def run_layer(layer: nn.Module, *inputs: Tensor, mask: Tensor | None) -> Tensor:
    """Run a layer, with the mask if there is one; layers of images take none."""
    return layer(*inputs) if mask is None else layer(*inputs, mask=mask)


def check_levels(name: str, channels: Sequence[int], attention_levels: Sequence[int], head_dim: int) -> None:
    """Raise a UserError unless the levels exist and the head width divides those with attention."""
    levels = range(len(channels))
    if len(levels) == 0 or any(i not in levels for i in attention_levels):
        raise UserError(f'{name}: attention_levels={tuple(attention_levels)} must name levels of '
                        f'channels={tuple(channels)}, counted from 0')
    uneven = [channels[i] for i in {*attention_levels, len(channels) - 1} if channels[i] % head_dim]
    if uneven:
        raise UserError(f'{name}: head_dim={head_dim} must divide the channels of every level with attention, '
                        f'but there is a level of {uneven[0]}')
