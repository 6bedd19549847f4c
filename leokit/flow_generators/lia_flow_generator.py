"""The flow generator of LIA (ICLR 2022, section 3.2): latent and source features to flow maps, masks and the frame.

A StyleGAN2 synthesis network whose every level predicts a flow and a mask, warps
the source's feature of the same side, and blends it with its own trunk, which
paints what the warp cannot show. Reproduces the public implementation.

Initialization: ``'identity'`` (default) starts as a copy of the source: to-flow weights
are zero, so nothing moves; the first mask bias is +3; and the color head of the finest
side reads the colors that ``LIAEncoder`` lets in, while the other heads are zero. The
loss begins at the error of copying, and its gradient finds the warp first. With
``'reference'`` (StyleGAN2's) the network learns to paint before it learns to move, and
with few identities it then keeps faces in its weights. Loading a checkpoint overwrites
either. Copying is exact with the warp operator's ``'exact'`` grid.

Inpainting: in LIA the trunk reaches the picture through flows and masks alone, and every color
is one of the source's, warped. A mouth that is closed in the source then cannot open: there are
no teeth to warp. With ``inpaint`` a color head of every side reads what the trunk paints where
the mask lets the source pass less. It begins at zero, and LIA's checkpoints have none.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from leokit.nn import (
    BiasActivation, EqualConv2d, ModulatedConv2d, StyledConv, channels_by_resolution, check_initialization,
    init_to_rgb_identity, upsample2x)
from leokit.registry import FLOW_GENERATORS, WARP_OPERATORS

IDENTITY_MASK_BIAS = 3.0  # sigmoid(3) = 0.95: nearly all of the warped source, with a gradient left


class FlowFrame(NamedTuple):
    """What a flow generator returns.

    Attributes:
        frames (Tensor): Shape (B, 3, H, W), about [-1, 1], not clipped.
        flows (tuple[Tensor, ...]): Sampling offsets of sides 8, 16, ..., size, shape (B, 2, s, s), x first,
            normalized, in (-1, 1); zero is no motion.
        masks (tuple[Tensor, ...]): Shape (B, 1, s, s) in (0, 1): 1 where the warped source is used.
    """

    frames: Tensor
    flows: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]


class ToFlow(nn.Module):
    """Trunk to the accumulated raw flow-and-mask map (3 channels), before any nonlinearity.

    Args:
        in_channels (int): Channels of the trunk.
        style_dim (int): Width of the latent.
    """

    def __init__(self, in_channels: int, *, style_dim: int):
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, 3, kernel_size=1, style_dim=style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, latent: Tensor, previous: Tensor | None) -> Tensor:
        """Map the trunk (B, C, s, s) and the previous side's map (B, 3, s/2, s/2) to (B, 3, s, s), float32."""
        raw = self.conv(x, latent).float() + self.bias.view(1, 3, 1, 1)
        return raw if previous is None else raw + upsample2x(previous)


class ToRGB(nn.Module):
    """Warped feature to the accumulated picture.

    Args:
        in_channels (int): Channels of the feature.
    """

    def __init__(self, in_channels: int):
        super().__init__()
        self.conv = EqualConv2d(in_channels, 3, kernel_size=1)
        self.activation = BiasActivation(3)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, warped: Tensor, previous: Tensor | None) -> Tensor:
        """Map (B, C, s, s) and the previous side's picture (B, 3, s/2, s/2) to (B, 3, s, s), float32."""
        picture = self.activation(self.conv(warped).float()) + self.bias.view(1, 3, 1, 1)
        return picture if previous is None else picture + upsample2x(previous)


