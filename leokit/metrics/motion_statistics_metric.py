"""Whether generated motion codes move like real ones."""

from typing import Any, Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.metrics.frechet import frechet_distance
from leokit.metrics.motion import JERK_ORDER, diversity, drift, jitter, seam_jerk_ratio, spread
from leokit.metrics.temporal_features import SUMMARY_SUFFIX, temporal_summary
from leokit.registry import METRICS
from leokit.utils import UserError


@METRICS.register_module()
class MotionStatistics(BaseMetric):
    """Diversity, jitter, drift and seams of motion sequences, next to those of real ones.

    Predictions hold ``generated``, motion codes (T, N), or (K, T, N) for K sequences from one start, and, if there is
    one, the ``real`` sequence (T, N). Keys: ``jitter``, ``spread``, ``drift`` (last segment), with ``real_…`` beside
    them; ``jitter_ratio`` (generated over real; 1 is right); ``diversity`` for K of at least 2; ``seam_jerk_ratio``
    where seams are known; ``frechet-codes_dt``, the Fréchet distance of real and generated sequences described by
    their mean code and mean absolute step.

    Args:
        segments (int): Parts of the time axis that drift and spread compare.
        seams (Sequence[int]): The first frame of every continued block of generated sequences.
        collect_device (str): 'cpu' or 'gpu', where results of processes are put together.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'motion'

    def __init__(self, segments: int = 4, *, seams: Sequence[int] = (), collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.segments = segments
        self.seams = list(seams)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the statistics of every prediction; sequences themselves are not kept."""
        for sample in data_samples:
            generated = sample['generated'].detach().cpu()
            generated = generated[None] if generated.ndim == 2 else generated
            if generated.ndim != 3 or min(generated.shape[1] - JERK_ORDER, generated.shape[1] - self.segments + 1) < 1:
                raise UserError(f'MotionStatistics got generated codes of shape {tuple(sample["generated"].shape)}; it '
                                f'needs (T, N) or (K, T, N) with more than {JERK_ORDER} frames and at least '
                                f'{self.segments} (its segments)')
            result = self._describe(generated)
            if len(generated) > 1:
                result['diversity'] = float(diversity(generated[None]))
            if self.seams:
                result['seam_jerk_ratio'] = float(seam_jerk_ratio(generated, self.seams).mean())
            if sample.get('real') is not None:
                real = sample['real'].detach().cpu()[None]
                own = self._describe(real)
                result.update({f'real_{name}': value for name, value in own.items()})
            self.results.append(result)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Average over the predictions."""
        metrics = {}
        for name in dict.fromkeys(name for result in results for name in result):
            values = [result[name] for result in results if name in result]
            if not name.endswith('summary'):
                metrics[name] = float(np.mean(values))
        if metrics.get('real_jitter'):
            metrics['jitter_ratio'] = metrics['jitter'] / metrics['real_jitter']
        if len(results) > 1 and all('real_summary' in result for result in results):
            fake, real = (torch.cat([torch.as_tensor(result[key]) for result in results])
                          for key in ('summary', 'real_summary'))
            metrics[f'frechet-codes{SUMMARY_SUFFIX}'] = frechet_distance(fake, real)
        metrics['sequences'] = len(results)
        return metrics

    def _describe(self, sequences: Tensor) -> dict[str, Any]:
        """Statistics of (K, T, N) sequences, averaged over K, and their summaries for the Fréchet distance."""
        return dict(jitter=float(jitter(sequences).mean()), spread=float(spread(sequences, self.segments).mean()),
                    drift=float(drift(sequences, self.segments)[:, -1].mean()),
                    summary=temporal_summary(sequences).numpy())
