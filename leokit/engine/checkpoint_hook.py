"""Checkpoints at intervals, at the best validation, and when a signal ends the training.

Unlike MMEngine's hook, this one deletes an old checkpoint only after the new one is complete, records the newest one
last and atomically, and never touches checkpoints of other trainings. A disk that is full for a while costs neither the
training nor a checkpoint interval: a checkpoint that cannot be written is tried again soon.
"""

import json
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook

from leokit.engine.checkpoint_files import checkpoint_name, checkpoints_by_iteration, write_last_checkpoint
from leokit.registry import HOOKS
from leokit.utils import UserError
from leokit.utils.checkpoints import CheckpointWriteError
from leokit.utils.files import part_path, remove, write_bytes

BEST_RECORD = 'best_checkpoint.json'
RETRIES_PER_INTERVAL = 10  # of a checkpoint that could not be written
LAST_ATTEMPTS = 5  # for the last checkpoint of a process, which cannot be written later
SECONDS_BETWEEN_ATTEMPTS = 5.0


@HOOKS.register_module()
class AtomicCheckpointHook(Hook):
    """Save checkpoints ``iter_<number>.pth`` to the work dir.

    Args:
        interval (int): Iterations between checkpoints; a multiple of the optimizer wrapper's
            ``accumulative_counts``, because a partial accumulation cannot be resumed.
        max_keep_ckpts (int): Number of checkpoints kept; 0 keeps all.
        save_best (str, optional): A validation metric; the weights with its best value are kept as
            ``best_<metric>_iter_<number>.pth``.
        rule (str): Which value of the metric is better: ``'less'`` or ``'greater'``.
        save_last (bool): Also save after the last iteration.
    """

    priority = 'VERY_LOW'  # after everything that an iteration changes

    def __init__(self, interval: int = 1000, max_keep_ckpts: int = 2, *, save_best: str | None = None,
                 rule: str = 'less', save_last: bool = True):
        if rule not in ('less', 'greater'):
            raise ValueError(f"rule must be 'less' or 'greater', got {rule!r}")
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        if not isinstance(max_keep_ckpts, int):
            raise ValueError(f'max_keep_ckpts must be an integer, 0 to keep all, got {max_keep_ckpts!r}')
        self.interval = interval
        self.max_keep_ckpts = max_keep_ckpts
        self.save_best = save_best
        self.rule = rule
        self.save_last = save_last
        self._kept: deque[Path] = deque()  # this training's own files, oldest first
        self._saved_iter: int | None = None
        self._retry_iter: int | None = None  # when to try again what could not be written
        self._best: dict[str, Any] | None = None

    def before_train(self, runner) -> None:
        counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        if self.interval % counts:
            raise UserError(f'default_hooks.checkpoint.interval={self.interval} is no multiple of '
                            f'optim_wrapper.accumulative_counts={counts}; a partial accumulation cannot be resumed')
        work_dir = Path(runner.work_dir)
        if is_main_process():
            # files that a killed run left incomplete
            for leftover in work_dir.glob(part_path('*.pth').name):
                remove(leftover)
        resumed_from = getattr(runner, 'resumed_from', None)
        if resumed_from is None or resumed_from.parent.resolve() != work_dir.resolve():
            return
        # a resumed training manages the checkpoints of the one it continues
        self._kept = deque(path for number, path in sorted(checkpoints_by_iteration(work_dir).items())
                           if number <= runner.iter)
        record = work_dir / BEST_RECORD
        if record.is_file():
            self._best = _read_best(record, self.save_best, runner.logger)

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        last = self.save_last and self.is_last_train_iter(runner)
        if last or self.every_n_train_iters(runner, self.interval) or runner.iter + 1 == self._retry_iter:
            self._save(runner, runner.iter + 1, last=last)

    def before_stop(self, runner) -> None:
        """Save before a signal ends the process (called by ``ResumableTrainLoop``)."""
        if runner.iter > 0:
            self._save(runner, runner.iter, last=True)

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        if self.save_best is None or runner.iter == 0:
            return
        if self.save_best not in (metrics or {}):
            raise UserError(f'default_hooks.checkpoint.save_best={self.save_best!r} is none of the validation '
                            f'metrics: {", ".join(metrics or ()) or "there are none"}')
        value = float(metrics[self.save_best])
        if not math.isfinite(value) or not self._is_better(value):
            return
        name = f'best_{self.save_best.replace("/", "_")}_{checkpoint_name(runner.iter)}'
        best = dict(metric=self.save_best, value=value, file=name)

        def write() -> None:
            self._write(runner, name, runner.iter, weights_only=True)
            if is_main_process():
                write_bytes(Path(runner.work_dir) / BEST_RECORD, json.dumps(best).encode())
                if self._best and self._best['file'] != name:
                    remove(Path(runner.work_dir) / self._best['file'])

        problem = _attempt(write)
        if problem is not None:
            runner.logger.warning(f'{problem}; the best weights so far were not kept')
            return
        self._best = best
        runner.logger.info(f'best {self.save_best} so far: {value:.6g}, saved as {name}')

    def _is_better(self, value: float) -> bool:
        if self._best is None:
            return True
        return value < self._best['value'] if self.rule == 'less' else value > self._best['value']

    def _save(self, runner, iteration: int, *, last: bool) -> None:
        if iteration == self._saved_iter:
            return
        path = Path(runner.work_dir) / checkpoint_name(iteration)

        def write() -> None:
            self._write(runner, path.name, iteration)
            if is_main_process():
                write_last_checkpoint(path)

        for attempt in range(LAST_ATTEMPTS if last else 1):
            if attempt:
                time.sleep(SECONDS_BETWEEN_ATTEMPTS)
            problem = _attempt(write)
            if problem is None:
                break
        else:
            if last:
                raise UserError(problem)
            self._retry_iter = iteration + self._retry_interval(runner)
            runner.logger.warning(f'{problem}; the training continues, and tries again at iteration {self._retry_iter}')
            return
        self._saved_iter, self._retry_iter = iteration, None
        if path not in self._kept:
            self._kept.append(path)
        outdated = [self._kept.popleft() for _ in range(len(self._kept) - self.max_keep_ckpts)
                    ] if self.max_keep_ckpts > 0 else []
        if is_main_process():
            for old in outdated:
                remove(old)
        runner.logger.info(f'saved {path}')

    def _retry_interval(self, runner) -> int:
        """Iterations to the next attempt, a multiple of the accumulated ones."""
        counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        return max(1, self.interval // RETRIES_PER_INTERVAL // counts) * counts

    @staticmethod
    def _write(runner, name: str, iteration: int, weights_only: bool = False) -> None:
        runner.save_checkpoint(runner.work_dir, name, save_optimizer=not weights_only,
                               save_param_scheduler=not weights_only, meta=dict(iter=iteration, epoch=0))


def _attempt(write: Callable[[], None]) -> str | None:
    """Write on rank 0; what the disk says against it, the same on all ranks, or None."""
    problem: list[str | None] = [None]
    try:
        write()
    except CheckpointWriteError as error:
        problem = [str(error)]
    except OSError as error:
        problem = [f'{error.filename or "a checkpoint"} cannot be written ({error.strerror})']
    broadcast_object_list(problem)
    return problem[0]


def _read_best(record: Path, metric: str | None, logger: logging.Logger) -> dict[str, Any] | None:
    """The best value of the metric so far; None if the record is of another metric or damaged."""
    try:
        best = json.loads(record.read_text())
        known = dict(metric=str(best['metric']), value=float(best['value']), file=Path(str(best['file'])).name)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        logger.warning(f'{record} is damaged ({error}); the best validation before this point is not known')
        return None
    return known if known['metric'] == metric else None
