"""Testing a motion diffusion on video: clips that start like real ones, measured against these.

A motion diffusion knows codes only; the loop brings the animator that makes frames of them. Metrics see videos, so any
metric of generated video serves, and what is tested is what :class:`leokit.pipelines.VideoGenerator` makes.
"""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop
from torch import Tensor
from torch.utils.data import DataLoader

from leokit.inference.generation import VideoGenerator, sample_seeds
from leokit.inference.loading import animator_of, load_animator
from leokit.inference.rendering import encode
from leokit.long_video import LastCode
from leokit.registry import LOOPS
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError, check_shape, progress_bar
from leokit.utils.modules import device_of, unwrap_model
from leokit.utils.pixels import from_uint8
from leokit.video import VideoWriter
from leokit.visualization import save_png, sequence_sheet

MOTIONS = ('generated', 'frozen', 'real')
SHEET_CLIPS = 6  # clips on the contact sheet


@LOOPS.register_module()
class GenerationTestLoop(BaseLoop):
    """Generate a clip for every clip of the data, from its first frame, and measure.

    Metrics get one dict for each clip: ``generated`` and ``real``, videos (T, 3, S, S) in [-1, 1], ``name``,
    ``identity`` and ``start``. A clip's noise depends on ``seed``, its name and its start only. With ``num_sequences``
    above 1, metrics of motion see several sequences from every start, which is what diversity is measured on; frames
    are made of the first.

    Args:
        runner (Runner): The runner; its model is a MotionDiffusion.
        dataloader (DataLoader | dict): Real clips, as ClipDataset gives them.
        evaluator (Evaluator | dict | list): Metrics of generated video.
        animator (dict, optional): ``config`` and ``checkpoint`` of the animator whose codes the model was trained on;
            by default those under the config's top-level key ``animator``.
        motion_evaluator (Evaluator | dict | list, optional): Metrics of motion codes; they get ``generated`` and
            ``real``, codes (T, N); ``generated`` is (K, T, N) for K of ``num_sequences``.
        motion (str): ``'generated'`` by the model; for comparison ``'frozen'`` (the first frame stands still) or
            ``'real'`` (the clip's own codes: what the animator loses).
        num_sequences (int): Sequences of codes that are drawn from every start.
        seed (int): Another seed generates other motion.
        out_dir (str, optional): Folder for the generated clips (mp4) and a contact sheet; relative to the work dir.
        chunk_size (int): Frames per forward pass of the animator.

    Raises:
        UserError: If an option is unknown or the animator cannot be loaded.
    """

    stage = 'test'  # what the hooks are called by

    def __init__(self, runner, dataloader: DataLoader | dict, *, evaluator: Evaluator | dict | list,
                 animator: Mapping[str, str] | None = None, motion_evaluator: Evaluator | dict | list | None = None,
                 motion: str = 'generated', num_sequences: int = 1, seed: int = 0, out_dir: str | None = None,
                 chunk_size: int = 64) -> None:
        super().__init__(runner, dataloader)
        if motion not in MOTIONS:
            raise UserError(f'{self.stage}_cfg.motion={motion!r} is unknown; choose one of {", ".join(MOTIONS)}')
        if num_sequences < 1:
            raise UserError(f'{self.stage}_cfg.num_sequences must be at least 1, got {num_sequences}')
        self.evaluator = _build(runner, evaluator)
        self.motion_evaluator = _build(runner, motion_evaluator) if motion_evaluator else None
        self.motion = motion
        self.num_sequences = num_sequences
        self.seed = seed
        self.out_dir = Path(runner.work_dir) / out_dir if out_dir else None
        self.chunk_size = chunk_size
        named = animator_of(runner.cfg, animator)
        self.animator = load_animator(named['config'], named['checkpoint'])
        self._shown: list[tuple[str, Tensor]] = []  # rows of the contact sheet

    def run(self) -> dict[str, float]:
        """Generate and measure.

        Returns:
            dict[str, float]: The metrics.

        Raises:
            UserError: If the model was trained on the codes of another animator, or the clips have another size.
        """
        model = unwrap_model(self.runner.model)
        device = device_of(model)
        generator = VideoGenerator(self.animator.to(device), model)  # now: the weights are loaded
        self._shown = []
        hook, stage = self.runner.call_hook, self.stage
        hook(f'before_{stage}')
        hook(f'before_{stage}_epoch')
        with progress_bar(len(self.dataloader), f'{stage} clips', unit='batch', show=is_main_process()) as bar:
            for index, batch in enumerate(self.dataloader):
                hook(f'before_{stage}_iter', batch_idx=index, data_batch=batch)
                predictions = self.predict(generator, batch)
                self._measure(predictions, batch)
                hook(f'after_{stage}_iter', batch_idx=index, data_batch=batch, outputs=predictions)
                bar.update()
        self._write_sheet()
        size = len(self.dataloader.dataset)
        metrics = self.evaluator.evaluate(size)
        if self.motion_evaluator is not None:
            metrics.update(self.motion_evaluator.evaluate(size))
        hook(f'after_{stage}_epoch', metrics=metrics)
        hook(f'after_{stage}')
        return metrics

    @property
    def folder(self) -> Path | None:
        """Where generated clips go."""
        return self.out_dir

    @torch.inference_mode()
    def predict(self, generator: VideoGenerator, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Generate one clip for each clip of a batch.

        Args:
            generator (VideoGenerator): Animator and model.
            batch (Mapping): ``inputs.video``, uint8 (B, T, 3, S, S), and ``data_samples``.

        Returns:
            list[dict]: ``generated``, ``real`` (T, 3, S, S), ``generated_motion`` ([K,] T, N), ``real_motion`` (T, N),
            and the names.
        """
        video, labels = batch['inputs']['video'], batch['data_samples']
        size = self.animator.size
        if video.shape[-2:] != (size, size):
            raise UserError(f'the {self.stage} clips are {video.shape[-1]} pixels wide, the animator makes {size}; set '
                            f'size in {self.stage}_dataloader.dataset to the size of the animator')
        check_shape('inputs.video', video, (None, None, 3, size, size))
        real = from_uint8(video.to(device_of(self.animator)))
        encoding = encode(self.animator, real[:, 0])
        codes = self.encode_motion(real, labels)  # (B, T, N)
        if self.motion == 'real':
            motion = codes[:, None]
        elif self.motion == 'frozen':
            motion = codes[:, None, :1].expand(-1, -1, codes.shape[1], -1)
        else:
            motion = self._draw(generator, codes[:, 0], codes.shape[1], labels)  # (B, K, T, N)
        generated = torch.cat(list(generator.render(encoding, [motion[:, 0]], chunk_size=self.chunk_size)), dim=1)
        drawn = motion if motion.shape[1] > 1 else motion[:, 0]
        columns = dict(labels, generated=generated, real=real, generated_motion=drawn, real_motion=codes)
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def _draw(self, generator: VideoGenerator, start: Tensor, num_frames: int,
              labels: Mapping[str, Sequence]) -> Tensor:
        """Sequences from each start (B, N), shape (B, K, T, N); a clip within the model's window is drawn in one."""
        model = generator.motion_diffusion
        # a clip of one window has no boundary; strategies that delay output would sample a second window
        long_video = LastCode() if num_frames <= model.num_frames else None
        noise = [source for number in range(self.num_sequences)
                 for source in clip_generators(self.seed, labels['name'], labels['start'], number)]
        pieces = generator.sample_motion(start.repeat(self.num_sequences, 1), num_frames, noise, long_video=long_video)
        motion = torch.cat(list(pieces), dim=1)
        return motion.unflatten(0, (self.num_sequences, len(start))).transpose(0, 1)

    def encode_motion(self, real: Tensor, labels: Mapping[str, Sequence]) -> Tensor:
        """The codes of real clips.

        Args:
            real (Tensor): Clips, shape (B, T, 3, S, S), in [-1, 1].
            labels (Mapping): ``name`` and ``start`` of each.

        Returns:
            Tensor: Shape (B, T, N).
        """
        codes = torch.cat([encode(self.animator, frames).motion
                           for frames in real.flatten(0, 1).split(self.chunk_size)])
        return codes.float().unflatten(0, real.shape[:2])

    def _measure(self, predictions: list[dict[str, Any]], batch: Mapping[str, Any]) -> None:
        self.evaluator.process(data_samples=predictions, data_batch=batch)
        if self.motion_evaluator is not None:
            codes = [dict(name=row['name'], generated=row['generated_motion'], real=row['real_motion'])
                     for row in predictions]
            self.motion_evaluator.process(data_samples=codes, data_batch=batch)
        if self.out_dir is not None:
            for row in predictions:
                self._write(row)

    def _write(self, row: dict[str, Any]) -> None:
        name = f'{row["name"]}_{int(row["start"]):06d}'
        with VideoWriter(self.folder / f'{name}.mp4', float(row.get('fps', 0)) or 25.0) as writer:
            writer.write(row['generated'])
        if is_main_process() and len(self._shown) < 2 * SHEET_CLIPS:
            self._shown += [(f'{name} real', row['real'].cpu()), (self.motion, row['generated'].cpu())]

    def _write_sheet(self) -> None:
        if self._shown:
            names, videos = zip(*self._shown)
            save_png(self.folder / 'sheet.png', sequence_sheet(torch.stack(videos), names=names))


def clip_generators(seed: int, names: Sequence[str], starts: Sequence[int],
                    number: int = 0) -> list[torch.Generator]:
    """One source of noise for each clip, the same whatever its batch.

    Args:
        seed (int): Seed of the test.
        names (Sequence[str]): Names of the videos.
        starts (Sequence[int]): First frames of the clips.
        number (int): Number of the sequence among those from one start.

    Returns:
        list[Generator]: On the CPU, so that devices agree.
    """
    suffix = f'/{number}' if number else ''
    numbers = [zlib.crc32(f'{name}/{int(start)}{suffix}'.encode()) for name, start in zip(names, starts)]
    return generators_from_seeds(sample_seeds(seed, numbers))


def _build(runner: Any, evaluator: Evaluator | dict | list) -> Evaluator:
    return runner.build_evaluator(evaluator) if isinstance(evaluator, (dict, list)) else evaluator
