"""Color changes shared by all frames of a sample."""

import math

import torch
from einops import rearrange
from torch import Tensor

from leokit.datasets.transforms.base import BatchTransform, uniform
from leokit.registry import TRANSFORMS

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@TRANSFORMS.register_module()
class PairedColorJitter(BatchTransform):
    """Brightness, contrast, saturation and hue, as one affine map of the colors per sample.

    Contrast scales about mid-gray instead of the image mean, so that equal colors in two frames stay equal. Hue
    rotates the colors about the gray axis. The result is clamped to [-1, 1]. All amounts are uniformly distributed.

    Args:
        brightness (float): Largest added brightness, in units of [-1, 1] images.
        contrast (float): Contrast factor in [1 - contrast, 1 + contrast].
        saturation (float): Saturation factor in [1 - saturation, 1 + saturation].
        hue (float): Largest rotation in turns, in both directions; 0.5 covers all hues.
        probability (float): Probability that a sample is transformed.
    """

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, *, saturation: float = 0.2, hue: float = 0.02,
                 probability: float = 1.0) -> None:
        super().__init__(probability)
        if min(brightness, contrast, saturation, hue) < 0 or max(contrast, saturation) > 1:
            raise ValueError('brightness, contrast, saturation and hue must not be negative, contrast and saturation '
                             f'at most 1, got {brightness}, {contrast}, {saturation}, {hue}')
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue

    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """Sample affine color maps, shape (B, 3, 4): a 3 x 3 matrix and an offset."""
        device = active.device
        shift, contrast, saturation, angle = (
            uniform(-1, 1, (4, len(active)), device, generator).mul(active)
            * torch.tensor([self.brightness, self.contrast, self.saturation, 2 * math.pi * self.hue],
                           device=device)[:, None])
        luma = torch.tensor(LUMA, device=device).expand(3, 3)
        identity = torch.eye(3, device=device)
        saturate = torch.lerp(luma, identity, (1 + saturation)[:, None, None])
        matrix = (1 + contrast)[:, None, None] * (_hue_rotation(angle) @ saturate)
        return torch.cat([matrix, shift[:, None, None].expand(-1, 3, 1)], dim=-1)

    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Map the colors of images (B, 3, H, W) in [-1, 1] by the affine maps (B, 3, 4)."""
        parameters = parameters.to(images.dtype)
        matrix, offset = parameters[..., :3], parameters[..., 3:]
        mapped = torch.baddbmm(offset, matrix, rearrange(images, 'b c h w -> b c (h w)')).clamp_(-1, 1)
        return rearrange(mapped, 'b c (h w) -> b c h w', h=images.shape[2])


def _hue_rotation(angle: Tensor) -> Tensor:
    """Rotation matrices (B, 3, 3) about the gray axis (1, 1, 1) by the angles (B,); Rodrigues' formula."""
    sine, cosine = angle.sin()[:, None, None], angle.cos()[:, None, None]
    third = angle.new_full((3, 3), 1 / 3)
    cross = angle.new_tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return cosine * torch.eye(3, device=angle.device) + (1 - cosine) * third + sine * cross
