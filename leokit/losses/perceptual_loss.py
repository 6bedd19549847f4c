"""The perceptual loss: distance of deep features, at several image scales.

Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016; over an image pyramid
as in FOMM (Siarohin et al., NeurIPS 2019) and LIA (equation 9), which compare VGG-19 activations of images at full,
half, quarter and eighth size by their mean absolute difference. Deliberate deviation: the image pyramid is made by
averaging 2x2 pixels instead of by a Gaussian filter and subsampling.
"""

from typing import Any, Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import FEATURE_EXTRACTORS, LOSSES


@LOSSES.register_module()
class PerceptualLoss(nn.Module):
    """Mean absolute difference of a frozen network's feature maps, summed over maps and image scales.

    The network is no submodule: it is in no state dict and no parameter list, so neither optimizer nor EMA nor
    checkpoint sees it, but it moves with this module (``.to``, ``.cuda``).

    Args:
        backbone (dict, optional): Config in FEATURE_EXTRACTORS of a network with ``pyramid``; VGG-19 by default, as
            in the papers.
        weight (float): Factor; the caller applies it. 10 in FOMM and LIA.
        name (str): The loss appears as ``loss_<name>``.
        num_scales (int): How many scales, each half the previous one.
        min_resolution (int): Scales whose shorter side would be less are left out.
        layer_weights (Sequence[float], optional): Factors of the feature maps, fine to coarse; 1 each by default.

    Raises:
        ValueError: If the backbone has no ``pyramid``, or a number is out of range.
        UserError: If the backbone's weights cannot be had.
    """

    def __init__(self, backbone: dict | None = None, weight: float = 10.0, *, name: str = 'perceptual',
                 num_scales: int = 4, min_resolution: int = 32, layer_weights: Sequence[float] | None = None):
        super().__init__()
        if num_scales < 1 or min_resolution < 1:
            raise ValueError(f'num_scales and min_resolution must be at least 1, got {num_scales} and {min_resolution}')
        network = FEATURE_EXTRACTORS.build(backbone or dict(type='VGG19Features'))
        if not hasattr(network, 'pyramid'):
            raise ValueError(f'{type(network).__name__} has no pyramid of feature maps; '
                             'use VGG19Features or EfficientNetLite0Features')
        object.__setattr__(self, 'backbone', network)  # past nn.Module's registration
        self.weight = weight
        self.name = name
        self.num_scales = num_scales
        self.min_resolution = min_resolution
        self.layer_weights = None if layer_weights is None else tuple(layer_weights)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            prediction (Tensor): Shape (B, 3, H, W) in [-1, 1].
            target (Tensor): Same shape and range; no gradient flows into it.

        Returns:
            Tensor: A float32 scalar.

        Raises:
            ValueError: If the shapes differ or ``layer_weights`` fits not the backbone.
        """
        if prediction.shape != target.shape:
            raise ValueError(f'prediction {tuple(prediction.shape)} and target {tuple(target.shape)} must have '
                             'the same shape')
        target = target.detach()
        total = self._distance(prediction, target)
        for _ in range(1, self.num_scales):
            if min(prediction.shape[-2:]) // 2 < self.min_resolution:
                break
            prediction, target = F.avg_pool2d(prediction, 2), F.avg_pool2d(target, 2)
            total = total + self._distance(prediction, target)
        return total

    def _distance(self, prediction: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.backbone.pyramid(target)
        got = self.backbone.pyramid(prediction)
        weights = self.layer_weights or (1.0,) * len(got)
        if len(weights) != len(got):
            raise ValueError(f'layer_weights has {len(weights)} entries for {len(got)} feature maps')
        return sum(weight * F.l1_loss(a.float(), b.float()) for weight, a, b in zip(weights, got, wanted))

    def _apply(self, fn: Callable[[Tensor], Tensor], *arguments: Any, **options: Any) -> 'PerceptualLoss':
        """Let ``.to``, ``.cuda`` and their like reach the hidden network; the arguments are nn.Module's own."""
        self.backbone._apply(fn, *arguments, **options)
        return super()._apply(fn, *arguments, **options)
