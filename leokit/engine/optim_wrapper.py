"""Optimizer wrapper with bfloat16 autocast on any device.

MMEngine's ``AmpOptimWrapper`` refuses the CPU and always scales the loss, which bfloat16, with the exponent range of
float32, does not need. Gradient accumulation is MMEngine's, clipping too, but the gradient norm stays on the device.
"""

from contextlib import contextmanager
from typing import Any, Iterator

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.optim import Optimizer

from leokit.engine.fused_update import FusedUpdate
from leokit.registry import OPTIM_WRAPPERS
from leokit.utils.modules import device_of

DTYPES = dict(bfloat16=torch.bfloat16, float32=None)


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Run the forward pass under autocast.

    Args:
        optimizer (Optimizer): The optimizer.
        dtype (str): ``'bfloat16'``, or ``'float32'`` for no autocast.
        accumulative_counts (int): Iterations per optimizer step.
        clip_grad (dict, optional): ``max_norm`` and other arguments of gradient clipping.

    Attributes:
        log_vars (dict[str, Tensor]): ``grad_norm`` of the last step, when clipping by norm; for the log.
        fused_update (FusedUpdate | None): What clips and steps in place of the optimizer, while a step runs that is
            captured or could be (:class:`~leokit.engine.graphed_step.GraphedTrainStep`).
    """

    def __init__(self, optimizer: Optimizer, dtype: str = 'bfloat16', *, accumulative_counts: int = 1,
                 clip_grad: dict | None = None):
        if dtype not in DTYPES:
            raise ValueError(f'dtype must be one of {", ".join(DTYPES)}, got {dtype!r}')
        super().__init__(optimizer, accumulative_counts, clip_grad)
        self.dtype = DTYPES[dtype]
        self.log_vars: dict[str, Tensor] = {}
        self.fused_update: FusedUpdate | None = None

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        # MMEngine's context skips the gradient exchange between ranks while gradients accumulate
        device = device_of(model).type
        with super().optim_context(model), torch.autocast(device, dtype=self.dtype, enabled=self.dtype is not None):
            yield

    def step(self, **kwargs: Any) -> None:
        if self.fused_update is None or not self.fused_update.is_ready():
            super().step(**kwargs)
            return
        norm = self.fused_update()
        if norm is not None:
            self.log_vars = {self.grad_name: norm}

    def _clip_grad(self) -> None:
        # MMEngine copies the norm to the CPU, which synchronizes with the device at every step
        weights = [weight for group in self.optimizer.param_groups for weight in group['params']
                   if weight.grad is not None]
        norm = self.clip_func(weights, **self.clip_grad_kwargs) if weights else None
        self.log_vars = {} if norm is None else {self.grad_name: norm}
