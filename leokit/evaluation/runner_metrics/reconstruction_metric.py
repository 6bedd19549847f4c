"""Errors of reconstructed driving frames, compared with those of the copied source, during validation and testing."""

import logging
from typing import Any, Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor, nn

from leokit.metrics.perceptual_distance import build_lpips, lpips_distance, lpips_weights_path, perceptual_distance
from leokit.metrics.psnr_ssim import l1_distance, psnr, ssim
from leokit.registry import FEATURE_EXTRACTORS, METRICS
from leokit.utils import UserError

PSNR_CEILING = 100.0  # decibel; the PSNR of equal images is infinite, and so would be the mean
LPIPS_CHOICES = ('auto', True, False)


@METRICS.register_module()
class ReconstructionMetric(BaseMetric):
    """L1, PSNR, SSIM and a perceptual distance of reconstructions, compared with those of the copied source.

    A talking head hardly moves between two frames, so returning the source unchanged already scores well, and absolute
    numbers say little. Every metric is therefore also computed for the copy (``copy_...``), distances also as the ratio
    of copy to reconstruction (``ratio_...``; above 1 is better than copying), and all of them also on the half of the
    pairs that move most, by the L1 of the copy (``moving_...``), and on the tenth with the largest L1 (``worst_...``).

    Predictions hold ``source``, ``driving`` and ``reconstruction``, images (3, H, W) in [-1, 1].

    Args:
        perceptual (dict, optional): Config of an extractor with a feature pyramid, for the perceptual distance.
        lpips (str | bool): True also computes LPIPS (AlexNet), and downloads its weights if they are missing; 'auto'
            computes it only if the weights are on this machine.
        group_key (str, optional): Key of the predictions, such as ``identity`` or ``split``; results are also reported
            for each of its values.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'reconstruction'

    def __init__(self, perceptual: dict | None = None, *, lpips: str | bool = 'auto', group_key: str | None = None,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if lpips not in LPIPS_CHOICES:
            raise UserError(f"the key lpips of ReconstructionMetric must be 'auto', True or False, got {lpips!r}")
        self.group_key = group_key
        self.extractor: nn.Module | None = FEATURE_EXTRACTORS.build(perceptual) if perceptual else None
        self.lpips: nn.Module | None = None
        if lpips == 'auto' and not lpips_weights_path().is_file():
            print_log(f'LPIPS is not computed: its weights are not at {lpips_weights_path()}; lpips=True downloads '
                      'them', logger='current', level=logging.INFO)
        elif lpips:
            self.lpips = build_lpips()

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        images = {key: torch.stack([sample[key] for sample in data_samples]).float()
                  for key in ('source', 'driving', 'reconstruction')}
        columns = self._distances(images['reconstruction'], images['driving'])
        copied = self._distances(images['source'], images['driving'])
        columns.update({f'copy_{name}': values for name, values in copied.items()})
        for number, sample in enumerate(data_samples):
            result = {name: float(values[number]) for name, values in columns.items()}
            self.results.append((str(sample[self.group_key]) if self.group_key else None, result))

    def compute_metrics(self, results: list) -> dict[str, float]:
        metrics = _summary([values for _, values in results])
        groups = sorted({group for group, _ in results if group is not None})
        for group in groups:
            part = _summary([values for name, values in results if name == group])
            metrics.update({f'{group}/{name}': value for name, value in part.items()})
        return metrics

    def _distances(self, prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
        """For each metric one value per pair, shape (B,)."""
        columns = dict(l1=l1_distance(prediction, target), psnr=psnr(prediction, target).clamp(max=PSNR_CEILING),
                       ssim=ssim(prediction, target))
        if self.lpips is not None:
            columns['lpips'] = lpips_distance(self.lpips.to(prediction.device), prediction, target)
        if self.extractor is not None:
            extractor = self.extractor.to(prediction.device)
            columns[f'perceptual-{extractor.label}'] = perceptual_distance(extractor, prediction, target)
        return {name: values.cpu() for name, values in columns.items()}


def _summary(pairs: list[dict[str, float]]) -> dict[str, float]:
    """Means over all pairs, over the half that moves most, and over the tenth that is reconstructed worst."""
    if not pairs:
        return {}
    names = list(pairs[0])
    values = np.asarray([[pair[name] for name in names] for pair in pairs])  # (pairs, metrics)
    motion = values[:, names.index('copy_l1')]
    moving = np.argsort(-motion, kind='stable')[:max(1, len(pairs) // 2)]
    worst = np.argsort(-values[:, names.index('l1')], kind='stable')[:max(1, len(pairs) // 10)]
    return {**_means(names, values, ''), **_means(names, values[moving], 'moving_'),
            **_means(names, values[worst], 'worst_'), 'pairs': len(pairs)}


def _means(names: list[str], values: np.ndarray, prefix: str) -> dict[str, float]:
    means = dict(zip(names, values.mean(0).tolist()))
    distances = [name for name in names if not name.startswith('copy_') and name not in ('psnr', 'ssim')]
    ratios = {f'ratio_{name}': means[f'copy_{name}'] / means[name] if means[name] > 0 else float('inf')
              for name in distances}
    return {prefix + name: value for name, value in {**means, **ratios}.items()}
