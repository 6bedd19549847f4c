"""Whether generated motion codes move like real ones."""

from typing import Any, Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.feature_extractors.video_features import SUMMARY_SUFFIX, temporal_summary
from leokit.metrics.fvd import frechet_distance
from leokit.metrics.motion_statistics import JERK_ORDER, diversity, drift, jitter, seam_jerk_ratio, spread
from leokit.registry import METRICS
from leokit.utils import UserError


@METRICS.register_module()
class MotionStatistics(BaseMetric):
    """Diversity, jitter, drift and seams of motion sequences, next to those of real ones.

    Predictions hold ``generated``, motion codes (T, N), or (K, T, N) for K sequences from one start, and, if there is
    one, the ``real`` sequence (T, N). Keys: ``jitter``, ``spread``, ``drift`` (last segment), with ``real_…`` beside
    them; ``jitter_ratio``, ``spread_ratio``, ``drift_ratio`` (generated over real; 1 is right); ``diversity`` for K of
    at least 2; ``seam_jerk_ratio`` where seams are known; ``frechet-codes_dt``, the Fréchet distance of real and
    generated sequences described by their mean code and mean absolute step; ``frechet-residuals_dt``, the same of the
    codes less the first one, which does not see where a sequence starts.

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
        """Keep the statistics of a batch of predictions; the sequences themselves are not kept."""
        generated = self._stack('generated', data_samples)
        columns = self._describe(generated)
        if generated.shape[1] > 1:
            columns['diversity'] = diversity(generated)
        if self.seams:
            columns['seam_jerk_ratio'] = seam_jerk_ratio(generated.flatten(0, 1), self.seams).unflatten(
                0, generated.shape[:2]).mean(1)
        if all(sample.get('real') is not None for sample in data_samples):
            own = self._describe(self._stack('real', data_samples))
            columns.update({f'real_{name}': values for name, values in own.items()})
        lists = {name: values.tolist() for name, values in columns.items()}
        self.results.extend(dict(zip(lists, row)) for row in zip(*lists.values()))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Average over the predictions."""
        metrics = {}
        names = dict.fromkeys(name for result in results for name in result if not name.endswith('summary'))
        for name in names:
            metrics[name] = float(np.mean([result[name] for result in results if name in result]))
        for name in ('jitter', 'spread', 'drift'):
            if metrics.get(f'real_{name}'):
                metrics[f'{name}_ratio'] = metrics[name] / metrics[f'real_{name}']
        if len(results) > 1 and all('real_codes_summary' in result for result in results):
            for name in ('codes', 'residuals'):
                fake, real = (torch.cat([torch.as_tensor(result[f'{key}{name}_summary']) for result in results])
                              for key in ('', 'real_'))
                metrics[f'frechet-{name}{SUMMARY_SUFFIX}'] = frechet_distance(fake, real)
        metrics['sequences'] = len(results)
        return metrics

    def _stack(self, key: str, data_samples: Sequence[dict]) -> Tensor:
        """Sequences of a batch, shape (B, K, T, N), on the CPU."""
        sequences = [sample[key].detach().cpu() for sample in data_samples]
        shape = tuple(sequences[0].shape)
        fits = all(tuple(sequence.shape) == shape for sequence in sequences) and len(shape) in (2, 3)
        if not fits or shape[-2] <= JERK_ORDER or shape[-2] < self.segments:
            raise UserError(f'MotionStatistics got {key} codes of shape {shape}; it needs (T, N) or (K, T, N), alike '
                            f'within a batch, with more than {JERK_ORDER} frames and at least {self.segments} (its '
                            'segments)')
        stacked = torch.stack(sequences)
        return stacked if stacked.ndim == 4 else stacked[:, None]

    def _describe(self, sequences: Tensor) -> dict[str, Tensor]:
        """Statistics of (B, K, T, N) sequences, averaged over K, and the (B, K, 2 N) summaries of all."""
        flat = sequences.flatten(0, 1)
        values = dict(jitter=jitter(flat), spread=spread(flat, self.segments).mean(1),
                      drift=drift(flat, self.segments)[:, -1])
        means = {name: value.unflatten(0, sequences.shape[:2]).mean(1) for name, value in values.items()}
        parts = dict(codes=flat, residuals=flat[:, 1:] - flat[:, :1])
        return {**means, **{f'{name}_summary': temporal_summary(part).unflatten(0, sequences.shape[:2])
                            for name, part in parts.items()}}
