"""Times of the iterations for the log.

MMEngine's hook of the same name copies two histories in every iteration, for numbers that only log lines read, which
takes as long as a twentieth of a step of motion diffusion. Here they are added to the histories before a log line.
"""

import time
from typing import Any

from mmengine.hooks import IterTimerHook as MMEngineIterTimerHook

from leokit.engine.message_hub import HISTORY_LENGTH, extend_history, log_interval
from leokit.registry import HOOKS


@HOOKS.register_module()
class IterTimerHook(MMEngineIterTimerHook):
    """Record ``data_time``, ``time`` and ``eta``, in seconds, as MMEngine's hook does."""

    def __init__(self) -> None:
        super().__init__()
        self._interval = HISTORY_LENGTH
        self._recorded = 0  # iterations of this process
        self._times: list[float] = []  # of whole iterations since the last log line
        self._data_times: list[float] = []  # of loading their data

    def before_train(self, runner) -> None:
        super().before_train(runner)
        self._interval = min(log_interval(runner, default=HISTORY_LENGTH), HISTORY_LENGTH)

    def before_train_iter(self, runner, batch_idx: int, data_batch: Any = None) -> None:
        self._data_times.append(time.time() - self.t)

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        now = time.time()
        self._times.append(now - self.t)
        self.t = now
        if self.every_n_train_iters(runner, self._interval) or self.is_last_train_iter(runner):
            self._record(runner)

    def before_checkpoint(self, runner) -> None:
        """Complete the histories, which the checkpoint holds (called by ``LeoRunner``)."""
        self._record(runner)

    def _record(self, runner) -> None:
        if not self._times:
            return
        hub = runner.message_hub
        extend_history(hub, 'train/data_time', self._data_times)
        extend_history(hub, 'train/time', self._times)
        self.time_sec_tot += sum(self._times)
        self._recorded += len(self._times)
        remaining = runner.max_iters - self.start_iter - self._recorded
        hub.update_info('eta', self.time_sec_tot / self._recorded * remaining)
        self._times, self._data_times = [], []
