"""Clipping, Adam and the average of the weights as two kernels, for a training step that is one CUDA graph.

PyTorch reads and writes every tensor several times for these: the norm, clipping, the optimizer, and three passes for
the average, each in as many kernels as the number of tensors makes necessary. Here one kernel computes the norm and one
does the rest. The tensors stay what they are: the state of the optimizer is torch's, and is saved and loaded as such.
"""

import math
from collections.abc import Collection, Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor
from torch.optim import Optimizer

from leokit.engine.cast_weights import CastWeights
from leokit.utils.triton import triton_obstacle

# of a parameter group, with the values that the kernels know
FIXED = dict(amsgrad=False, maximize=False, differentiable=False)
GRAD_TYPES = (torch.float32, torch.bfloat16)


def update_obstacle(wrapper: OptimWrapper) -> str | None:
    """Why :class:`FusedUpdate` cannot replace the step of Adam or AdamW, a clause; None if it can."""
    if obstacle := triton_obstacle():
        return obstacle
    clipping = wrapper.clip_grad_kwargs or {}
    if clipping and (wrapper.clip_func is not torch.nn.utils.clip_grad_norm_ or clipping.get('norm_type', 2) != 2
                     or clipping.get('error_if_nonfinite')):
        return 'optim_wrapper.clip_grad is not by the Euclidean norm alone'
    for group in wrapper.optimizer.param_groups:
        for name, value in FIXED.items():
            if group.get(name, value) != value:
                return f'the optimizer has {name}={group[name]}'
        if any(isinstance(beta, Tensor) for beta in group['betas']):
            return 'the betas of the optimizer are tensors'
        if not all(weight.dtype == torch.float32 and _is_dense(weight) for weight in group['params']):
            return 'some weights are not float32, or views of other tensors'
    return None


