"""A whole training step as one CUDA graph: forward, backward, clipping, optimizer and average of the weights.

A step of a small network is hundreds of kernels of a few microseconds, which take longer to launch than to run; a
graph launches all of them at once. Random numbers are those of the eager step: the graph takes the seed of the CUDA
generator at each replay.
"""

import logging
from collections.abc import Hashable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Iterator

import torch
from mmengine.hooks import Hook, RuntimeInfoHook
from mmengine.hooks import IterTimerHook as MMEngineIterTimerHook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from leokit.engine.cast_weights import CastWeights
from leokit.engine.ema_hook import EMAHook
from leokit.engine.fused_update import FusedUpdate
from leokit.engine.iter_timer_hook import IterTimerHook
from leokit.engine.loss_ramp_hook import LossRampHook
from leokit.engine.loss_watch_hook import LossWatchHook
from leokit.engine.optim_wrapper import AutocastOptimWrapper
from leokit.utils.modules import device_of

WARMUP = 3  # eager iterations before a capture: libraries select algorithms, the optimizer makes its state
OPTIMIZERS = (torch.optim.Adam, torch.optim.AdamW)
# Change nothing in a step; or, LossRampHook, only weights of losses.
OBSERVERS = (Hook, RuntimeInfoHook, LossWatchHook, MMEngineIterTimerHook, IterTimerHook, LossRampHook)


def graph_obstacle(runner: Any) -> str | None:
    """Why the training step of a runner cannot be one CUDA graph, a clause; None if it can."""
    model, wrapper = runner.model, runner.optim_wrapper
    if runner.distributed:
        return 'several processes train'
    if device_of(model).type != 'cuda':
        return 'the model is not on a CUDA device'
    if not getattr(model, 'supports_cuda_graph', False):
        return f'{type(model).__name__}, as configured, does work on the CPU in every step'
    if type(wrapper) is not AutocastOptimWrapper or getattr(wrapper, '_accumulative_counts', 1) > 1:
        return 'optim_wrapper is not an AutocastOptimWrapper without gradient accumulation'
    if type(wrapper.optimizer) not in OPTIMIZERS:
        return f'the optimizer is {type(wrapper.optimizer).__name__}, not Adam or AdamW'
    if any(scheduler.param_name != 'lr' for scheduler in runner.param_schedulers or ()):
        return 'a parameter scheduler changes something other than the learning rate'
    options = runner.cfg.get('compile')
    if isinstance(options, dict) and options.get('mode') in ('reduce-overhead', 'max-autotune'):
        return f"compile.mode={options['mode']!r} makes graphs of its own"
    acting = [type(hook).__name__ for hook in runner.hooks if acts_before_iterations(hook)]
    return f'{acting[0]} acts before every iteration, perhaps on the model' if acting else None


def acts_before_iterations(hook: Hook) -> bool:
    """Whether a hook may change the work of an iteration other than by the weights of losses."""
    return type(hook).before_train_iter not in [observer.before_train_iter for observer in OBSERVERS]


@dataclass
class _Variant:
    """Steps that do the same work: their graph, once captured, and what it writes."""

    calls: int = 0
    graph: torch.cuda.CUDAGraph | None = None
    outputs: dict[str, Tensor] = field(default_factory=dict)
    log_vars: dict[str, Tensor] = field(default_factory=dict)


