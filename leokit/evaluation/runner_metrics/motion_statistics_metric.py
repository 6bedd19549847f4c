"""Motion statistics of generated codes next to those of real ones, during validation and testing."""

from typing import Any, Sequence

import numpy as np
import torch
from einops import rearrange
from mmengine.evaluator import BaseMetric
from torch import Tensor

from leokit.feature_extractors.video_features import SUMMARY_SUFFIX, temporal_summary
from leokit.metrics.fvd import frechet_distance
from leokit.metrics.motion_statistics import JERK_ORDER, boundary_jerk_ratio, dispersion, diversity, drift, jitter
from leokit.registry import METRICS
from leokit.utils import UserError

RELATIVE = ('jitter', 'dispersion', 'drift')  # reported relative to real motion as well


@METRICS.register_module()
class MotionStatistics(BaseMetric):
    """Jitter, dispersion, drift and diversity of motion codes.

    Predictions hold ``generated``, motion codes (T, N), or (K, T, N) for K sequences from one start, and optionally the
    ``real`` sequence (T, N). Keys:

    - ``jitter``, ``dispersion``, ``drift`` (of the last segment); with ``real_`` in front, those of real sequences;
      with ``_ratio`` behind, generated over real.
    - ``diversity``: for K of at least 2.
    - ``boundary_jerk_ratio``: if ``window_boundaries`` are given.
    - ``frechet-codes_dt``: Fréchet distance of generated and real sequences, each described by its mean code and its
      mean absolute step. ``frechet-residuals_dt``: the same for codes minus the first code of their sequence, which
      does not depend on where a sequence starts.

    Args:
        segments (int): Parts of the time axis that drift and dispersion compare.
        window_boundaries (Sequence[int]): First frame of every window of the generated sequences but the first.
        collect_device (str): 'cpu' or 'gpu', where the results of all processes are gathered.
        prefix (str, optional): Prefix of the keys.
    """

    default_prefix = 'motion'

    def __init__(self, segments: int = 4, *, window_boundaries: Sequence[int] = (), collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.segments = segments
        self.window_boundaries = list(window_boundaries)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        # Only statistics are kept, not the sequences.
        generated = self._stack('generated', data_samples)
        columns = self._describe(generated)
        if generated.shape[1] > 1:
            columns['diversity'] = diversity(generated)
        if self.window_boundaries:
            ratios = boundary_jerk_ratio(rearrange(generated, 'b k t n -> (b k) t n'), self.window_boundaries)
            columns['boundary_jerk_ratio'] = rearrange(ratios, '(b k) -> b k', b=len(generated)).mean(1)
        if all(sample.get('real') is not None for sample in data_samples):
            real = self._describe(self._stack('real', data_samples))
            columns.update({f'real_{name}': values for name, values in real.items()})
        lists = {name: values.tolist() for name, values in columns.items()}
        self.results.extend(dict(zip(lists, row)) for row in zip(*lists.values()))

    def compute_metrics(self, results: list) -> dict[str, float]:
        metrics = {}
        names = dict.fromkeys(name for result in results for name in result if not name.endswith('summary'))
        for name in names:
            metrics[name] = float(np.mean([result[name] for result in results if name in result]))
        for name in RELATIVE:
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
            raise UserError(f'MotionStatistics got {key} codes of shape {shape}; it needs (T, N) or (K, T, N), equal '
                            f'within a batch, with more than {JERK_ORDER} frames and at least {self.segments} (its '
                            'segments)')
        stacked = torch.stack(sequences)
        return stacked if stacked.ndim == 4 else stacked[:, None]

    def _describe(self, sequences: Tensor) -> dict[str, Tensor]:
        """Statistics of (B, K, T, N) sequences, averaged over K, and the (B, K, 2 N) summaries of all."""
        flat = rearrange(sequences, 'b k t n -> (b k) t n')
        statistics = dict(jitter=jitter(flat), dispersion=dispersion(flat, self.segments).mean(1),
                          drift=drift(flat, self.segments)[:, -1])
        means = {name: rearrange(values, '(b k) -> b k', b=len(sequences)).mean(1)
                 for name, values in statistics.items()}
        parts = dict(codes=flat, residuals=flat[:, 1:] - flat[:, :1])
        summaries = {f'{name}_summary': rearrange(temporal_summary(part), '(b k) d -> b k d', b=len(sequences))
                     for name, part in parts.items()}
        return {**means, **summaries}