class FusedUpdate:
    """The step of Adam or AdamW with clipping before it and the average of the weights after it.

    Agrees with ``clip_grad_norm_``, ``torch.optim`` and :class:`~leokit.engine.ema_hook.EMAHook` up to rounding;
    parameters without a gradient keep their state and are averaged. The optimizer makes its state in its own first
    step: until then, :meth:`is_ready` is false.

    Args:
        optimizer (Optimizer): Adam or AdamW, without an :func:`update_obstacle`; step counts are on the device.
        rates (Tensor): Learning rate of each parameter group, read in every step, float32, shape (G,).
        max_norm (float, optional): Clip the norm of all gradients to this.
        averages (Mapping[str, tuple[Tensor, Tensor]], optional): Tensors of the model, parameters or not, each with its
            average. Those of another type than float32 are left to the caller.
        average_weight (Tensor, optional): Weight of the new values, read in every step, float32, a scalar.
        casts (CastWeights, optional): Copies of weights, which get the gradients in their place and are kept up to
            date.

    Attributes:
        averaged (Collection[str]): The entries of ``averages`` that the last step has moved.
    """

    def __init__(self, optimizer: Optimizer, rates: Tensor, *, max_norm: float | None = None,
                 averages: Mapping[str, tuple[Tensor, Tensor]] | None = None, average_weight: Tensor | None = None,
                 casts: CastWeights | None = None) -> None:
        self.averaged: Collection[str] = ()
        self._optimizer = optimizer
        self._rates = rates
        self._max_norm = max_norm
        self._average_weight = torch.zeros((), device=rates.device) if average_weight is None else average_weight
        self._casts = casts
        self._averages: dict[str, tuple[Tensor, Tensor]] = {}
        self._average_of: dict[int, Tensor] = {}  # by the address of the averaged tensor
        for name, (value, average) in (averages or {}).items():
            # of a tensor with two names, the second is left to the caller
            if _are_averaged(value, average) and value.data_ptr() not in self._average_of:
                self._averages[name] = value, average
                self._average_of[value.data_ptr()] = average
        settings = [_settings(optimizer, group) for group in optimizer.param_groups]
        self._settings = torch.tensor(settings, dtype=torch.float64, device=rates.device)
        self._reserved: _Table | None = None
        self._captured: list[_Table] = []

    def is_ready(self) -> bool:
        """Whether all parameters with gradients have a state; if not, they get the gradients of their copies."""
        self.averaged = ()
        gradients = [(weight, grad) for group in self._optimizer.param_groups for weight in group['params']
                     if (grad := self._gradient(weight)) is not None]
        if gradients and all('exp_avg' in self._optimizer.state.get(weight, ()) for weight, _ in gradients):
            return True
        for weight, grad in gradients:
            weight.grad = grad.to(weight.dtype)
        self._forget_gradients()
        return False

    @torch.no_grad()
    def __call__(self) -> Tensor | None:
        """Step; the gradients of copies are forgotten, those of parameters are left to ``zero_grad``.

        In a CUDA graph, :meth:`reserve` must be called before the capture, and :meth:`complete` between the capture and
        the first replay.

        Returns:
            Tensor: Norm of the gradients before clipping, a scalar; None without clipping.

        Raises:
            RuntimeError: A capture without :meth:`reserve`.
        """
        from leokit.engine.update_kernels import update
        table = self._reserved
        if table is None:
            if self._rates.is_cuda and torch.cuda.is_current_stream_capturing():
                raise RuntimeError('FusedUpdate.reserve() must be called before the capture of a CUDA graph')
            self._match_layouts()
            table = self._new_table()
        rows = self._rows()  # with tensors that must not be freed before the kernels are launched
        table.describe(rows)
        if self._reserved is None:  # a capture cannot copy from the CPU, but the addresses are those of all replays
            table.fill()
        norm = update(table.rows, table.norm_chunks, table.update_chunks, self._rates, self._settings,
                      self._average_weight, self._max_norm, aligned=table.is_aligned)
        self.averaged = self._averages.keys()
        self._forget_gradients()
        return norm

    @torch.no_grad()
    def reserve(self) -> None:
        """Prepare the step for a capture: what the graph is told must not lie in memory that the graph allocates.

        Memory that is allocated within a capture belongs to the graph, and other kernels of it may use the same memory
        in every replay. What is written there from outside is lost before the update reads it.
        """
        self._match_layouts()
        self._reserved = self._new_table()

    def complete(self) -> None:
        """Tell the kernels of a captured step where its tensors are; graphs need this object."""
        if self._reserved is not None and self._reserved.is_described:
            self._reserved.fill()
            self._captured.append(self._reserved)
        self._reserved = None

    def discard(self) -> None:
        """Forget a capture that failed."""
        self._reserved = None
        self._forget_gradients()

    def _new_table(self) -> '_Table':
        updated = [weight.numel() for group in self._optimizer.param_groups for weight in group['params']]
        return _Table(updated, [value.numel() for value, _ in self._averages.values()], self._rates.device)

    def _match_layouts(self) -> None:
        """Bring moments from a checkpoint of another memory layout into that of the weights."""
        for weight, state in self._optimizer.state.items():
            for name in ('exp_avg', 'exp_avg_sq'):
                if name in state and not _are_alike(weight, state[name]):
                    state[name] = torch.empty_like(weight).copy_(state[name])

    def _gradient(self, weight: Tensor) -> Tensor | None:
        """The gradient of a weight, or of its copy; a weight may be used both ways."""
        copy = self._casts.copy_of(weight) if self._casts is not None else None
        if copy is None or copy.grad is None:
            return weight.grad
        return copy.grad if weight.grad is None else weight.grad + copy.grad

    def _forget_gradients(self) -> None:
        if self._casts is not None:
            self._casts.forget_gradients()

    def _rows(self) -> list[dict[str, Any]]:
        """The columns of each tensor that changes, by name."""
        rows: list[dict[str, Any]] = []
        done = set()
        for index, group in enumerate(self._optimizer.param_groups):
            for weight in group['params']:
                grad = self._gradient(weight)
                if grad is None or not weight.numel():
                    continue
                state = self._optimizer.state[weight]
                rows.append(dict(
                    weight=weight, grad=_prepared(grad, weight), exp_avg=state['exp_avg'],
                    exp_avg_sq=state['exp_avg_sq'], step=state['step'], average=self._average_of.get(weight.data_ptr()),
                    cast=self._casts.copy_of(weight) if self._casts is not None else None, group=index))
                done.add(weight.data_ptr())
        rows += [dict(weight=value, average=average) for value, average in self._averages.values()
                 if value.data_ptr() not in done]
        return rows