class GraphedTrainStep:
    """Replaces ``model.train_step``. The first iterations run eagerly, then the step is captured and replayed.

    There is one graph for every :meth:`~leokit.models.base_model.TrainableModel.step_variant`, such as steps with and
    without a gradient penalty; all of them use the same memory. Batches of other shapes than that of the first capture
    run eagerly. Learning rates, the weights of losses and the weight of the average are tensors that are set before
    every replay. The optimizer's settings, as they are saved, do not change.

    Args:
        model (nn.Module): A :class:`~leokit.models.base_model.TrainableModel`.
        optim_wrapper (OptimWrapper): Its optimizer, Adam or AdamW.
        ema (EMAHook, optional): The average to update within the step.
        fused_update (bool): Clip, step and average with :class:`~leokit.engine.fused_update.FusedUpdate`, and cast
            weights for autocast there.
    """

    def __init__(self, model: nn.Module, optim_wrapper: OptimWrapper, ema: EMAHook | None = None, *,
                 fused_update: bool = False) -> None:
        self._model = model
        self._wrapper = optim_wrapper
        self._ema = ema
        device = device_of(model)
        self._groups = optim_wrapper.optimizer.param_groups
        rates = torch.tensor([float(group['lr']) for group in self._groups], device=device)
        self._rates = rates.unbind()
        self._known_rates = [group['lr'] for group in self._groups]
        self._ema_weight = torch.empty((), device=device)  # set before every step
        self._known_weights = model.loss_weights()
        self._loss_weights = {
            name: torch.full((), float(weight), device=device) for name, weight in self._known_weights.items()}
        # augmentation is hundreds of small kernels, so it is part of the graph if it can be
        transforms = getattr(model.data_preprocessor, 'transforms', ())
        self._augments = len(transforms) > 0 and all(getattr(transform, 'supports_cuda_graph', False)
                                                     for transform in transforms)
        self._enabled = True
        self._stream = torch.cuda.Stream(device) if device.type == 'cuda' else None
        self._pool = torch.cuda.graph_pool_handle() if device.type == 'cuda' else None
        self._variants: dict[Hashable, _Variant] = {}
        self._inputs: dict[str, Tensor] = {}
        if ema is not None:
            ema.updated_in_step = True
        for state in optim_wrapper.optimizer.state.values():  # of a resumed training
            state['step'] = torch.as_tensor(state['step'], dtype=torch.float32).to(device)
        self._casts: CastWeights | None = None
        self._update: FusedUpdate | None = None
        if fused_update:
            self._casts = CastWeights(model, optim_wrapper.dtype) if optim_wrapper.dtype is not None else None
            self._update = FusedUpdate(
                optim_wrapper.optimizer, rates, max_norm=(optim_wrapper.clip_grad_kwargs or {}).get('max_norm'),
                averages=None if ema is None else ema.averages(model), average_weight=self._ema_weight,
                casts=self._casts)

    def __call__(self, data_batch: dict[str, Any], iteration: int) -> dict[str, Tensor]:
        """Train on a collated batch; arguments and result as in the training loop.

        Args:
            data_batch (dict): ``inputs``, a dict of tensors; other keys are not used.
            iteration (int): Completed iterations.

        Returns:
            dict: Losses by name; on CUDA the next call overwrites them.
        """
        was_raw = self._augments
        inputs = self._model.data_preprocessor.cast_data(data_batch['inputs']) if was_raw else \
            self._prepare(data_batch['inputs'])
        self._set_scalars(iteration)
        variant = self._variants.setdefault(self._model.step_variant(), _Variant())
        variant.calls += 1
        if self._enabled and variant.graph is None and variant.calls > WARMUP and (
                not self._inputs or self._fits(inputs)):
            self._try_capture(variant, inputs)
            if was_raw and not self._augments:
                inputs = self._prepare(inputs)
        if variant.graph is None or not self._fits(inputs):
            return self._run_eagerly(inputs)
        for name, held in self._inputs.items():
            held.copy_(inputs[name], non_blocking=True)
        variant.graph.replay()
        self._wrapper.log_vars = variant.log_vars
        return variant.outputs

    def _set_scalars(self, iteration: int) -> None:
        for index, group in enumerate(self._groups):
            if group['lr'] != self._known_rates[index]:
                self._rates[index].fill_(group['lr'])
                self._known_rates[index] = group['lr']
        weights = self._model.loss_weights()
        for name, weight in weights.items():
            if weight != self._known_weights[name]:
                self._loss_weights[name].fill_(weight)
        self._known_weights = weights
        if self._ema is not None:
            self._ema_weight.fill_(1 - self._ema.decay_at(iteration))

    def _fits(self, inputs: dict[str, Tensor]) -> bool:
        return inputs.keys() == self._inputs.keys() and all(
            inputs[name].shape == held.shape and inputs[name].dtype == held.dtype
            for name, held in self._inputs.items())

    def _prepare(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        return self._model.data_preprocessor(dict(inputs=inputs), True)['inputs']

    def _step(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if self._augments:
            inputs = self._prepare(inputs)
        with self._device_settings(), nullcontext() if self._casts is None else self._casts.in_place():
            losses = self._model.optimize(dict(inputs=inputs), self._wrapper)
        if self._ema is not None:
            skip = () if self._update is None else self._update.averaged
            self._ema.update(self._model, self._ema_weight, skip=skip)
        return {name: value.detach() for name, value in losses.items()}

    def _run_eagerly(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if self._stream is None:
            losses = self._step(inputs)
        else:
            # autograd's nodes must not belong to the default stream, which cannot be captured
            current = torch.cuda.current_stream()
            self._stream.wait_stream(current)
            with torch.cuda.stream(self._stream):
                losses = self._step(inputs)
            current.wait_stream(self._stream)
        self._refresh_casts()  # the optimizer may have stepped by itself, and the next step may be a replay
        return losses

    def _refresh_casts(self) -> None:
        if self._casts is not None:
            self._casts.refresh()

    @contextmanager
    def _device_settings(self) -> Iterator[None]:
        """The optimizer with its step counts and learning rates on the device, and the model with its loss weights."""
        saved = [{name: group[name] for name in ('lr', 'fused', 'foreach', 'capturable')} for group in self._groups]
        on_cuda = self._stream is not None
        for group, rate in zip(self._groups, self._rates):
            group.update(lr=rate, fused=on_cuda, foreach=False, capturable=on_cuda)
        self._model.device_weights = self._loss_weights
        self._wrapper.fused_update = self._update
        try:
            yield
        finally:
            self._wrapper.fused_update = None
            self._model.device_weights = None
            for group, settings in zip(self._groups, saved):
                group.update(settings)

    def _try_capture(self, variant: _Variant, inputs: dict[str, Tensor]) -> None:
        """Capture the graph of a variant; a step that cannot be captured stays eager, which is slower.

        Where it is the augmentation that may be in the way, the next iteration captures the step without it. Once there
        is a graph, it has been captured with the augmentation, and goes on taking inputs without it.
        """
        is_first = not self._inputs
        try:
            if is_first:
                self._inputs = {name: tensor.clone() for name, tensor in inputs.items()}
            self._capture(variant)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            what, self._enabled = 'the training step', False
            if is_first:
                self._inputs = {}
                if self._augments:
                    what, self._enabled, self._augments = 'augmentation', True, False
            self._wrapper.zero_grad()
            if self._update is not None:
                self._update.discard()
            print_log(f'{what} is not replayed as a CUDA graph, because the capture failed: '
                      f'{str(error).strip().splitlines()[0]}', logger='current', level=logging.WARNING)

    def _capture(self, variant: _Variant) -> None:
        self._refresh_casts()
        if self._update is not None:
            self._update.reserve()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        # thread_local: other threads, such as the data loader's for pinned memory, may use CUDA meanwhile. The graphs
        # can share memory, as they run one at a time and leave nothing in it but their outputs, which are kept and read
        # before the next replay. What a graph is given from outside must be allocated before the capture.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode='thread_local'):
            variant.outputs = self._step(self._inputs)
        if self._update is not None:
            self._update.complete()
        variant.log_vars = dict(self._wrapper.log_vars)
        variant.graph = graph  # set last: only a complete capture is replayed
