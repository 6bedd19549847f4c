"""Test a motion diffusion on video: generate clips from the first frames of real clips and compare both.

The motion diffusion generates codes; the animator of the loop renders them, so that metrics of generated video apply.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from einops import rearrange, repeat
from mmengine.dist import is_main_process
from mmengine.evaluator import Evaluator
from torch import Tensor
from torch.utils.data import DataLoader

from leokit.benchmark.prediction_loop import PredictionLoop, build_evaluator
from leokit.inference.generation import VideoGenerator
from leokit.inference.rendering import encode
from leokit.long_video import LastCode
from leokit.registry import LOOPS
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError, check_shape
from leokit.utils.hashing import stable_number
from leokit.utils.modules import device_of, unwrap_model
from leokit.utils.output_paths import OutputPaths
from leokit.utils.pixels import from_uint8
from leokit.utils.seeds import sample_seeds
from leokit.video import VideoWriter
from leokit.visualization import save_png, sequence_sheet

MOTIONS = ('generated', 'frozen', 'real')
SHEET_CLIPS = 6  # clips on the contact sheet


@LOOPS.register_module()
class GenerationTestLoop(PredictionLoop):
    """Generate a clip from the first frame of each real clip, and evaluate.

    Metrics get one dict per clip: ``generated`` and ``real``, videos (T, 3, S, S) in [-1, 1], ``name``, ``identity``
    and ``start``. The noise of a clip depends on ``seed``, its name and its start only.

    Args:
        runner (Runner): The runner; its model is a MotionDiffusion.
        dataloader (DataLoader | dict): Real clips, from ClipDataset.
        evaluator (Evaluator | dict | list): Metrics of generated video.
        animator (dict, optional): See :class:`~leokit.benchmark.prediction_loop.PredictionLoop`.
        motion_evaluator (Evaluator | dict | list, optional): Metrics of motion codes; they get ``generated`` and
            ``real``, codes (T, N), ``name`` and ``start``; with ``num_sequences`` K above 1, ``generated`` is
            (K, T, N).
        motion (str): ``'generated'``; as baselines ``'frozen'`` (the first frame, repeated) or ``'real'`` (the codes of
            the real clip: the reconstruction error of the animator).
        num_sequences (int): Sequences of codes sampled from each first frame, for metrics of diversity; only the first
            is rendered.
        seed (int): Seed of the noise.
        out_dir (str, optional): Folder for the generated clips (mp4) and a contact sheet; relative to the work dir.
        chunk_size (int): Frames per forward pass of the animator.
    """

    def __init__(self, runner, dataloader: DataLoader | dict, *, evaluator: Evaluator | dict | list,
                 animator: Mapping[str, str] | None = None, motion_evaluator: Evaluator | dict | list | None = None,
                 motion: str = 'generated', num_sequences: int = 1, seed: int = 0, out_dir: str | None = None,
                 chunk_size: int = 64) -> None:
        if motion not in MOTIONS:
            raise UserError(f'{self.stage}_cfg.motion={motion!r} is unknown; choose one of {", ".join(MOTIONS)}')
        if num_sequences < 1:
            raise UserError(f'{self.stage}_cfg.num_sequences must be at least 1, got {num_sequences}')
        super().__init__(runner, dataloader, evaluator=evaluator, animator=animator, out_dir=out_dir)
        self.motion_evaluator = build_evaluator(runner, motion_evaluator) if motion_evaluator else None
        self.motion = motion
        self.num_sequences = num_sequences
        self.seed = seed
        self.chunk_size = chunk_size
        self._clip_paths: OutputPaths | None = None

    @property
    def title(self) -> str:
        return f'{self.stage} clips'

    @property
    def clip_dir(self) -> Path | None:
        """Folder of the generated clips."""
        return self.out_dir

    def build_predictor(self) -> VideoGenerator:
        model = unwrap_model(self.runner.model)
        return VideoGenerator(self.animator.to(device_of(model)), model)

    @torch.inference_mode()
    def predict(self, predictor: VideoGenerator, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Generate one clip for each clip of a batch.

        Args:
            predictor (VideoGenerator): Animator and motion diffusion.
            batch (Mapping): ``inputs.video``, uint8 (B, T, 3, S, S), and ``data_samples``.

        Returns:
            list[dict]: ``generated``, ``real`` (T, 3, S, S), ``generated_motion`` ([K,] T, N), ``real_motion`` (T, N),
            and the labels of ``data_samples``.
        """
        video, labels = batch['inputs']['video'], batch['data_samples']
        size = self.animator.size
        if video.shape[-2:] != (size, size):
            raise UserError(f'the {self.stage} clips have resolution {video.shape[-1]}, the animator {size}; set size '
                            f'in {self.stage}_dataloader.dataset to the size of the animator')
        check_shape('inputs.video', video, (None, None, 3, size, size))
        real = from_uint8(video.to(device_of(self.animator)))
        encoding = encode(self.animator, real[:, 0])
        real_motion = self.encode_motion(real, labels)  # (B, T, N)
        if self.motion == 'real':
            motion = real_motion[:, None]
        elif self.motion == 'frozen':
            motion = repeat(real_motion[:, 0], 'b n -> b 1 t n', t=real_motion.shape[1])
        else:
            motion = self._sample_motion(predictor, real_motion[:, 0], real_motion.shape[1], labels)  # (B, K, T, N)
        generated = torch.cat(list(predictor.render(encoding, [motion[:, 0]], chunk_size=self.chunk_size)), dim=1)
        columns = dict(labels, generated=generated, real=real, real_motion=real_motion,
                       generated_motion=motion if motion.shape[1] > 1 else motion[:, 0])
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def _sample_motion(self, generator: VideoGenerator, start: Tensor, num_frames: int,
                       labels: Mapping[str, Sequence]) -> Tensor:
        """Sequences (B, K, T, N) from initial codes (B, N)."""
        # a clip of one window has no boundary; strategies that delay output would sample a second window
        long_video = LastCode() if num_frames <= generator.motion_diffusion.num_frames else None
        noise = [source for sequence in range(self.num_sequences)
                 for source in clip_generators(self.seed, labels['name'], labels['start'], sequence)]
        pieces = generator.sample_motion(repeat(start, 'b n -> (k b) n', k=self.num_sequences), num_frames, noise,
                                         long_video=long_video)
        return rearrange(torch.cat(list(pieces), dim=1), '(k b) t n -> b k t n', k=self.num_sequences)

    def encode_motion(self, real: Tensor, labels: Mapping[str, Sequence]) -> Tensor:
        """Codes (B, T, N) of real clips (B, T, 3, S, S) in [-1, 1], with ``name`` and ``start`` in ``labels``."""
        frames = rearrange(real, 'b t c h w -> (b t) c h w')
        codes = torch.cat([encode(self.animator, chunk).motion for chunk in frames.split(self.chunk_size)])
        return rearrange(codes.float(), '(b t) n -> b t n', b=len(real))

    def process(self, predictions: list[dict[str, Any]], batch: Mapping[str, Any]) -> None:
        super().process(predictions, batch)
        if self.motion_evaluator is not None:
            codes = [dict(name=row['name'], start=row['start'], generated=row['generated_motion'],
                          real=row['real_motion']) for row in predictions]
            self.motion_evaluator.process(data_samples=codes, data_batch=batch)
        if self.clip_dir is not None:
            for row in predictions:
                self._write_clip(row)

    def evaluate(self, size: int) -> dict[str, float]:
        metrics = super().evaluate(size)
        if self.motion_evaluator is not None:
            metrics.update(self.motion_evaluator.evaluate(size))
        return metrics

    def _write_clip(self, row: dict[str, Any]) -> None:
        name = f'{row["name"]}_{int(row["start"]):06d}'
        if self._clip_paths is None or self._clip_paths.folder != self.clip_dir:  # a folder per validation
            self._clip_paths = OutputPaths(self.clip_dir)
        with VideoWriter(self._clip_paths(name, '.mp4'), float(row.get('fps', 0)) or 25.0) as writer:
            writer.write(row['generated'])
        if is_main_process() and len(self._sheet_rows) < 2 * SHEET_CLIPS:
            self._sheet_rows += [(f'{name} real', row['real'].cpu()), (self.motion, row['generated'].cpu())]

    def write_sheet(self) -> None:
        names, videos = zip(*self._sheet_rows)
        save_png(self.clip_dir / 'sheet.png', sequence_sheet(torch.stack(videos), names=names))


def clip_generators(seed: int, names: Sequence[str], starts: Sequence[int], sequence: int = 0) -> list[torch.Generator]:
    """One noise generator per clip, independent of the batch.

    Args:
        seed (int): Seed of the test.
        names (Sequence[str]): Names of the videos.
        starts (Sequence[int]): First frames of the clips.
        sequence (int): Index among the sequences from one first frame.

    Returns:
        list[Generator]: On the CPU, so that all devices get the same noise.
    """
    suffix = (sequence,) if sequence else ()
    numbers = [stable_number(name, int(start), *suffix) for name, start in zip(names, starts)]
    return generators_from_seeds(sample_seeds(seed, numbers))
