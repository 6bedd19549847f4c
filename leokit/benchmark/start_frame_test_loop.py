"""Testing starting frames: drawn for held-out codes, and read again by the animator whose codes they are."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop
from torch import Tensor
from torch.utils.data import DataLoader

from leokit.inference.generation import sample_seeds
from leokit.inference.loading import animator_of, load_animator, load_start_frame_diffusion
from leokit.inference.rendering import encode
from leokit.inference.start_frame_sampler import CHUNK_PIXELS, StartFramePainter, resize_frames
from leokit.models import StartFrameDiffusion
from leokit.registry import LOOPS
from leokit.utils import UserError, progress_bar
from leokit.utils.modules import device_of, unwrap_model
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.visualization import contact_sheet, save_png

SHEET_CODES = 8  # rows of the contact sheet


@LOOPS.register_module()
class StartFrameTestLoop(BaseLoop):
    """Draw frames for the code of every frame of the data, and measure.

    Metrics get one dict for each code: ``motion`` (N,), ``real``, the frame it was taken of (3, S, S) in [-1, 1],
    ``real_motion`` (N,), what the animator reads in that frame at the size of the model, ``generated`` (K, 3, S, S),
    ``generated_motion`` (K, N), ``name``, ``identity`` and ``start``. The noise of a drawn frame depends on ``seed``,
    its number and the name and start of the real one. A super-resolution stage is tested behind its first stage.

    Args:
        runner (Runner): The runner; its model is a StartFrameDiffusion.
        dataloader (DataLoader | dict): Real frames and their codes, as CodedFrameDataset gives them.
        evaluator (Evaluator | dict | list): Metrics of starting frames.
        animator (dict, optional): ``config`` and ``checkpoint`` of the animator that made the codes; by default those
            under the config's top-level key ``animator``.
        first_stage (dict, optional): ``config`` and ``checkpoint`` of the model that draws what this one enlarges; for
            a super-resolution stage.
        num_frames (int): Frames K that are drawn for every code.
        seed (int): Another seed draws other frames.
        amp (bool): Draw under bfloat16 autocast.
        out_dir (str, optional): Folder for a contact sheet, a row a code; relative to the work dir.

    Raises:
        UserError: If an option is out of range or a model cannot be loaded.
    """

    def __init__(self, runner, dataloader: DataLoader | dict, *, evaluator: Evaluator | dict | list,
                 animator: Mapping[str, str] | None = None, first_stage: Mapping[str, str] | None = None,
                 num_frames: int = 4, seed: int = 0, amp: bool = False, out_dir: str | None = None) -> None:
        super().__init__(runner, dataloader)
        if num_frames < 1:
            raise UserError(f'test_cfg.num_frames must be at least 1, got {num_frames}')
        self.evaluator = runner.build_evaluator(evaluator) if isinstance(evaluator, (dict, list)) else evaluator
        self.num_frames = num_frames
        self.seed = seed
        self.amp = amp
        self.out_dir = Path(runner.work_dir) / out_dir if out_dir else None
        named = animator_of(runner.cfg, animator)
        self.animator = load_animator(named['config'], named['checkpoint'])
        self.first_stage = first_stage and load_start_frame_diffusion(first_stage['config'], first_stage['checkpoint'])
        self._shown: list[dict[str, Any]] = []  # rows of the contact sheet

    def run(self) -> dict[str, float]:
        """Draw and measure.

        Returns:
            dict[str, float]: The metrics.

        Raises:
            UserError: If the models do not belong together.
        """
        model = unwrap_model(self.runner.model)
        painter = self._painter(model)  # now: the weights are loaded
        self._shown = []
        hook = self.runner.call_hook
        hook('before_test')
        hook('before_test_epoch')
        with progress_bar(len(self.dataloader), 'starting frames', unit='batch', show=is_main_process()) as bar:
            for index, batch in enumerate(self.dataloader):
                hook('before_test_iter', batch_idx=index, data_batch=batch)
                predictions = self.predict(painter, batch)
                self.evaluator.process(data_samples=predictions, data_batch=batch)
                self._show(predictions)
                hook('after_test_iter', batch_idx=index, data_batch=batch, outputs=predictions)
                bar.update()
        self._write_sheet()
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        hook('after_test_epoch', metrics=metrics)
        hook('after_test')
        return metrics

    def _painter(self, model: StartFrameDiffusion) -> StartFramePainter:
        """The model under test behind its first stage, if it has one; all models on one device, and of one animator."""
        device = device_of(model)
        model.check_animator(self.animator.weights_hash())
        self.animator.to(device)
        if self.first_stage is not None:
            return StartFramePainter(self.first_stage.to(device), model, amp=self.amp)
        if model.low_size is not None:
            raise UserError('a super-resolution stage is tested behind its first stage; set test_cfg.first_stage to '
                            'the config and checkpoint of a model that draws what this one enlarges')
        return StartFramePainter(model, amp=self.amp)

    @torch.inference_mode()
    def predict(self, painter: StartFramePainter, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Draw the frames of a batch.

        Args:
            painter (StartFramePainter): What is tested.
            batch (Mapping): ``inputs.frame``, uint8 (B, 3, S, S), ``inputs.motion`` (B, N), and ``data_samples``.

        Returns:
            list[dict]: What metrics get; see the class.
        """
        labels, device = batch['data_samples'], device_of(self.animator)
        real = from_uint8(batch['inputs']['frame'].to(device))
        motion = batch['inputs']['motion'].to(device)
        if real.shape[-1] != painter.size:
            raise UserError(f'the test frames are {real.shape[-1]} pixels wide, the model draws {painter.size}; set '
                            'size in test_dataloader.dataset to the size of the model')
        keys = [f'{name}/{int(start)}/{number}' for name, start in zip(labels['name'], labels['start'])
                for number in range(self.num_frames)]
        seeds = sample_seeds(self.seed, [zlib.crc32(key.encode()) for key in keys])
        generated = painter.draw(motion.repeat_interleave(self.num_frames, dim=0), seeds)
        columns = dict(labels, motion=motion, real=real, real_motion=self._read(real),
                       generated=self._by_code(generated), generated_motion=self._by_code(self._read(generated)))
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def _by_code(self, rows: Tensor) -> Tensor:
        """Shape (B·K, ...) to (B, K, ...)."""
        return rows.unflatten(0, (-1, self.num_frames))

    def _read(self, frames: Tensor) -> Tensor:
        """What the animator reads in frames (B, 3, S, S), shape (B, N)."""
        chunk = max(1, CHUNK_PIXELS // self.animator.size**2)
        codes = [encode(self.animator, resize_frames(part, self.animator.size)).motion for part in frames.split(chunk)]
        return torch.cat(codes).float()

    def _show(self, predictions: list[dict[str, Any]]) -> None:
        """Keep the first frame of each of the first people for the contact sheet."""
        if self.out_dir is None or not is_main_process():
            return
        for row in predictions:
            if len(self._shown) < SHEET_CODES and row['identity'] not in [shown['identity'] for shown in self._shown]:
                self._shown.append(dict(row, generated=row['generated'].cpu(), real=row['real'].cpu()))

    def _write_sheet(self) -> None:
        if not self._shown:
            return
        rows = [to_uint8(torch.cat([row['real'][None], row['generated']])).permute(0, 2, 3, 1).numpy()
                for row in self._shown]
        titles = ['real', *(f'drawn {number}' for number in range(self.num_frames))]
        names = [f'{row["name"]} {int(row["start"])}' for row in self._shown]
        save_png(self.out_dir / 'sheet.png', contact_sheet([list(row) for row in rows], column_titles=titles,
                                                           row_titles=names))
