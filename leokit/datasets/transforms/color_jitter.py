"""Changes of color and light shared by all frames of a sample."""

import math

import torch
from einops import rearrange
from torch import Tensor

from leokit.datasets.transforms.base import BatchTransform, uniform
from leokit.registry import TRANSFORMS
from leokit.utils.device_constant import device_constant

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@TRANSFORMS.register_module()
class PairedColorJitter(BatchTransform):
    """Light, then brightness, contrast, saturation and hue as one affine map of the colors per sample.

    Contrast scales about mid-gray instead of the image mean, so that equal colors in two frames stay equal. Hue
    rotates the colors about the gray axis. The result is clamped to [-1, 1]. The light is an exponent of the pixel
    values in [0, 1], which clips nothing: ``gamma`` changes tones in the whole image, ``light`` brightens one side and
    darkens the other. All amounts, and the logarithms of exponents, are uniformly distributed.

    Args:
        brightness (float): Largest added brightness, in units of [-1, 1] images.
        contrast (float): Contrast factor in [1 - contrast, 1 + contrast].
        saturation (float): Saturation factor in [1 - saturation, 1 + saturation].
        hue (float): Largest rotation in turns, in both directions; 0.5 covers all hues.
        gamma (float): Exponent in the center of the image in [1 / (1 + gamma), 1 + gamma].
        light (float): Factor of the exponent from the center to the left and right edges, and to the upper and lower
            ones, in [1 / (1 + light), 1 + light]; its logarithm is linear in the position.
        probability (float): Probability that a sample is transformed.
    """

    supports_cuda_graph = True

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2, *, saturation: float = 0.2, hue: float = 0.02,
                 gamma: float = 0.0, light: float = 0.0, probability: float = 1.0) -> None:
        super().__init__(probability)
        amounts = dict(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue, gamma=gamma,
                       light=light)
        valid = all(amount >= 0 and math.isfinite(amount) for amount in amounts.values())
        if not valid or max(contrast, saturation) > 1:
            raise ValueError(f'{", ".join(amounts)} must be finite and not negative, contrast and saturation at most '
                             f'1, got {", ".join(map(str, amounts.values()))}')
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue
        self.gamma, self.light = gamma, light

    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """Sample color maps, shape (B, 3, 4): a 3 x 3 matrix and an offset.

        With ``gamma`` or ``light``, (B, 3, 5): also the logarithm of the exponent in the center of the image and its
        slopes in x and y.
        """
        device = active.device
        amounts = (self.brightness, self.contrast, self.saturation, 2 * math.pi * self.hue)
        shift, contrast, saturation, angle = (uniform(-1, 1, (4, len(active)), device, generator).mul(active)
                                              * device_constant(amounts, device)[:, None])
        luma = device_constant(LUMA, device).expand(3, 3)
        identity = torch.eye(3, device=device)
        saturate = torch.lerp(luma, identity, (1 + saturation)[:, None, None])
        matrix = (1 + contrast)[:, None, None] * (_hue_rotation(angle) @ saturate)
        maps = torch.cat([matrix, shift[:, None, None].expand(-1, 3, 1)], dim=-1)
        if not self.gamma and not self.light:
            return maps
        limits = tuple(map(math.log1p, (self.gamma, self.light, self.light)))
        exponents = (uniform(-1, 1, (3, len(active)), device, generator).mul(active)
                     * device_constant(limits, device)[:, None])
        return torch.cat([maps, exponents.T[..., None]], dim=-1)

    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Change images (B, 3, H, W) in [-1, 1] by the maps of :meth:`sample_parameters`."""
        parameters = parameters.to(images.dtype)
        if parameters.shape[-1] > 4:
            images = _with_exponents(images, *parameters[..., 4].T)
        matrix, offset = parameters[..., :3], parameters[..., 3:4]
        mapped = torch.baddbmm(offset, matrix, rearrange(images, 'b c h w -> b c (h w)')).clamp_(-1, 1)
        return rearrange(mapped, 'b c (h w) -> b c h w', h=images.shape[2])


def _with_exponents(images: Tensor, center: Tensor, slope_x: Tensor, slope_y: Tensor) -> Tensor:
    """Raise pixel values to powers whose logarithms (B,) are linear in the position, in [-1, 1] within the image."""
    y, x = ((torch.arange(length, device=images.device, dtype=images.dtype) + 0.5) * (2 / length) - 1
            for length in images.shape[2:])
    logarithm = (center[:, None, None] + slope_x[:, None, None] * x + slope_y[:, None, None] * y[:, None])[:, None]
    return 2 * (images / 2 + 0.5).clamp(min=0).pow(logarithm.exp()) - 1


def _hue_rotation(angle: Tensor) -> Tensor:
    """Rotation matrices (B, 3, 3) about the gray axis (1, 1, 1) by the angles (B,); Rodrigues' formula."""
    sine, cosine = angle.sin()[:, None, None], angle.cos()[:, None, None]
    third = angle.new_full((3, 3), 1 / 3)
    cross = device_constant(((0, -1, 1), (1, 0, -1), (-1, 1, 0)), angle.device, angle.dtype) / math.sqrt(3)
    return cosine * torch.eye(3, device=angle.device) + (1 - cosine) * third + sine * cross
