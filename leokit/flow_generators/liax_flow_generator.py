"""The flow generator of LIA-X (arXiv 2508.09959): latent and source features to flow maps, masks and frames.

As in LIA, every level predicts a flow and a mask and warps the source's feature map. Two parts are deeper: the trunk
has four residual blocks per level in place of one convolution, and the image is not read from the warped features
directly but from a second network that refines them from level to level, which can also paint what the source does not
show.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from leokit.flow_generators.lia_flow_generator import FlowFrame, ToFlow, ToRGB
from leokit.nn import BiasActivation, EqualConv2d, StyledConv, channels_by_resolution, upsample2x
from leokit.nn.channels import SMALLEST_RESOLUTION
from leokit.registry import FLOW_GENERATORS, WARP_OPERATORS

BLOCKS = 4  # residual blocks of a level, in the trunk and in the refinement
GROUPS = 32
GAMMA_INIT = 1e-5  # a new residual branch is nearly switched off


class StyledResidualBlock(nn.Module):
    """A styled convolution, then a normalized styled convolution as a scaled residual.

    Args:
        channels (int): Channels.
        style_dim (int): Width of the latent.
    """

    def __init__(self, channels: int, *, style_dim: int):
        super().__init__()
        self.conv1 = StyledConv(channels, channels, style_dim=style_dim)
        self.norm = nn.GroupNorm(math.gcd(GROUPS, channels), channels)
        self.conv2 = StyledConv(channels, channels, style_dim=style_dim)
        self.gamma = nn.Parameter(torch.full((1, channels, 1, 1), GAMMA_INIT))

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Map (B, C, s, s) and a latent (B, style_dim) to (B, C, s, s)."""
        x = self.conv1(x, latent)
        return x + self.conv2(self.norm(x), latent) * self.gamma.to(x.dtype)


class RefinementBlock(nn.Module):
    """Two convolutions and a shortcut, of constant variance.

    Args:
        channels (int): Channels.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = EqualConv2d(channels, channels, kernel_size=3, padding=1)
        self.activation1 = BiasActivation(channels)
        self.conv2 = EqualConv2d(channels, channels, kernel_size=3, padding=1)
        self.activation2 = BiasActivation(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, s, s) to (B, C, s, s)."""
        branch = self.activation2(self.conv2(self.activation1(self.conv1(x))))
        return (branch + x) * (1 / math.sqrt(2))


class UpsamplingConv(nn.Module):
    """FIR upsampling, 3x3 convolution, bias, scaled leaky ReLU.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = EqualConv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.activation = BiasActivation(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, s, s) to (B, C_out, 2s, 2s)."""
        return self.activation(self.conv(upsample2x(x)))


class RefinedLevel(nn.Module):
    """One resolution: trunk, flow and mask, warp, refinement, RGB, blend.

    Args:
        in_channels (int): Channels of the previous level.
        out_channels (int): Channels of this level.
        style_dim (int): Width of the latent.
        warp (nn.Module): The warp operator, shared by all levels.
        is_first (bool): There is no previous level to refine.
    """

    def __init__(self, in_channels: int, out_channels: int, *, style_dim: int, warp: nn.Module, is_first: bool):
        super().__init__()
        self.up = StyledConv(in_channels, out_channels, style_dim=style_dim, upsample=True)
        self.blocks = nn.ModuleList(StyledResidualBlock(out_channels, style_dim=style_dim) for _ in range(BLOCKS))
        self.to_flow = ToFlow(out_channels, style_dim=style_dim)
        self.refine_up = None if is_first else UpsamplingConv(in_channels, out_channels)
        self.refine = nn.Sequential(*(RefinementBlock(out_channels) for _ in range(BLOCKS)))
        self.to_rgb = ToRGB(out_channels)
        self.warp = warp

    def forward(self, x: Tensor, latent: Tensor, feature: Tensor, raw: Tensor | None, refined: Tensor | None,
                image: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Run one level.

        Args:
            x (Tensor): Trunk of the previous level, shape (B, C_in, s/2, s/2).
            latent (Tensor): Shape (B, style_dim).
            feature (Tensor): Feature maps of the sources, shape (S, C_out, s, s) with S dividing B.
            raw (Tensor, optional): Flow-and-mask map of the previous level, without nonlinearity.
            refined (Tensor, optional): Refined feature of the previous level, shape (B, C_in, s/2, s/2).
            image (Tensor, optional): Image of the previous level.

        Returns:
            tuple: Trunk, flow-and-mask map, refined feature, image, flow, mask.
        """
        x = self.up(x, latent)  # (B, C_out, s, s)
        for block in self.blocks:
            x = block(x, latent)
        # flow and mask
        raw = self.to_flow(x, latent, raw)  # (B, 3, s, s)
        flow, mask = torch.tanh(raw[:, :2]), torch.sigmoid(raw[:, 2:])
        # warp, refine, blend
        warped = self.warp(feature, flow, mask).to(x.dtype)
        refined = self.refine(warped if self.refine_up is None else warped + self.refine_up(refined))
        image = self.to_rgb(refined, image)
        x = warped + (1 - mask).to(x.dtype) * x
        return x, raw, refined, image, flow, mask


@FLOW_GENERATORS.register_module()
class LIAXFlowGenerator(nn.Module):
    """Latent and source features to flows, masks and the frame.

    Args:
        size (int): Image resolution, a power of two from 32 to 1024.
        appearance_dim (int): Dimension D of the latent.
        channel_multiplier (float): Factor on the channels of all resolutions; equal to the encoder's.
        max_channels (int): Upper limit of the channels; equal to the encoder's.
        warp_operator (dict, optional): Config in WARP_OPERATORS; ``BilinearWarp(grid='corners')`` by default.
    """

    def __init__(self, size: int, appearance_dim: int = 512, *, channel_multiplier: float = 2,
                 max_channels: int = 512, warp_operator: dict | None = None):
        super().__init__()
        channels = channels_by_resolution(size, channel_multiplier, max_channels, first_scaled=SMALLEST_RESOLUTION)
        warp = WARP_OPERATORS.build(warp_operator or dict(type='BilinearWarp', grid='corners'))
        widest = channels[SMALLEST_RESOLUTION]
        self.constant = nn.Parameter(torch.randn(1, widest, SMALLEST_RESOLUTION, SMALLEST_RESOLUTION))
        self.first = StyledConv(widest, widest, style_dim=appearance_dim)
        self.levels = nn.ModuleList(
            RefinedLevel(channels[coarse], channels[fine], style_dim=appearance_dim, warp=warp,
                         is_first=coarse == SMALLEST_RESOLUTION)
            for coarse, fine in pairwise(channels))

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
        x = self.first(self.constant.expand(latent.shape[0], -1, -1, -1), latent)  # (B, C, 4, 4)
        raw = refined = image = None
        flows, masks = [], []
        for level, feature in zip(self.levels, features):
            x, raw, refined, image, flow, mask = level(x, latent, feature, raw, refined, image)
            flows.append(flow)
            masks.append(mask)
        return FlowFrame(image, tuple(flows), tuple(masks))
