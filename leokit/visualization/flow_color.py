"""Flow and mask maps as pictures.

The color wheel is that of Baker et al., "A Database and Evaluation Methodology for Optical Flow" (ICCV 2007): the
hue says the direction (right red, down yellow, left cyan, up violet), the saturation the length, white is no motion.
"""

import torch
from torch import Tensor

from leokit.utils import check_shape

# Steps of the wheel between neighboring corners of the color cube, and which channel rises or falls there.
_WHEEL_SEGMENTS = (
    (15, (255, 0, 0), (255, 255, 0)),  # red to yellow
    (6, (255, 255, 0), (0, 255, 0)),
    (4, (0, 255, 0), (0, 255, 255)),
    (11, (0, 255, 255), (0, 0, 255)),
    (13, (0, 0, 255), (255, 0, 255)),
    (6, (255, 0, 255), (255, 0, 0)),
)
BEYOND_RANGE = 0.75  # vectors longer than the largest are darkened by this


def flow_to_color(flow: Tensor, max_magnitude: float | None = None) -> Tensor:
    """Paint flow with the Middlebury color wheel.

    Args:
        flow (Tensor): Sampling offsets, x first, shape (B, 2, H, W); 0 is no motion.
        max_magnitude (float, optional): The length that gets full color; longer vectors are darkened. Default: None,
            the longest of the batch, so that its pictures are comparable.

    Returns:
        Tensor: uint8, shape (B, 3, H, W), RGB; black where the flow is not finite.

    Raises:
        ValueError: If the shape differs or ``max_magnitude`` is not positive.
    """
    check_shape('flow', flow, (None, 2, None, None))
    if max_magnitude is not None and not max_magnitude > 0:
        raise ValueError(f'max_magnitude must be positive, got {max_magnitude}')
    known = flow.isfinite().all(dim=1)
    flow = torch.where(known[:, None], flow, 0).float()
    length = flow.norm(dim=1)
    if max_magnitude is None:
        max_magnitude = length.max().clamp(min=torch.finfo(torch.float32).tiny) if length.numel() else 1.0
    length = length / max_magnitude
    wheel = _wheel(flow.device)
    steps = len(wheel)
    place = (torch.atan2(-flow[:, 1], -flow[:, 0]) / torch.pi + 1) / 2 * (steps - 1)
    low = place.floor().long()
    color = torch.lerp(wheel[low % steps], wheel[(low + 1) % steps], (place - low)[..., None])  # (B, H, W, 3)
    radius = length[..., None]
    color = torch.where(radius <= 1 + 1e-6, 1 - radius * (1 - color), color * BEYOND_RANGE)
    color = color.clamp(0, 1).mul(255).floor() * known[..., None]
    return color.to(torch.uint8).permute(0, 3, 1, 2)


def mask_to_image(mask: Tensor) -> Tensor:
    """Show a mask as gray: black 0 (inpainted), white 1 (warped).

    Args:
        mask (Tensor): Shape (B, 1, H, W), in [0, 1].

    Returns:
        Tensor: uint8, shape (B, 3, H, W).
    """
    check_shape('mask', mask, (None, 1, None, None))
    gray = mask.float().nan_to_num(0).clamp(0, 1).mul(255).round().to(torch.uint8)
    return gray.expand(-1, 3, -1, -1)


def _wheel(device: torch.device) -> Tensor:
    """The 55 colors of the wheel, shape (55, 3), in [0, 1]."""
    parts = []
    for steps, start, end in _WHEEL_SEGMENTS:
        share = (torch.arange(steps) / steps)[:, None]
        parts.append(torch.tensor(start, dtype=torch.float32).lerp(torch.tensor(end, dtype=torch.float32), share))
    return (torch.cat(parts).floor() / 255).to(device)
