"""Test a starting-frame model: sample frames for held-out codes, and encode them with the animator of the codes."""

from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange, repeat
from mmengine.dist import is_main_process
from mmengine.evaluator import Evaluator
from torch import Tensor
from torch.utils.data import DataLoader

from leokit.benchmark.prediction_loop import PredictionLoop
from leokit.inference.loading import load
from leokit.inference.rendering import encode
from leokit.inference.start_frame_sampler import CHUNK_PIXELS, StartFrameSampler, resize_frames
from leokit.models import StartFrameDiffusion
from leokit.registry import LOOPS
from leokit.utils import UserError
from leokit.utils.hashing import stable_number
from leokit.utils.modules import device_of, unwrap_model
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.utils.same_animator import check_same_animator
from leokit.utils.seeds import sample_seeds
from leokit.visualization import contact_sheet, save_png

SHEET_ROWS = 8


@LOOPS.register_module()
class StartFrameTestLoop(PredictionLoop):
    """Sample frames for the code of each frame of the data, and evaluate.

    Metrics get one dict per code: ``motion`` (N,), the code; ``real`` (3, S, S) in [-1, 1], the frame of the code;
    ``real_motion`` (N,), the code of that frame at the model's resolution; ``generated`` (K, 3, S, S) and
    ``generated_motion`` (K, N), sampled frames and their codes; ``name``, ``identity`` and ``start``. The noise of a
    sampled frame depends on ``seed``, its index and the name and start of the real frame.

    Args:
        runner (Runner): The runner; its model is a StartFrameDiffusion.
        dataloader (DataLoader | dict): Real frames and their codes, from CodedFrameDataset.
        evaluator (Evaluator | dict | list): Metrics of starting frames.
        animator (dict, optional): See :class:`~leokit.benchmark.prediction_loop.PredictionLoop`.
        first_stage (dict, optional): ``config`` and ``checkpoint`` of the model whose frames this one upsamples;
            required for a super-resolution stage.
        num_frames (int): Frames K sampled for each code.
        seed (int): Seed of the noise.
        amp (bool): Sample under bfloat16 autocast.
        out_dir (str, optional): Folder for a contact sheet, one row per code; relative to the work dir.
    """

    title = 'starting frames'

    def __init__(self, runner, dataloader: DataLoader | dict, *, evaluator: Evaluator | dict | list,
                 animator: Mapping[str, str] | None = None, first_stage: Mapping[str, str] | None = None,
                 num_frames: int = 4, seed: int = 0, amp: bool = False, out_dir: str | None = None) -> None:
        if num_frames < 1:
            raise UserError(f'test_cfg.num_frames must be at least 1, got {num_frames}')
        super().__init__(runner, dataloader, evaluator=evaluator, animator=animator, out_dir=out_dir)
        self.num_frames = num_frames
        self.seed = seed
        self.amp = amp
        self.first_stage = first_stage and load(first_stage['config'], first_stage['checkpoint'],
                                                expect=StartFrameDiffusion)

    def build_predictor(self) -> StartFrameSampler:
        """The model with its first stage, if it has one, on the model's device."""
        model = unwrap_model(self.runner.model)
        device = device_of(model)
        check_same_animator(self.animator.code_origin, model.code_origin)
        self.animator.to(device)
        if self.first_stage is not None:
            return StartFrameSampler(self.first_stage.to(device), model, amp=self.amp)
        if model.low_size is not None:
            raise UserError('a super-resolution stage is tested together with its first stage; set '
                            'test_cfg.first_stage to the config and checkpoint of the model whose frames it upsamples')
        return StartFrameSampler(model, amp=self.amp)

    @torch.inference_mode()
    def predict(self, predictor: StartFrameSampler, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Sample the frames of a batch.

        Args:
            predictor (StartFrameSampler): The sampler of starting frames.
            batch (Mapping): ``inputs.frame``, uint8 (B, 3, S, S), ``inputs.motion`` (B, N), and ``data_samples``.

        Returns:
            list[dict]: The input of metrics; see the class.
        """
        labels, device = batch['data_samples'], device_of(self.animator)
        real = from_uint8(batch['inputs']['frame'].to(device))
        motion = batch['inputs']['motion'].to(device)
        if real.shape[-1] != predictor.size:
            raise UserError(f'the test frames have resolution {real.shape[-1]}, the model {predictor.size}; set size '
                            'in test_dataloader.dataset to the size of the model')
        numbers = [stable_number(name, int(start), index) for name, start in zip(labels['name'], labels['start'])
                   for index in range(self.num_frames)]
        generated = predictor.sample(repeat(motion, 'b n -> (b k) n', k=self.num_frames),
                                     sample_seeds(self.seed, numbers))  # (B * K, 3, S, S)
        columns = dict(
            labels, motion=motion, real=real, real_motion=self._encode(real),
            generated=rearrange(generated, '(b k) c h w -> b k c h w', k=self.num_frames),
            generated_motion=rearrange(self._encode(generated), '(b k) n -> b k n', k=self.num_frames))
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def _encode(self, frames: Tensor) -> Tensor:
        """Codes (B, N) of frames (B, 3, S, S) at the model's resolution."""
        chunk = max(1, CHUNK_PIXELS // self.animator.size**2)
        codes = [encode(self.animator, resize_frames(part, self.animator.size)).motion for part in frames.split(chunk)]
        return torch.cat(codes).float()

    def process(self, predictions: list[dict[str, Any]], batch: Mapping[str, Any]) -> None:
        super().process(predictions, batch)
        if self.out_dir is None or not is_main_process():
            return
        for row in predictions:  # the first frame of each of the first identities
            if len(self._sheet_rows) < SHEET_ROWS and row['identity'] not in [
                    shown['identity'] for shown in self._sheet_rows]:
                self._sheet_rows.append(dict(row, generated=row['generated'].cpu(), real=row['real'].cpu()))

    def write_sheet(self) -> None:
        rows = [rearrange(to_uint8(torch.cat([row['real'][None], row['generated']])), 'k c h w -> k h w c').numpy()
                for row in self._sheet_rows]
        titles = ['real', *(f'sample {index}' for index in range(self.num_frames))]
        names = [f'{row["name"]} {int(row["start"])}' for row in self._sheet_rows]
        save_png(self.out_dir / 'sheet.png', contact_sheet(rows, column_titles=titles, row_titles=names))
