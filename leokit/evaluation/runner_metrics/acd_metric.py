"""ACD of generated videos next to that of real ones, during validation and testing."""

from typing import Any, Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from leokit.evaluation.runner_metrics.real_clip_cache import RealClipCache
from leokit.feature_extractors.video_features import frame_features
from leokit.metrics.acd import average_content_distance
from leokit.registry import FEATURE_EXTRACTORS, METRICS


@METRICS.register_module()
class AverageContentDistance(BaseMetric):
    """Average content distance (see :mod:`leokit.metrics.acd`) of generated and real videos.

    Predictions hold ``generated``, a video (T, 3, H, W) in [-1, 1], and optionally the ``real`` video. The key carries
    the extractor: identity for faces (``acd-dlib_identity``), colors for bodies. Frames in which nothing was detected
    are left out; their share is reported.

    Args:
        extractor (dict): Config of an image extractor.
        cache_real (bool): Compute the value of each ``real`` prediction once and cache it by ``name`` and ``start``,
            for validation on the same clips every time.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'video'

    def __init__(self, extractor: dict, *, cache_real: bool = False, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.extractor = FEATURE_EXTRACTORS.build(extractor)
        self._real_cache = RealClipCache(cache_real)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        results = [{} for _ in data_samples]
        for key in ('generated', 'real'):
            if any(sample.get(key) is None for sample in data_samples):
                continue
            values = self._real_cache.get_or_compute(data_samples, lambda: self._distances(data_samples, 'real')) \
                if key == 'real' else self._distances(data_samples, key)
            for result, value in zip(results, values):
                result[key] = value
        self.results.extend(results)

    def _distances(self, samples: Sequence[dict], key: str) -> list[tuple[float, int, int]]:
        """Distance, number of detected frames and number of frames of every video under a key."""
        videos = torch.stack([sample[key] for sample in samples]).float().clamp(-1, 1)
        distance = average_content_distance(frame_features(self.extractor.to(videos.device), videos))
        return [(value, detected, videos.shape[1])
                for value, detected in zip(distance.value.tolist(), distance.detected.tolist())]

    def compute_metrics(self, results: list) -> dict[str, float]:
        metrics, name = {}, f'acd-{self.extractor.label}'
        for key, prefix in (('generated', ''), ('real', 'real_')):
            rows = np.asarray([result[key] for result in results if key in result], dtype=np.float64)  # (videos, 3)
            if len(rows):
                known = rows[np.isfinite(rows[:, 0]), 0]
                metrics[prefix + name] = float(known.mean()) if len(known) else float('nan')
                metrics[f'{prefix}{name}_missing_rate'] = float(1 - rows[:, 1].sum() / rows[:, 2].sum())
        return metrics
