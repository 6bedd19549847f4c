"""The training loop: iteration by iteration, and the same from any iteration on.

What MMEngine's loop lacks: resuming goes straight to the next draw of the data set
instead of loading everything that was skipped; the random state of an iteration is a
function of (seed, iteration, rank), so no generator state needs saving; a stop signal
ends the run with a checkpoint.
"""

from contextlib import contextmanager
from typing import Iterator

import numpy as np
import torch
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader

from leokit.engine.preemption import StopRequest, TrainingInterrupted
from leokit.registry import LOOPS
from leokit.utils import UserError
from leokit.utils.modules import device_of, unwrap_model


@LOOPS.register_module()
class ResumableTrainLoop(BaseLoop):
    """Train for a number of iterations.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): The training data; its sampler offers ``start_at(iteration, batch_size)``.
        max_iters (int): Iterations in all, those before a resume included.
        val_interval (int): Iterations between two validations; there is one after the last iteration as well.
        val_begin (int): The first iteration that may be validated.

    Attributes:
        stopped_by (str | None): The signal that ended the training early.

    Raises:
        UserError: If a number is out of range, or the sampler cannot start at an iteration.
    """

    def __init__(self, runner, dataloader: DataLoader | dict, *, max_iters: int, val_interval: int = 1000,
                 val_begin: int = 1):
        for name, value, least in (('max_iters', max_iters, 1), ('val_interval', val_interval, 1),
                                   ('val_begin', val_begin, 0)):
            if not isinstance(value, int) or value < least:
                raise UserError(f'train_cfg.{name}={value!r} must be a whole number from {least} on')
        super().__init__(runner, dataloader)
        if not hasattr(self.dataloader.sampler, 'start_at'):
            raise UserError(f'ResumableTrainLoop cannot resume with {type(self.dataloader.sampler).__name__}; set '
                            f"train_dataloader.sampler=dict(type='DeterministicSampler') in the config")
        self.max_iters = max_iters
        self.max_epochs = 1  # the whole training is one epoch to MMEngine's hooks
        self.val_interval = val_interval
        self.val_begin = val_begin
        self.stop_training = False  # set by MMEngine's EarlyStoppingHook
        self.stopped_by: str | None = None
        self._iter = 0
        self._epoch = 0

    @property
    def iter(self) -> int:
        """Iterations done."""
        return self._iter

    @property
    def epoch(self) -> int:
        """Always 0; asked for by MMEngine's hooks."""
        return self._epoch

    def run(self) -> torch.nn.Module:
        """Train until ``max_iters``, or until a stop signal.

        Returns:
            nn.Module: The model, wrapped as the runner has it.
        """
        self.runner.call_hook('before_train')
        if hasattr(self.runner.val_loop, 'check'):
            self.runner.val_loop.check()  # a validation that cannot work should fail now, not in an hour
        self.runner.call_hook('before_train_epoch')
        self.dataloader.sampler.start_at(self._iter, self.dataloader.batch_size)
        model = self.runner.model
        device = device_of(unwrap_model(model))
        with StopRequest(device) as request:
            try:
                self._run_iterations(request)
            except TrainingInterrupted:
                self.runner.call_hook('after_interrupted_val')
                self._stop(request)
        if self.stopped_by is None:
            self.runner.call_hook('after_train_epoch')
            self.runner.call_hook('after_train')
        return model

    def _run_iterations(self, request: StopRequest) -> None:
        batches = iter(self.dataloader) if self._iter < self.max_iters else None  # starting workers takes a while
        while self._iter < self.max_iters and not self.stop_training:
            self.run_iter(next(batches))
            # half an accumulation of gradients could not be resumed
            if request.all_ranks_agree() and self.runner.optim_wrapper.should_update():
                self._stop(request)
                return
            if self._is_val_iter():
                # the hooks say which iteration is running; a validation comes after it
                self.runner.message_hub.update_info('iter', self._iter)
                with request.interruptible(), uncompiled():
                    self.runner.val_loop.run()

    def run_iter(self, data_batch: dict) -> None:
        """One iteration.

        Args:
            data_batch (dict): A collated batch, ``inputs`` and ``data_samples``.
        """
        runner = self.runner
        runner.model.train()
        runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=data_batch)
        seed_iteration(runner.seed, self._iter, runner.rank)
        outputs = runner.model.train_step(data_batch, optim_wrapper=runner.optim_wrapper)
        runner.call_hook('after_train_iter', batch_idx=self._iter, data_batch=data_batch, outputs=outputs)
        self._iter += 1

    def _is_val_iter(self) -> bool:
        if self.runner.val_loop is None or self._iter < self.val_begin:
            return False
        return self._iter % self.val_interval == 0 or self._iter == self.max_iters

    def _stop(self, request: StopRequest) -> None:
        self.stopped_by = request.received or 'a signal to another rank'
        self.runner.call_hook('before_stop')
        self.runner.logger.info(f'stopped by {self.stopped_by} after iteration {self._iter} of {self.max_iters}; '
                                f'continue with --resume')


def seed_iteration(seed: int, iteration: int, rank: int) -> None:
    """Seed torch, on the CPU and on CUDA devices, for one iteration of one rank.

    Args:
        seed (int): The run's seed.
        iteration (int): Iterations done before this one.
        rank (int): The process's rank.
    """
    state = int(np.random.SeedSequence((seed, iteration, rank)).generate_state(1, np.uint64)[0])
    # torch.manual_seed does both, but where CUDA is idle it takes a millisecond
    torch.default_generator.manual_seed(state)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(state)


@contextmanager
def uncompiled() -> Iterator[None]:
    """Run compiled modules as they were before: every batch size and mode of a validation would be compiled anew.

    Before PyTorch 2.6, which cannot do so, they run compiled.
    """
    if not hasattr(torch.compiler, 'set_stance'):
        yield
        return
    with torch.compiler.set_stance('force_eager'):
        yield
