"""Validate a motion diffusion on video during training.

The loss of a diffusion model hardly shows the quality of its samples; the metrics of :class:`GenerationTestLoop`, on
few clips, do.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmengine.evaluator import Evaluator
from torch import Tensor
from torch.utils.data import DataLoader

from leokit.benchmark.generation_test_loop import GenerationTestLoop
from leokit.evaluation.runner_metrics.real_clip_cache import RealClipCache
from leokit.registry import LOOPS
from leokit.utils import UserError
from leokit.utils.modules import unwrap_model
from leokit.utils.same_animator import check_same_animator


@LOOPS.register_module()
class GenerationValLoop(GenerationTestLoop):
    """Generate a clip from the first frame of each validation clip, and evaluate.

    Codes of real clips are computed in the first validation and cached, as are the values that metrics cache. With an
    EMAHook, the averaged weights are validated. Noise is a function of the clip, so that two validations differ by the
    model alone. Validation does not touch the random state of the training, which is bit for bit the same without it.

    Args:
        runner, dataloader, evaluator, animator, motion_evaluator, num_sequences, seed, chunk_size: As for
            :class:`GenerationTestLoop`.
        out_dir (str, optional): Folder for the generated clips, in a subfolder ``iter_<number>`` per validation.
    """

    stage = 'val'

    def __init__(self, runner, dataloader: DataLoader | dict, *, evaluator: Evaluator | dict | list,
                 animator: Mapping[str, str] | None = None, motion_evaluator: Evaluator | dict | list | None = None,
                 num_sequences: int = 1, seed: int = 0, out_dir: str | None = None, chunk_size: int = 64) -> None:
        try:
            super().__init__(runner, dataloader, evaluator=evaluator, animator=animator,
                             motion_evaluator=motion_evaluator, num_sequences=num_sequences, seed=seed,
                             out_dir=out_dir, chunk_size=chunk_size)
        except UserError as error:
            raise UserError(f'{error}; to train without validating on video, set val_cfg=None') from error
        self._real_cache = RealClipCache()

    @property
    def clip_dir(self) -> Path | None:
        return self.out_dir and self.out_dir / f'iter_{self.runner.iter}'

    def check(self) -> None:
        """Raise before the training if its validations would fail.

        Raises:
            UserError: If the training codes are not of the animator, or the clips have another resolution.
        """
        check_same_animator(self.animator.code_origin, unwrap_model(self.runner.model).code_origin)
        dataset, size = self.dataloader.dataset, self.animator.size
        if getattr(dataset, 'size', size) != size:
            raise UserError(f'val_dataloader.dataset.size={dataset.size} does not fit the animator of size {size}; set '
                            'it to the size of the animator')

    def encode_motion(self, real: Tensor, labels: Mapping[str, Sequence]) -> Tensor:
        clips = [dict(name=name, start=start) for name, start in zip(labels['name'], labels['start'])]
        encode = super().encode_motion
        codes = self._real_cache.get_or_compute(clips, lambda: encode(real, labels).cpu())
        return torch.stack(codes).to(real.device)
