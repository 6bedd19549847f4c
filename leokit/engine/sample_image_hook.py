"""Images of each validation in the log: reconstructions of an animator, generated clips of a motion diffusion."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from torch import Tensor

from leokit.registry import HOOKS
from leokit.visualization import reconstruction_sheet, sequence_sheet

PAIR_KEYS = ('source', 'driving', 'reconstruction', 'flow', 'mask')


@HOOKS.register_module()
class SampleImageHook(Hook):
    """Pass a sheet of the first samples of each validation to the visualizer, as ``val/samples``.

    An animator gives rows of source, driving frame, reconstruction, flow and mask; a motion diffusion pairs of rows,
    real and generated frames. Predictions of other models are ignored.

    Args:
        num_samples (int): Samples on a sheet.
    """

    priority = 'BELOW_NORMAL'

    def __init__(self, num_samples: int = 4) -> None:
        if num_samples < 1:
            raise ValueError(f'num_samples must be at least 1, got {num_samples}')
        self.num_samples = num_samples
        self._samples: list[dict[str, Any]] = []

    def before_val_epoch(self, runner) -> None:
        self._samples = []

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None,
                       outputs: Sequence[Any] | None = None) -> None:
        for output in outputs or () if is_main_process() else ():
            if len(self._samples) < self.num_samples and isinstance(output, Mapping):
                self._samples.append({key: value.float().cpu() if isinstance(value, Tensor) else value
                                      for key, value in output.items()})

    def after_val_epoch(self, runner, metrics: Mapping[str, float] | None = None) -> None:
        sheet = draw_samples(self._samples)
        self._samples = []
        if sheet is not None:
            runner.visualizer.add_image('val/samples', sheet, step=runner.iter)


def draw_samples(samples: Sequence[Mapping[str, Any]]) -> np.ndarray | None:
    """A sheet of predictions, uint8 (H, W, 3); None for predictions of other models.

    Args:
        samples (Sequence[Mapping]): Results of :meth:`Animator.predict` or of a validation loop that generates clips.
    """
    if samples and all(set(PAIR_KEYS) <= sample.keys() for sample in samples):
        columns = (torch.stack([sample[key] for sample in samples]) for key in PAIR_KEYS)
        return reconstruction_sheet(*columns, names=[str(sample.get('name', '')) for sample in samples])
    if samples and all({'real', 'generated'} <= sample.keys() for sample in samples):
        rows = [(f'{sample.get("name", "")} {key}', sample[key]) for sample in samples for key in ('real', 'generated')]
        return sequence_sheet(torch.stack([frames for _, frames in rows]), names=[name for name, _ in rows])
    return None
