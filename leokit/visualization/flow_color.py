"""Flow and mask maps as images."""

import mmcv
import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor

from leokit.utils import check_shape


def flow_to_color(flow: Tensor) -> Tensor:
    """Color-code flow with the Middlebury wheel (Baker et al., ICCV 2007).

    Hue is the direction (right red, down yellow, left cyan, up violet), saturation the length relative to the longest
    vector of the batch, white is no motion.

    Args:
        flow (Tensor): Sampling offsets, x first, shape (B, 2, H, W).

    Returns:
        Tensor: uint8, shape (B, 3, H, W), RGB, on the CPU; black where the flow is not finite.
    """
    check_shape('flow', flow, (None, 2, None, None))
    # flow2rgb normalizes by the longest vector of an image: one tall image gives the whole batch the same scale
    color = mmcv.flow2rgb(rearrange(flow.double().cpu().numpy(), 'b c h w -> (b h) w c'))
    color = torch.from_numpy((color * 255).round().astype(np.uint8))
    return rearrange(color, '(b h) w c -> b c h w', b=len(flow))


def mask_to_image(mask: Tensor) -> Tensor:
    """Show a mask in gray: 0 (inpainted) is black, 1 (warped) is white.

    Args:
        mask (Tensor): Shape (B, 1, H, W), in [0, 1].

    Returns:
        Tensor: uint8, shape (B, 3, H, W).
    """
    check_shape('mask', mask, (None, 1, None, None))
    gray = mask.float().nan_to_num(0).clamp(0, 1).mul(255).round().to(torch.uint8)
    return repeat(gray, 'b 1 h w -> b c h w', c=3)
