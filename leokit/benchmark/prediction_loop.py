"""Base class of the validation and test loops that generate videos or images for each sample of the data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader

from leokit.datasets.video_dataset import check_same_crop
from leokit.inference.loading import animator_of, load
from leokit.models import Animator
from leokit.utils import progress_bar


class PredictionLoop(BaseLoop):
    """Generate something for each batch of the data and pass it to metrics.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Real data.
        evaluator (Evaluator | dict | list): Metrics.
        animator (dict, optional): ``config`` and ``checkpoint`` of the animator whose codes the model was trained on.
            Default: None, those of the config's top-level key ``animator``.
        out_dir (str, optional): Output folder, relative to the work dir. Default: None, no output files.
    """

    stage = 'test'  # part of the names of the hooks' methods
    title = 'test'  # of the progress bar

    def __init__(self, runner, dataloader: DataLoader | dict, *, evaluator: Evaluator | dict | list,
                 animator: Mapping[str, str] | None = None, out_dir: str | None = None) -> None:
        super().__init__(runner, dataloader)
        self.evaluator = build_evaluator(runner, evaluator)
        self.out_dir = Path(runner.work_dir) / out_dir if out_dir else None
        source = animator_of(runner.cfg, animator)
        self.animator = load(source['config'], source['checkpoint'], expect=Animator)
        check_same_crop(getattr(self.dataloader.dataset, 'crop', self.animator.crop), self.animator.crop,
                        f'the codes of the animator {source["checkpoint"]}')
        self._sheet_rows: list[Any] = []

    def run(self) -> dict[str, float]:
        """Generate and evaluate.

        Returns:
            dict[str, float]: The metrics.
        """
        predictor = self.build_predictor()
        self._sheet_rows = []
        hook, stage = self.runner.call_hook, self.stage
        hook(f'before_{stage}')
        hook(f'before_{stage}_epoch')
        with progress_bar(len(self.dataloader), self.title, unit='batch', show=is_main_process()) as bar:
            for index, batch in enumerate(self.dataloader):
                hook(f'before_{stage}_iter', batch_idx=index, data_batch=batch)
                predictions = self.predict(predictor, batch)
                self.process(predictions, batch)
                hook(f'after_{stage}_iter', batch_idx=index, data_batch=batch, outputs=predictions)
                bar.update()
        if self._sheet_rows:
            self.write_sheet()
        metrics = self.evaluate(len(self.dataloader.dataset))
        hook(f'after_{stage}_epoch', metrics=metrics)
        hook(f'after_{stage}')
        return metrics

    def build_predictor(self) -> Any:
        """The first argument of :meth:`predict`; built after the runner has loaded the weights."""
        raise NotImplementedError

    def predict(self, predictor: Any, batch: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Generate for a batch: one dict per sample."""
        raise NotImplementedError

    def process(self, predictions: list[dict[str, Any]], batch: Mapping[str, Any]) -> None:
        """Pass predictions to the metrics; subclasses also write files and keep rows for the sheet."""
        self.evaluator.process(data_samples=predictions, data_batch=batch)

    def evaluate(self, size: int) -> dict[str, float]:
        """The metrics of ``size`` samples."""
        return self.evaluator.evaluate(size)

    def write_sheet(self) -> None:
        """Write the contact sheet of the rows that :meth:`process` kept."""
        raise NotImplementedError


def build_evaluator(runner, evaluator: Evaluator | dict | list) -> Evaluator:
    """The evaluator itself, or the one that a config describes."""
    return runner.build_evaluator(evaluator) if isinstance(evaluator, (dict, list)) else evaluator
