"""Whether animated frames are as sharp as real ones, and look like them as a set.

A mean error prefers blur to detail at a slightly wrong place, so it does not show what an adversarial loss contributes.
"""

from typing import Any, Sequence

import torch
from mmengine.evaluator import BaseMetric

from leokit.metrics import frechet_distance, polynomial_mmd
from leokit.metrics.sharpness import high_frequency_detail
from leokit.registry import FEATURE_EXTRACTORS, METRICS


@METRICS.register_module()
class FrameDistanceMetric(BaseMetric):
    """Fréchet and kernel distance of single frames, and their sharpness.

    Predictions hold ``driving`` and ``reconstruction``, images (3, H, W) in [-1, 1]. Keys:

    - ``frechet-<extractor>``: Fréchet distance between the features of reconstructions and driving frames; FID is this
      with Inception-v3. It only compares with values over the same frames.
    - ``kernel-<extractor>``: the same with the polynomial kernel, unbiased: 0 in the mean for equal distributions,
      whatever the number of frames.
    - ``sharpness``: mean of :func:`~leokit.metrics.sharpness.high_frequency_detail` of the reconstructions over that of
      the driving frames; 1 is as sharp, below 1 blurred, above 1 has detail that is not there.

    Args:
        extractor (dict, optional): Config in FEATURE_EXTRACTORS; EfficientNet-Lite0 at 224 pixels by default.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are collected.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'frames'

    def __init__(self, extractor: dict | None = None, *, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.extractor = FEATURE_EXTRACTORS.build(extractor or dict(type='EfficientNetLite0Features', resize=224))

    @torch.no_grad()
    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        columns = []
        for key in ('reconstruction', 'driving'):
            images = torch.stack([sample[key] for sample in data_samples]).float().clamp(-1, 1)  # (B, 3, H, W)
            features = self.extractor.to(images.device)(images)
            columns += [features.float().cpu(), high_frequency_detail(images).mean((1, 2, 3)).cpu()]
        self.results.extend(zip(*columns))

    def compute_metrics(self, results: list) -> dict[str, float]:
        fake, fake_detail, real, real_detail = (torch.stack(column) for column in zip(*results))
        label = self.extractor.label
        metrics = {'sharpness': float(fake_detail.sum() / real_detail.sum())}
        if len(results) > 1:
            metrics[f'frechet-{label}'] = frechet_distance(fake, real)
            metrics[f'kernel-{label}'] = polynomial_mmd(fake, real)
        return metrics
