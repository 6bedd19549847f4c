"""Pixel metrics of image pairs: L1, PSNR, SSIM.

Images in [-1, 1] are clamped, because a generator may overshoot and a file cannot, and compared on the scale [0, 1], as
is usual for L1 in the animation literature. All functions map a prediction and a target (B, 3, H, W) to one float64
value per image, shape (B,).
"""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from leokit.utils import check_shape

SSIM_WINDOW = 11  # Wang, Bovik, Sheikh and Simoncelli, 2004: Gaussian window, sigma 1.5, K = (0.01, 0.03)
SSIM_SIGMA = 1.5
SSIM_CONSTANTS = (0.01**2, 0.03**2)  # for a data range of 1


def l1_distance(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference on the scale [0, 1]."""
    prediction, target = _unit_range(prediction, target)
    return (prediction - target).abs().flatten(1).mean(1)


def psnr(prediction: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in decibel; infinite for equal images."""
    prediction, target = _unit_range(prediction, target)
    return -10 * (prediction - target).square().flatten(1).mean(1).log10()


def ssim(prediction: Tensor, target: Tensor) -> Tensor:
    """Structural similarity, per channel with a Gaussian window, averaged over channels and positions.

    Only windows inside the image count, as in scikit-image with ``gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False``. Images must be at least 11 x 11. Values are in [-1, 1], 1 for equal images.
    """
    x, y = _unit_range(prediction, target)
    if min(x.shape[-2:]) < SSIM_WINDOW:
        raise ValueError(f'SSIM needs height and width of at least {SSIM_WINDOW} pixels, got {tuple(x.shape[-2:])}')
    moments = _window_mean(torch.cat([x, y, x * x, y * y, x * y]))
    mean_x, mean_y, square_x, square_y, product = moments.chunk(5)
    c1, c2 = SSIM_CONSTANTS
    covariance = product - mean_x * mean_y
    variances = square_x - mean_x.square() + square_y - mean_y.square()
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)
                  / ((mean_x.square() + mean_y.square() + c1) * (variances + c2)))
    return similarity.flatten(1).mean(1)


def _unit_range(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both images, clamped and mapped from [-1, 1] to [0, 1], float64."""
    check_shape('prediction', prediction, (None, None, None, None))
    check_shape('target', target, tuple(prediction.shape))
    return tuple((image.detach().double().clamp(-1, 1) + 1) / 2 for image in (prediction, target))


def _window_mean(images: Tensor) -> Tensor:
    """Gaussian-weighted mean of every window inside the image, shape (B, C, H - 10, W - 10)."""
    offsets = torch.arange(SSIM_WINDOW, dtype=images.dtype, device=images.device) - SSIM_WINDOW // 2
    weights = torch.exp(-offsets.square() / (2 * SSIM_SIGMA**2))
    weights = weights / weights.sum()
    planes = rearrange(images, 'b c h w -> (b c) 1 h w')  # the filter is separable and the same for all channels
    planes = functional.conv2d(functional.conv2d(planes, weights[None, None, :, None]), weights[None, None, None, :])
    return rearrange(planes, '(b c) 1 h w -> b c h w', b=len(images))
