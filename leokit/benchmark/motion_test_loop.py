"""Test of a motion diffusion in code space: sequences of one window, and long ones."""

from typing import Any

import torch
from mmengine.runner import TestLoop

from leokit.analysis.long_video_comparison import LongVideoComparison
from leokit.registry import LOOPS
from leokit.utils.modules import unwrap_model


@LOOPS.register_module()
class MotionTestLoop(TestLoop):
    """MMEngine's test loop over windows of motion codes, and optionally long sequences from some of their first codes.

    The long sequences are joined by the model's own strategy and measured in segments that are as long as the windows
    of real motion that they are compared with (:mod:`leokit.analysis.long_video_comparison`). Keys, after ``long/``:

    - ``boundary_jerk_ratio``, ``recurrence``: see :func:`~leokit.metrics.long_motion.long_motion`.
    - ``jitter``, ``dispersion``: means over segments, real motion = 1; ``dispersion_min``: of the worst segment.
    - ``drift``: the largest of all segments, in units of the real dispersion.
    - ``frames_per_second``: of all sequences together.

    Args:
        long_frames (int, optional): Frames of a long sequence. Default: None, no long sequences.
        long_sequences (int): Number of long sequences.
        **options: Those of ``mmengine.runner.TestLoop``.
    """

    def __init__(self, runner: Any, dataloader: Any, evaluator: Any, *, long_frames: int | None = None,
                 long_sequences: int = 64, **options: Any) -> None:
        super().__init__(runner, dataloader, evaluator, **options)
        self.long_frames = long_frames
        self.long_sequences = long_sequences

    def run(self) -> dict[str, float]:
        """Test; returns the metrics."""
        metrics = super().run()
        if self.long_frames:
            long = self._long_motion()
            self.runner.logger.info(', '.join(f'{key} {value:.4g}' for key, value in long.items()))
            metrics.update(long)
        return metrics

    @torch.no_grad()
    def _long_motion(self) -> dict[str, float]:
        model = unwrap_model(self.runner.model)
        dataset = {key: value for key, value in self.runner.cfg.test_dataloader.dataset.items() if key != 'stride'}
        comparison = LongVideoComparison(model, dataset, num_frames=self.long_frames,
                                         num_sequences=self.long_sequences)
        measured = comparison.measure(model.long_video)
        values = dict(
            {key: measured[key] for key in ('boundary_jerk_ratio', 'recurrence') if key in measured},
            jitter=measured['jitter'].mean(), dispersion=measured['dispersion'].mean(),
            dispersion_min=measured['dispersion'].min(), drift=measured['relative_drift'].max(),
            frames_per_second=self.long_frames * self.long_sequences / measured['seconds'])
        return {f'long/{key}': float(value) for key, value in values.items()}
