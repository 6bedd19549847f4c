"""The flow generator of LIA (ICLR 2022, section 3.2): latent and source features to flow maps, masks and the frame.

A StyleGAN2 synthesis network. Every level predicts a flow and a mask, warps the source's feature map of the same
resolution, and blends it with its own feature map (the trunk), which inpaints what the warp cannot show. Reproduces the
public implementation.

Initialization: with ``'identity'`` (default) the output is a copy of the source. The to-flow weights are zero, so
nothing moves; the initial mask bias is +3; the to-RGB layer of the finest resolution reads the RGB values that
``LIAEncoder`` passes through, and the other to-RGB layers are zero. The initial loss is the error of copying, and its
gradient reaches the warp first. With ``'reference'`` (StyleGAN2's initialization) the network learns to paint before it
learns to move, and with few identities it then stores faces in its weights. Loading a checkpoint overwrites either. The
copy is exact with the ``'exact'`` grid of the warp operator.

Inpainting: in LIA the trunk reaches the image only through flows and masks, so every color is one of the source's,
warped. A mouth that is closed in the source cannot open, because there are no teeth to warp. With ``inpaint``, an
additional to-RGB layer per resolution reads the trunk where the mask suppresses the source. It is initialized with
zeros; LIA's checkpoints have none.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from leokit.nn import (
    BiasActivation, EqualConv2d, ModulatedConv2d, StyledConv, channels_by_resolution, check_initialization,
    init_to_rgb_identity, upsample2x)
from leokit.registry import FLOW_GENERATORS, WARP_OPERATORS

IDENTITY_MASK_BIAS = 3.0
IDENTITY_MASK = 1 / (1 + math.exp(-IDENTITY_MASK_BIAS))  # 0.95: nearly all of the warped source, but not saturated


class FlowFrame(NamedTuple):
    """The output of a flow generator.

    Attributes:
        frames (Tensor): Shape (B, 3, H, W), about [-1, 1], not clipped.
        flows (tuple[Tensor, ...]): Sampling offsets of resolutions 8, 16, ..., size, shape (B, 2, s, s), x first,
            normalized, in (-1, 1); zero is no motion.
        masks (tuple[Tensor, ...]): Shape (B, 1, s, s) in (0, 1): 1 where the warped source is used.
    """

    frames: Tensor
    flows: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]


class ToFlow(nn.Module):
    """Predicts the flow-and-mask map (3 channels) from the trunk, accumulated over resolutions, without nonlinearity.

    Args:
        in_channels (int): Channels of the trunk.
        style_dim (int): Width of the latent.
    """

    def __init__(self, in_channels: int, *, style_dim: int):
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, 3, kernel_size=1, style_dim=style_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, latent: Tensor, previous: Tensor | None) -> Tensor:
        """Map the trunk (B, C, s, s) and the map of the previous level (B, 3, s/2, s/2) to (B, 3, s, s), float32."""
        raw = self.conv(x, latent).float() + self.bias.view(1, 3, 1, 1)
        return raw if previous is None else raw + upsample2x(previous)


class ToRGB(nn.Module):
    """Predicts the image from a warped feature map, accumulated over resolutions.

    Args:
        in_channels (int): Channels of the feature.
    """

    def __init__(self, in_channels: int):
        super().__init__()
        self.conv = EqualConv2d(in_channels, 3, kernel_size=1)
        self.activation = BiasActivation(3)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, warped: Tensor, previous: Tensor | None) -> Tensor:
        """Map (B, C, s, s) and the image of the previous level (B, 3, s/2, s/2) to (B, 3, s, s), float32."""
        return self.accumulate(self.conv(warped).float(), previous)

    def accumulate(self, colors: Tensor, previous: Tensor | None) -> Tensor:
        """The image of a level (B, 3, s, s) from the output of ``conv`` and the image of the previous level."""
        image = self.activation(colors) + self.bias.view(1, 3, 1, 1)
        return image if previous is None else image + upsample2x(previous)


class SynthesisLevel(nn.Module):
    """One resolution: upsample, convolve, predict flow and mask, warp, predict RGB, blend.

    Args:
        in_channels (int): Channels of the previous level.
        out_channels (int): Channels of this level.
        style_dim (int): Width of the latent.
        warp (nn.Module): The warp operator, shared by all levels.
        inpaint (bool): The image also reads the trunk, where the mask is below 1.
        is_last (bool): No level follows, so there is no trunk to return.
    """

    def __init__(self, in_channels: int, out_channels: int, *, style_dim: int, warp: nn.Module, inpaint: bool = False,
                 is_last: bool = False):
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
        self.is_last = is_last

    def forward(self, x: Tensor, latent: Tensor, feature: Tensor, raw: Tensor | None,
                image: Tensor | None) -> tuple[Tensor | None, Tensor, Tensor, Tensor, Tensor]:
        """Run one level.

        Args:
            x (Tensor): Trunk of the previous level, shape (B, C_in, s/2, s/2).
            latent (Tensor): Shape (B, style_dim).
            feature (Tensor): Feature maps of the sources, shape (S, C_out, s, s) with S dividing B.
            raw (Tensor, optional): Flow-and-mask map of the previous level, without nonlinearity.
            image (Tensor, optional): Image of the previous level.

        Returns:
            tuple: Trunk (None at the last level), flow-and-mask map, image, flow, mask.
        """
        x = self.conv(self.up(x, latent), latent)  # (B, C_out, s, s)
        # flow and mask
        raw = self.to_flow(x, latent, raw)  # (B, 3, s, s)
        flow, mask = torch.tanh(raw[:, :2]), torch.sigmoid(raw[:, 2:])
        # warp and inpaint; in LIA the image reads the warped feature only
        warps_colors = getattr(self.warp, 'maps_channels_alike', False)
        warped = None if warps_colors and self.is_last else self.warp(feature, flow, mask)
        if warps_colors:  # colors of the warped feature = warped colors of the feature: 3 channels, once per source
            image = self.to_rgb.accumulate(self.warp(self.to_rgb.conv(feature).float(), flow, mask), image)
        else:
            image = self.to_rgb(warped, image)
        if self.is_last and self.inpaint_rgb is None:
            return None, raw, image, flow, mask
        inpainted = (1 - mask).to(x.dtype) * x
        if self.inpaint_rgb is not None:
            image = image + self.inpaint_rgb(inpainted).float()
        x = None if self.is_last else warped.to(x.dtype) + inpainted
        return x, raw, image, flow, mask


@FLOW_GENERATORS.register_module()
class LIAFlowGenerator(nn.Module):
    """Latent and source features to flows, masks and the frame.

    Args:
        size (int): Image resolution, a power of two from 32 to 1024.
        appearance_dim (int): Dimension D of the latent.
        channel_multiplier (float): Factor on the channels of resolutions 64 and above; equal to the encoder's.
        max_channels (int): Upper limit of the channels; equal to the encoder's.
        warp_operator (dict, optional): Config in WARP_OPERATORS; ``BilinearWarp`` by default.
        init (str): ``'identity'`` or ``'reference'``, see the module docstring.
        inpaint (bool): The image can show what the source does not, see the module docstring.
    """

    def __init__(self, size: int, appearance_dim: int = 512, *, channel_multiplier: float = 1,
                 max_channels: int = 512, warp_operator: dict | None = None, init: str = 'identity',
                 inpaint: bool = False):
        super().__init__()
        check_initialization(init)
        channels = channels_by_resolution(size, channel_multiplier, max_channels)
        warp = WARP_OPERATORS.build(warp_operator or dict(type='BilinearWarp'))
        self.constant = nn.Parameter(torch.randn(1, channels[4], 4, 4))
        self.first = StyledConv(channels[4], channels[4], style_dim=appearance_dim)
        self.levels = nn.ModuleList(
            SynthesisLevel(channels[coarse], channels[fine], style_dim=appearance_dim, warp=warp, inpaint=inpaint,
                           is_last=fine == size)
            for coarse, fine in pairwise(channels))
        if init == 'identity':
            self._init_as_identity()

    @torch.no_grad()
    def _init_as_identity(self) -> None:
        for level in self.levels:
            level.to_flow.conv.weight.zero_()
            level.to_rgb.conv.weight.zero_()
        self.levels[0].to_flow.bias[2] = IDENTITY_MASK_BIAS  # later levels add to the upsampled first one
        init_to_rgb_identity(self.levels[-1].to_rgb.conv, mask=IDENTITY_MASK)

    def forward(self, latent: Tensor, features: tuple[Tensor, ...]) -> FlowFrame:
        """Generate frames.

        Args:
            latent (Tensor): Shape (B, D).
            features (tuple[Tensor, ...]): Feature maps of S sources, of resolutions 8 to size, shape (S, C, s, s). S
                divides B; the latents k·B/S to (k+1)·B/S - 1 belong to source k.
        """
        if len(features) != len(self.levels):
            raise ValueError(f'features must have {len(self.levels)} levels, got {len(features)}')
        if latent.shape[0] % features[0].shape[0]:
            raise ValueError(f'{latent.shape[0]} latents cannot be divided among {features[0].shape[0]} sources')
        x = self.constant.expand(latent.shape[0], -1, -1, -1)  # (B, C, 4, 4)
        x = self.first(x, latent)
        raw = image = None
        flows, masks = [], []
        for level, feature in zip(self.levels, features):
            x, raw, image, flow, mask = level(x, latent, feature, raw, image)
            flows.append(flow)
            masks.append(mask)
        return FlowFrame(image, tuple(flows), tuple(masks))
