"""The training loop, which resumes exactly at any iteration.

Differences from MMEngine's loop: a resumed training starts its data loader at the next sample instead of loading
everything up to it; the random state of an iteration is a function of (seed, iteration), so no generator state has
to be saved; a stop signal ends the run with a checkpoint.
"""

from contextlib import contextmanager
from typing import Iterator

import numpy as np
import torch
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader

from leokit.datasets.resident_batches import resident_batches
from leokit.engine.ema_hook import EMAHook
from leokit.engine.fused_update import update_obstacle
from leokit.engine.graphed_step import GraphedTrainStep, graph_obstacle
from leokit.engine.preemption import StopRequest, TrainingInterrupted
from leokit.registry import LOOPS
from leokit.utils import UserError
from leokit.utils.batch_random import batch_share
from leokit.utils.modules import device_of, unwrap_model


@LOOPS.register_module()
class ResumableTrainLoop(BaseLoop):
    """Train for a number of iterations.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): The training data; its sampler has ``start_at(iteration, batch_size)``.
        max_iters (int): Total iterations, including those before a resume.
        val_interval (int): Iterations between validations; there is one after the last iteration as well.
        val_begin (int): The first iteration that may be validated.
        cuda_graph (bool, optional): Replay the whole step, with optimizer and average of the weights, as one CUDA graph
            (:class:`~leokit.engine.graphed_step.GraphedTrainStep`). None does so where it is possible, except for
            animators; True raises a :class:`UserError` where it is not.
        fused_update (bool, optional): Within the graph, clip, step, average and cast the weights in two kernels
            (:class:`~leokit.engine.fused_update.FusedUpdate`). None does so where it is possible; True raises a
            :class:`UserError` where it is not; False leaves it to PyTorch. Trainings resume with either.

    Motion codes stay on the device of the model, where there is room, and the data loader is not used
    (:class:`~leokit.datasets.resident_batches.ResidentBatches`); the batches are the same.

    Attributes:
        stopped_by (str | None): The signal that ended the training early.
    """

    def __init__(self, runner, dataloader: DataLoader | dict, *, max_iters: int, val_interval: int = 1000,
                 val_begin: int = 1, cuda_graph: bool | None = None, fused_update: bool | None = None):
        for name, value, least in (('max_iters', max_iters, 1), ('val_interval', val_interval, 1),
                                   ('val_begin', val_begin, 0)):
            if not isinstance(value, int) or value < least:
                raise UserError(f'train_cfg.{name}={value!r} must be an integer of at least {least}')
        super().__init__(runner, dataloader)
        if not hasattr(self.dataloader.sampler, 'start_at'):
            raise UserError(f'ResumableTrainLoop cannot resume with {type(self.dataloader.sampler).__name__}; set '
                            f"train_dataloader.sampler=dict(type='DeterministicSampler') in the config")
        self.max_iters = max_iters
        self.max_epochs = 1  # MMEngine's hooks see the whole training as one epoch
        self.val_interval = val_interval
        self.val_begin = val_begin
        for name, value in (('cuda_graph', cuda_graph), ('fused_update', fused_update)):
            if value not in (True, False, None):
                raise UserError(f'train_cfg.{name}={value!r} must be True, False, or None for "where possible"')
        self._cuda_graph = cuda_graph
        self._fused_update = fused_update
        self._graphed_step: GraphedTrainStep | None = None
        self.stop_training = False  # set by MMEngine's EarlyStoppingHook
        self.stopped_by: str | None = None
        self._iter = 0
        self._epoch = 0

    @property
    def iter(self) -> int:
        """Completed iterations."""
        return self._iter

    @property
    def epoch(self) -> int:
        """Always 0; MMEngine's hooks read it."""
        return self._epoch

    def run(self) -> torch.nn.Module:
        """Train until ``max_iters`` or a stop signal; returns the runner's model."""
        self.runner.call_hook('before_train')
        if hasattr(self.runner.val_loop, 'check'):
            self.runner.val_loop.check()  # fail before the training, not at the first validation
        self.runner.call_hook('before_train_epoch')
        self.dataloader.sampler.start_at(self._iter, self.dataloader.batch_size)
        model = self.runner.model
        captures = self.captures_step()
        fuses = self.fuses_update(captures)
        if captures:
            ema = next((hook for hook in self.runner.hooks if isinstance(hook, EMAHook)), None)
            self._graphed_step = GraphedTrainStep(model, self.runner.optim_wrapper, ema, fused_update=fuses)
        with StopRequest(device_of(unwrap_model(model))) as request:
            try:
                self._run_iterations(request)
            except TrainingInterrupted:
                self.runner.call_hook('after_interrupted_val')
                self._stop(request)
        if self.stopped_by is None:
            self.runner.call_hook('after_train_epoch')
            self.runner.call_hook('after_train')
        return model

    def captures_step(self) -> bool:
        """Whether the training step is one CUDA graph; a :class:`UserError` if it must be and cannot."""
        by_default = getattr(unwrap_model(self.runner.model), 'cuda_graph_by_default', True)
        if self._cuda_graph is False or self._cuda_graph is None and not by_default:
            return False
        obstacle = graph_obstacle(self.runner)
        if obstacle and self._cuda_graph:
            raise UserError(f'train_cfg.cuda_graph=True does not work, because {obstacle}; set it to None')
        return obstacle is None

    def fuses_update(self, captures: bool) -> bool:
        """Whether the update is two kernels in the graph of a step; a :class:`UserError` if it must be and cannot."""
        if not (captures if self._fused_update is None else self._fused_update):
            return False
        obstacle = update_obstacle(self.runner.optim_wrapper) if captures else \
            f'the training step is not a CUDA graph: {graph_obstacle(self.runner) or self._graph_choice()}'
        if obstacle and self._fused_update:
            raise UserError(f'train_cfg.fused_update=True does not work, because {obstacle}; set it to None')
        return obstacle is None

    def _graph_choice(self) -> str:
        """Why a step that could be a CUDA graph is none, a clause."""
        if self._cuda_graph is False:
            return 'train_cfg.cuda_graph is False'
        return f'for a {type(unwrap_model(self.runner.model)).__name__} it is one with train_cfg.cuda_graph=True only'

    def _run_iterations(self, request: StopRequest) -> None:
        if self._iter >= self.max_iters:  # resumed; its last validation may have been interrupted
            self._validate(request)
            return
        batches = resident_batches(self.dataloader, device_of(unwrap_model(self.runner.model))) or iter(self.dataloader)
        while self._iter < self.max_iters and not self.stop_training:
            self.run_iter(next(batches))
            # a partial accumulation of gradients could not be resumed
            if request.all_ranks_agree() and self.runner.optim_wrapper.should_update() \
                    and self._iter < self.max_iters:  # after the last iteration there is nothing left to stop
                self._stop(request)
                return
            self._validate(request)

    def _validate(self, request: StopRequest) -> None:
        """Validate if it is due."""
        if self._is_val_iter():
            # hooks set the number of the running iteration; validation counts the completed ones
            self.runner.message_hub.update_info('iter', self._iter)
            with request.interruptible(after=self._iter == self.max_iters), uncompiled():
                self.runner.val_loop.run()

    def run_iter(self, data_batch: dict) -> None:
        """Train on one collated batch (``inputs``, ``data_samples``)."""
        runner = self.runner
        if self._graphed_step is None or not runner.model.training:
            runner.model.train()
        runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=data_batch)
        seed_iteration(runner.seed, self._iter)
        if self._graphed_step is not None:
            outputs = self._graphed_step(data_batch, self._iter)
        else:
            with batch_share(runner.rank, runner.world_size):
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


def seed_iteration(seed: int, iteration: int) -> None:
    """Seed torch, on the CPU and on CUDA devices, for one iteration; all ranks alike."""
    state = int(np.random.SeedSequence((seed, iteration)).generate_state(1, np.uint64)[0])
    # torch.manual_seed does both, but takes a millisecond where CUDA is not initialized
    torch.default_generator.manual_seed(state)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(state)


@contextmanager
def uncompiled() -> Iterator[None]:
    """Run compiled modules eagerly, because each new batch size and mode of a validation would trigger a compilation.

    Before PyTorch 2.6 this is not possible and they run compiled.
    """
    if not hasattr(torch.compiler, 'set_stance'):
        yield
        return
    with torch.compiler.set_stance('force_eager'):
        yield