class _Table:
    """What the kernels are told about the tensors, on the device from :meth:`fill` on.

    Args:
        updated (list[int]): Numbers of elements of all tensors that may have gradients.
        averaged (list[int]): Those of all tensors with averages; a tensor may be in both lists.
        device (torch.device): The device.
    """

    def __init__(self, updated: list[int], averaged: list[int], device: torch.device) -> None:
        from leokit.engine.update_kernels import COLUMNS, NORM_CHUNK, UPDATE_CHUNK

        def empty(length: int, width: int, dtype: torch.dtype) -> Tensor:
            return torch.empty((length, width), dtype=dtype, device=device)

        self.is_described = False
        self._memory = (empty(len(updated) + len(averaged), len(COLUMNS), torch.int64),
                        empty(sum(_num_chunks(numel, NORM_CHUNK) for numel in updated), 2, torch.int32),
                        empty(sum(_num_chunks(numel, UPDATE_CHUNK) for numel in updated + averaged), 2, torch.int32))

    def describe(self, rows: list[dict[str, Any]]) -> None:
        """Take the addresses of these tensors; allocates nothing on the device."""
        from leokit.engine.update_kernels import ALIGNMENT, COLUMNS, NORM_CHUNK, UPDATE_CHUNK
        tensors = [{name: value for name, value in row.items() if isinstance(value, Tensor)} for row in rows]
        table = [[row[name].data_ptr() if name in row else 0 for name in COLUMNS[:7]] for row in tensors]
        for values, row, given in zip(table, tensors, rows):
            is_short = 'grad' in row and row['grad'].dtype == torch.bfloat16
            values += [row['weight'].numel(), given.get('group', 0), int(is_short)]
        self.is_aligned = not any(tensor.data_ptr() % ALIGNMENT.value for row in tensors
                                  for name, tensor in row.items() if name != 'step')
        self._values = (torch.tensor(table, dtype=torch.int64), _chunks(tensors, NORM_CHUNK, only_with='grad'),
                        _chunks(tensors, UPDATE_CHUNK))
        self.rows, self.norm_chunks, self.update_chunks = (
            memory[:len(values)] for memory, values in zip(self._memory, self._values))
        self.is_described = True

    def fill(self) -> None:
        """Copy the table to the device."""
        for target, values in zip((self.rows, self.norm_chunks, self.update_chunks), self._values):
            target.copy_(values)


def _num_chunks(numel: int, size: int) -> int:
    return -(-numel // size)


def _chunks(rows: list[dict[str, Tensor]], size: int, *, only_with: str = 'weight') -> Tensor:
    chunks = [(index, part) for index, row in enumerate(rows) if only_with in row
              for part in range(_num_chunks(row['weight'].numel(), size))]
    return torch.tensor(chunks, dtype=torch.int32)


def _settings(optimizer: Optimizer, group: dict[str, Any]) -> list[float]:
    from leokit.engine.update_kernels import SETTINGS
    is_decoupled = isinstance(optimizer, torch.optim.AdamW) or group.get('decoupled_weight_decay', False)
    logarithms = [math.log(beta) if beta else -math.inf for beta in group['betas']]
    decay = group['weight_decay']
    values = dict(log_beta1=logarithms[0], log_beta2=logarithms[1], share1=1 - group['betas'][0],
                  share2=1 - group['betas'][1], eps=group['eps'], inner_decay=0.0 if is_decoupled else decay,
                  outer_decay=decay if is_decoupled else 0.0)
    return [values[name] for name in SETTINGS]


def _prepared(grad: Tensor, weight: Tensor) -> Tensor:
    """The gradient as the kernels read it: in the layout of the weight, which a copy also aligns."""
    from leokit.engine.update_kernels import ALIGNMENT
    dtype = grad.dtype if grad.dtype in GRAD_TYPES else torch.float32
    if dtype == grad.dtype and _are_alike(weight, grad) and grad.data_ptr() % ALIGNMENT.value == 0:
        return grad
    return torch.empty_like(weight, dtype=dtype).copy_(grad)


def _are_averaged(value: Tensor, average: Tensor) -> bool:
    """Whether the kernels can move an average."""
    return value.dtype == average.dtype == torch.float32 and value.numel() > 0 and _is_dense(value) \
        and _are_alike(value, average)


def _is_dense(tensor: Tensor) -> bool:
    """Whether the elements fill a block of memory, in the usual layout or channels last."""
    return tensor.is_contiguous() or tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last)


def _are_alike(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have their elements in the same order; strides of single elements mean nothing."""
    return one.shape == other.shape and all(
        length == 1 or one.stride(axis) == other.stride(axis) for axis, length in enumerate(one.shape))
