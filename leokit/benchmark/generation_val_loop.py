"""Validating a motion diffusion on video while it trains: does what it generates get better?

The loss of a diffusion model hardly tells. What does is what :class:`GenerationTestLoop` measures, on few clips.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmengine.evaluator import Evaluator
from torch import Tensor
from torch.utils.data import DataLoader

from leokit.benchmark.generation_test_loop import GenerationTestLoop
from leokit.evaluation.runner_metrics.real_clip_cache import RealClipCache
from leokit.inference.generation import check_same_codes
from leokit.registry import LOOPS
from leokit.utils import UserError
from leokit.utils.modules import unwrap_model


@LOOPS.register_module()
class GenerationValLoop(GenerationTestLoop):
    """Generate a clip for every clip of the validation data, from its first frame, and measure.

    What the real clips are is computed in the first validation and remembered (of every clip its codes; the metrics
    remember what they are told to), so later ones generate and describe what was generated. The averaged weights are
    used where there is an EMAHook. Noise is a function of the clip, so two validations differ by the model alone, and
    the training's own randomness is left alone: a training with validations is bit by bit the one without.

    Args:
        runner (Runner): The runner; its model is a MotionDiffusion.
        dataloader (DataLoader | dict): Real clips, as ClipDataset gives them; ``max_clips`` keeps them few.
        evaluator (Evaluator | dict | list): Metrics of generated video.
        animator (dict, optional): As for :class:`GenerationTestLoop`.
        motion_evaluator (Evaluator | dict | list, optional): Metrics of motion codes.
        num_sequences (int): Sequences of codes that are drawn from every start.
        seed (int): Another seed generates other motion.
        out_dir (str, optional): Folder for the generated clips; those of an iteration go to ``iter_<number>`` in it.
        chunk_size (int): Frames per forward pass of the animator.

    Raises:
        UserError: If an option is unknown or the animator cannot be loaded.
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
    def folder(self) -> Path | None:
        """Where the clips of this validation go."""
        return self.out_dir and self.out_dir / f'iter_{self.runner.iter}'

    def check(self) -> None:
        """Find out before the training whether its validations will work.

        Raises:
            UserError: If the animator did not make the training codes, or the clips have another size.
        """
        model = unwrap_model(self.runner.model)
        check_same_codes(self.animator, model)
        dataset, size = self.dataloader.dataset, self.animator.size
        if getattr(dataset, 'size', size) != size:
            raise UserError(f'val_dataloader.dataset.size={dataset.size} does not fit the animator, which makes {size} '
                            'pixels; set it to the size of the animator')

    def encode_motion(self, real: Tensor, labels: Mapping[str, Sequence]) -> Tensor:
        """As in the test, once for every clip."""
        clips = [dict(name=name, start=start) for name, start in zip(labels['name'], labels['start'])]
        encode_anew = super().encode_motion
        codes = self._real_cache.get_or_compute(clips, lambda: encode_anew(real, labels).cpu())
        return torch.stack(codes).to(real.device)
