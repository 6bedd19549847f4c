"""Perceptual distances: LPIPS with its published weights, and a similar distance for any extractor with a pyramid.

LPIPS (Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018) needs the
ImageNet weights of AlexNet or VGG-16, which torchvision downloads. Without them, :func:`perceptual_distance` of another
extractor ranks images similarly, but its values do not compare with LPIPS; the keys of metrics name the extractor.
"""

from pathlib import Path
from typing import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from leokit.utils import UserError, check_shape

BACKBONE_FILES = dict(alex='alexnet-owt-7be5be79.pth', vgg='vgg16-397923af.pth')  # torchvision's file names


def lpips_weights_path(net: str = 'alex') -> Path:
    """File in which torchvision stores the backbone weights of LPIPS; it may not exist yet."""
    if net not in BACKBONE_FILES:
        raise ValueError(f"net must be one of {sorted(BACKBONE_FILES)}, got {net!r}")
    return Path(torch.hub.get_dir()) / 'checkpoints' / BACKBONE_FILES[net]


def build_lpips(net: str = 'alex') -> nn.Module:
    """The LPIPS network, version 0.1, frozen; downloads the backbone weights if they are missing.

    Args:
        net (str): 'alex' (the usual choice for evaluation) or 'vgg'.

    Returns:
        nn.Module: ``forward(x, y)`` maps images in [-1, 1] to shape (B, 1, 1, 1).
    """
    path = lpips_weights_path(net)
    try:
        import lpips  # not at the top: everything else works without it
    except ImportError as error:
        raise UserError('LPIPS needs the package lpips; run: pip install lpips') from error
    try:
        network = lpips.LPIPS(net=net, version='0.1', verbose=False)
    except OSError as error:  # URLError is an OSError; so is a refused connection
        raise UserError(f'LPIPS needs the torchvision weights {path.name}, which could not be downloaded ({error}); '
                        f'put the file at {path}, or use a perceptual extractor instead') from error
    return network.eval().requires_grad_(False)


@torch.no_grad()
def lpips_distance(network: nn.Module, prediction: Tensor, target: Tensor) -> Tensor:
    """LPIPS of image pairs.

    Args:
        network (nn.Module): From :func:`build_lpips`.
        prediction (Tensor): Images in [-1, 1], shape (B, 3, H, W).
        target (Tensor): Images in [-1, 1], same shape.

    Returns:
        Tensor: Shape (B,), float64.
    """
    check_shape('target', target, tuple(prediction.shape))
    distances = network(prediction.float().clamp(-1, 1), target.float().clamp(-1, 1))
    return distances.flatten(1).mean(1).double()


@torch.no_grad()
def perceptual_distance(extractor: nn.Module, prediction: Tensor, target: Tensor) -> Tensor:
    """Distance of the unit-normalized features of a pyramid, averaged over positions, then over levels.

    At each position it is the Euclidean distance of the two feature vectors, scaled to length one. Unlike LPIPS it is
    not squared, so ratios of these distances are comparable to ratios of errors.

    Args:
        extractor (nn.Module): An extractor with ``pyramid(images) -> sequence of maps (B, C, h, w)``.
        prediction (Tensor): Images in [-1, 1], shape (B, 3, H, W).
        target (Tensor): Images in [-1, 1], same shape.

    Returns:
        Tensor: Shape (B,), float64, in [0, 2].
    """
    check_shape('target', target, tuple(prediction.shape))
    if not hasattr(extractor, 'pyramid'):
        raise UserError(f'the extractor {type(extractor).__name__} has no feature pyramid; choose an image backbone '
                        'such as EfficientNetLite0Features for perceptual distances')
    images = torch.cat([prediction, target]).float().clamp(-1, 1)
    levels: Sequence[Tensor] = extractor.pyramid(images)
    distances = [_level_distance(*level.double().chunk(2)) for level in levels]
    return torch.stack(distances).mean(0)


def _level_distance(x: Tensor, y: Tensor) -> Tensor:
    difference = functional.normalize(x, dim=1) - functional.normalize(y, dim=1)
    return difference.square().sum(1).sqrt().flatten(1).mean(1)