class SynthesisLevel(nn.Module):
    """One side: upsample, convolve, predict flow and mask, warp, color, blend.

    Args:
        in_channels (int): Channels of the previous side.
        out_channels (int): Channels of this side.
        style_dim (int): Width of the latent.
        warp (nn.Module): The warp operator, shared by all levels.
        inpaint (bool): Whether the picture also reads the trunk, where the mask is below 1.
    """

    def __init__(self, in_channels: int, out_channels: int, *, style_dim: int, warp: nn.Module, inpaint: bool = False):
        super().__init__()
        self.up = StyledConv(in_channels, out_channels, style_dim=style_dim, upsample=True)
        self.conv = StyledConv(out_channels, out_channels, style_dim=style_dim)
        self.to_flow = ToFlow(out_channels, style_dim=style_dim)
        self.to_rgb = ToRGB(out_channels)
        self.inpaint_rgb = None
        if inpaint:
            self.inpaint_rgb = EqualConv2d(out_channels, 3, kernel_size=1)
            nn.init.zeros_(self.inpaint_rgb.weight)
        self.warp = warp

    def forward(self, x: Tensor, latent: Tensor, feature: Tensor, raw: Tensor | None,
                picture: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Run one level.

        Args:
            x (Tensor): Trunk of the previous side, shape (B, C_in, s/2, s/2).
            latent (Tensor): Shape (B, style_dim).
            feature (Tensor): The source's feature of this side, shape (S, C_out, s, s) with S dividing B.
            raw (Tensor, optional): Raw flow-and-mask map of the previous side.
            picture (Tensor, optional): Picture of the previous side.

        Returns:
            tuple: Trunk, raw map, picture, flow, mask.
        """
        x = self.conv(self.up(x, latent), latent)
        # flow and mask
        raw = self.to_flow(x, latent, raw)
        flow, mask = torch.tanh(raw[:, :2]), torch.sigmoid(raw[:, 2:])
        # warp and inpaint; in LIA the picture reads the warped feature alone
        warped = self.warp(feature, flow, mask)
        painted = (1 - mask).to(x.dtype) * x
        picture = self.to_rgb(warped, picture)
        if self.inpaint_rgb is not None:
            picture = picture + self.inpaint_rgb(painted).float()
        x = warped.to(x.dtype) + painted
        return x, raw, picture, flow, mask


@FLOW_GENERATORS.register_module()
class LIAFlowGenerator(nn.Module):
    """Latent and source features to flows, masks and the frame.

    Args:
        size (int): Image side, a power of two from 32 to 1024.
        appearance_dim (int): Width D of the latent.
        channel_multiplier (float): Factor on the channels of sides 64 and up; as the encoder's.
        max_channels (int): Upper limit of the channels of any side; as the encoder's.
        warp_operator (dict, optional): Config in WARP_OPERATORS; ``BilinearWarp`` by default.
        init (str): ``'identity'`` or ``'reference'``, see the module's head.
        inpaint (bool): Whether the picture may show what the source does not, see the module's head.
    """

    def __init__(self, size: int, appearance_dim: int = 512, *, channel_multiplier: float = 1,
                 max_channels: int = 512, warp_operator: dict | None = None, init: str = 'identity',
                 inpaint: bool = False):
        super().__init__()
        check_initialization(init)
        channels = channels_by_resolution(size, channel_multiplier, max_channels)
        sides = sorted(channels)
        warp = WARP_OPERATORS.build(warp_operator or dict(type='BilinearWarp'))
        self.constant = nn.Parameter(torch.randn(1, channels[4], 4, 4))
        self.first = StyledConv(channels[4], channels[4], style_dim=appearance_dim)
        self.levels = nn.ModuleList(
            SynthesisLevel(channels[half], channels[side], style_dim=appearance_dim, warp=warp,
                           inpaint=inpaint)
            for half, side in zip(sides, sides[1:]))
        if init == 'identity':
            self._start_from_identity()

    @torch.no_grad()
    def _start_from_identity(self) -> None:
        for level in self.levels:
            level.to_flow.conv.weight.zero_()
            level.to_rgb.conv.weight.zero_()
        self.levels[0].to_flow.bias[2] = IDENTITY_MASK_BIAS  # later sides add to the upsampled first one
        init_to_rgb_identity(self.levels[-1].to_rgb.conv, mask=1 / (1 + math.exp(-IDENTITY_MASK_BIAS)))

    def forward(self, latent: Tensor, features: tuple[Tensor, ...]) -> FlowFrame:
        """Generate frames.

        Args:
            latent (Tensor): Shape (B, D).
            features (tuple[Tensor, ...]): The sources' features of sides 8 to size, shape (S, C, s, s), where S
                divides B and latents k·B/S … belong to source k.

        Returns:
            FlowFrame: Frames, flows and masks.

        Raises:
            ValueError: If the features do not fit the latents.
        """
        if len(features) != len(self.levels):
            raise ValueError(f'features must have {len(self.levels)} levels, got {len(features)}')
        if latent.shape[0] % features[0].shape[0]:
            raise ValueError(f'{latent.shape[0]} latents cannot be shared out over {features[0].shape[0]} sources')
        x = self.constant.expand(latent.shape[0], -1, -1, -1)
        x = self.first(x, latent)
        raw = picture = None
        flows, masks = [], []
        for level, feature in zip(self.levels, features):
            x, raw, picture, flow, mask = level(x, latent, feature, raw, picture)
            flows.append(flow)
            masks.append(mask)
        return FlowFrame(picture, tuple(flows), tuple(masks))
