"""The perceptual loss: distance of deep features, at several image scales.

Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016, over an image pyramid
as in FOMM (Siarohin et al., NeurIPS 2019) and LIA (equation 9): mean absolute differences of VGG-19 activations of
images at full, half, quarter and eighth resolution. Deviation: the pyramid averages 2x2 pixels instead of Gaussian
filtering and subsampling.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.registry import FEATURE_EXTRACTORS, LOSSES

# networks of the losses that are being built, with their configs
NETWORKS: ContextVar[list[tuple[dict, nn.Module]] | None] = ContextVar('NETWORKS', default=None)


@contextmanager
def shared_networks() -> Iterator[None]:
    """Give the perceptual losses that are built within it one network per config: those of one model.

    Losses of different models must not share networks, because a network moves with its losses to another device.
    """
    token = NETWORKS.set([])
    try:
        yield
    finally:
        NETWORKS.reset(token)


def _network(config: dict) -> nn.Module:
    known = NETWORKS.get()
    for other, network in known or ():
        if other == config:
            return network
    network = FEATURE_EXTRACTORS.build(config)
    if known is not None:
        known.append((dict(config), network))
    return network


@LOSSES.register_module()
class PerceptualLoss(nn.Module):
    """Mean absolute difference of the feature maps of a frozen network, summed over maps and image scales.

    The network is not registered as a submodule, so that optimizer, EMA and checkpoints ignore it, but it moves with
    this module (``.to``, ``.cuda``). Losses that are built within :func:`shared_networks` have one network in common.

    Args:
        backbone (dict, optional): Config in FEATURE_EXTRACTORS of a network with ``pyramid``; VGG-19 by default, as
            in the papers.
        weight (float): Factor, applied by the caller; 10 in FOMM and LIA.
        name (str): The loss is logged as ``loss_<name>``.
        num_scales (int): Number of image scales, each half the previous one.
        min_resolution (int): Scales with a shorter side below this are omitted.
        layer_weights (Sequence[float], optional): Factors of the feature maps, fine to coarse; all 1 by default.
    """

    def __init__(self, backbone: dict | None = None, weight: float = 10.0, *, name: str = 'perceptual',
                 num_scales: int = 4, min_resolution: int = 32, layer_weights: Sequence[float] | None = None):
        super().__init__()
        if num_scales < 1 or min_resolution < 1:
            raise ValueError(f'num_scales and min_resolution must be at least 1, got {num_scales} and {min_resolution}')
        network = _network(backbone or dict(type='VGG19Features'))
        if not hasattr(network, 'pyramid'):
            raise ValueError(f'{type(network).__name__} has no pyramid of feature maps; '
                             'use VGG19Features or EfficientNetLite0Features')
        object.__setattr__(self, 'backbone', network)  # avoids the registration as a submodule
        self.weight = weight
        self.name = name
        self.num_scales = num_scales
        self.min_resolution = min_resolution
        self.layer_weights = None if layer_weights is None else tuple(layer_weights)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Unweighted loss.

        Args:
            prediction (Tensor): Shape (B, 3, H, W) in [-1, 1].
            target (Tensor): Same shape and range; it gets no gradient.

        Returns:
            Tensor: A float32 scalar.
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
            target_maps = self.backbone.pyramid(target)
        maps = self.backbone.pyramid(prediction)
        weights = self.layer_weights or (1.0,) * len(maps)
        if len(weights) != len(maps):
            raise ValueError(f'layer_weights has {len(weights)} entries for {len(maps)} feature maps')
        return sum(weight * _mean_difference(a, b) for weight, a, b in zip(weights, maps, target_maps))

    def _apply(self, fn: Callable[[Tensor], Tensor], *arguments: Any, **options: Any) -> 'PerceptualLoss':
        # .to, .cuda and similar methods must reach the network, which is not registered
        self.backbone._apply(fn, *arguments, **options)
        return super()._apply(fn, *arguments, **options)


def _mean_difference(a: Tensor, b: Tensor) -> Tensor:
    """The L1 loss in float32; its gradient has the memory layout of ``a``."""
    # the gradient of a mean is never channels last, which would cost copies in all layers before it
    if a.is_contiguous(memory_format=torch.channels_last):
        a, b = a.movedim(1, -1), b.movedim(1, -1)
    return F.l1_loss(a.float(), b.float())
