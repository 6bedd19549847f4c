"""Loss values for the log without device synchronization, and an error for losses that are not finite.

MMEngine's hook copies every loss term of every iteration to the CPU, which synchronizes with the device each time.
Here the values stay on the device until a log line or a checkpoint needs them; then they are copied together, checked
and added to the histories together.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import RuntimeInfoHook
from torch import Tensor

from leokit.engine.message_hub import bound_histories, extend_history, log_interval
from leokit.registry import HOOKS
from leokit.utils import UserError

MAX_NAMES = 8  # samples that an error message lists


class Record(NamedTuple):
    """One iteration.

    Attributes:
        iteration (int): Its number, from 1.
        terms (tuple[str, ...]): Names of the losses and of other values of the step.
        values (Tensor): These K values, shape (K,), on the device.
        rates (dict[str, float]): Learning rates by name.
        batch (Any): The batch, without inputs.
    """

    iteration: int
    terms: tuple[str, ...]
    values: Tensor
    rates: dict[str, float]
    batch: Any


@HOOKS.register_module()
class LossWatchHook(RuntimeInfoHook):
    """Keep the history of the losses, averaged over all processes, and stop at the first loss that is not finite.

    Every iteration is checked, at most ``max_pending`` iterations later and always before a checkpoint is written.

    Args:
        max_pending (int): Iterations whose values may stay on the device.
    """

    priority = 'VERY_HIGH'  # before the logger reads the history

    def __init__(self, max_pending: int = 50):
        self.max_pending = max_pending
        self._log_interval = max_pending
        self._pending: list[Record] = []
        self._rates: dict[str, float] = {}  # of the running iteration

    def before_train(self, runner) -> None:
        super().before_train(runner)
        self._log_interval = log_interval(runner, default=self.max_pending)

    def before_train_iter(self, runner, batch_idx: int, data_batch: Any = None) -> None:
        runner.message_hub.update_info('iter', runner.iter)
        self._rates = {name: float(values[0]) for name, values in runner.optim_wrapper.get_lr().items()}

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        scalars = {**(outputs or {}), **getattr(runner.optim_wrapper, 'log_vars', {})}
        self._pending.append(Record(
            runner.iter + 1, tuple(scalars), _on_device(list(scalars.values())), self._rates,
            {**data_batch, 'inputs': None} if isinstance(data_batch, Mapping) else None))
        if (self.every_n_train_iters(runner, self._log_interval) or self.is_last_train_iter(runner)
                or len(self._pending) >= self.max_pending
                or self.end_of_epoch(runner.train_dataloader, batch_idx)):
            self.flush(runner)

    def before_checkpoint(self, runner) -> None:
        self.flush(runner)  # weights after a non-finite loss must not be saved

    def flush(self, runner) -> None:
        """Move the pending values into the log history; raise UserError if a loss or gradient norm is not finite."""
        if not self._pending:
            return
        records, self._pending = self._pending, []
        values = torch.cat([record.values for record in records])
        own, mean = values.tolist(), _mean_of_processes(values).tolist()
        histories, first = defaultdict(list), 0
        for record in records:
            last = first + len(record.terms)
            _check_finite(record, own[first:last])
            _check_finite(record, mean[first:last], 'of another process')
            for name, number in (*zip(record.terms, mean[first:last]), *record.rates.items()):
                histories[name].append(number)
            first = last
        for name, numbers in histories.items():
            extend_history(runner.message_hub, f'train/{name}', numbers)
        bound_histories(runner.message_hub)  # those of other hooks


def sample_names(batch: Any) -> list[str]:
    """The sample names in a collated batch (``batch['data_samples']['name']``), if it has any."""
    samples = batch.get('data_samples') if isinstance(batch, Mapping) else None
    if isinstance(samples, Mapping):
        return [str(name) for name in samples.get('name', ())]
    if isinstance(samples, (list, tuple)):
        return [str(sample['name']) for sample in samples if isinstance(sample, Mapping) and 'name' in sample]
    return []


def _mean_of_processes(values: Tensor) -> Tensor:
    if get_world_size() == 1:
        return values
    mean = values.clone()
    all_reduce(mean, op='mean')
    return mean


def _on_device(values: list[Tensor | float]) -> Tensor:
    device = next((value.device for value in values if isinstance(value, Tensor)), None)
    # numbers are filled in on the device: a copy would wait for it
    scalars = [value.detach().to(device, torch.float32).reshape(()) if isinstance(value, Tensor) else
               torch.full((), float(value), device=device) for value in values]
    # copies: under CUDA graphs the next iteration overwrites the originals
    return torch.stack(scalars) if scalars else torch.zeros(0)


def _check_finite(record: Record, values: list[float], where: str = '') -> None:
    watched = {term: number for term, number in zip(record.terms, values) if 'loss' in term or term == 'grad_norm'}
    if all(map(math.isfinite, watched.values())):
        return
    shown = ', '.join(f'{term}={number:.4g}' for term, number in watched.items())
    if where:
        raise UserError(f'non-finite loss {where} at iteration {record.iteration}; its own message names the samples')
    names = sample_names(record.batch)
    names = ', '.join(names[:MAX_NAMES]) + (', ...' if len(names) > MAX_NAMES else '')
    raise UserError(f'non-finite loss at iteration {record.iteration}: {shown}; batch [{names}]; look at these '
                    f'samples, or lower the learning rate or add optim_wrapper.clip_grad, and continue from the '
                    f'last checkpoint with --resume')
