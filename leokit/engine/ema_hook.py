"""Exponential moving average (EMA) of the weights.

Differences from MMEngine's hook of the same name: it keeps one tensor per averaged entry instead of a second model,
and updates them in a few fused kernels; modules such as the discriminator can be excluded; and a checkpoint's
``state_dict`` holds the average, so that everything that loads the file uses it. The weights under training are saved
next to it as ``raw_state_dict``.
"""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from leokit.engine.weight_loading import TRAINING_ONLY, in_modules
from leokit.registry import HOOKS
from leokit.utils.modules import unwrap_model


@HOOKS.register_module()
class EMAHook(Hook):
    """Average the weights, validate and test with the average, save it as the model.

    At iteration n (from 0) the decay is ``min(decay, (1 + n) / (10 + n))``: early weights have little influence.

    Args:
        decay (float): Weight of the previous average, in [0, 1).
        exclude (Sequence[str]): Names of modules, at any depth, that are not averaged.
    """

    priority = 'NORMAL'

    def __init__(self, decay: float = 0.999, exclude: Sequence[str] = TRAINING_ONLY):
        if not 0 <= decay < 1:
            raise ValueError(f'decay must be in [0, 1), got {decay}')
        self.decay = decay
        self.exclude = tuple(exclude)
        self._averages: dict[str, Tensor] | None = None
        self._raw: dict[str, Tensor] | None = None  # the weights under training, while the model holds the average
        self._slots: dict[str, tuple[nn.Module, str]] | None = None  # module and attribute of each averaged entry
        self.updated_in_step = False  # set by GraphedTrainStep, whose graph updates the average

    # ---- averaging -----------------------------------------------------------
    def before_train(self, runner) -> None:
        if self._averages is None:  # else they were loaded with the checkpoint
            self._averages = {key: tensor.clone() for key, tensor in self._weights(unwrap_model(runner.model)).items()}

    def decay_at(self, iteration: int) -> float:
        """The decay after ``iteration`` completed iterations."""
        return min(self.decay, (1 + iteration) / (10 + iteration))

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        if runner.optim_wrapper.should_update() and not self.updated_in_step:
            self.update(unwrap_model(runner.model), 1 - self.decay_at(runner.iter))

    @torch.no_grad()
    def update(self, model: nn.Module, weight: float | Tensor, *, skip: Collection[str] = ()) -> None:
        """Move the average towards the weights.

        Args:
            model (nn.Module): The model, without wrappers.
            weight (float | Tensor): Weight of the new values; a tensor without dimensions, on the device, for a CUDA
                graph, which would keep the value of a number.
            skip (Collection[str]): Entries of the average that have been moved.
        """
        weights = {key: tensor for key, tensor in self._weights(model).items() if key not in skip}
        moving = [key for key, tensor in weights.items() if tensor.is_floating_point()]
        averages, values = [self._averages[key] for key in moving], [weights[key] for key in moving]
        if moving and isinstance(weight, Tensor):
            steps = torch._foreach_sub(values, averages)
            torch._foreach_mul_(steps, weight)
            torch._foreach_add_(averages, steps)
        elif moving:
            torch._foreach_lerp_(averages, values, weight)
        for key in weights.keys() - set(moving):
            self._averages[key].copy_(weights[key])

    def averages(self, model: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
        """Each averaged tensor of the model with its average, by the name of the entry."""
        return {key: (tensor, self._averages[key]) for key, tensor in self._weights(model).items()}

    def _weights(self, model: nn.Module) -> dict[str, Tensor]:
        if self._slots is None:  # state_dict() takes milliseconds, too long for every iteration
            self._slots = self._find_slots(model)
        return {key: getattr(module, name).detach() for key, (module, name) in self._slots.items()}

    def _find_slots(self, model: nn.Module) -> dict[str, tuple[nn.Module, str]]:
        # by identity: a model may call a tensor otherwise in its state dict
        owners = {id(tensor): (module, name) for module in model.modules() for name, tensor in (
            *module.named_parameters(recurse=False), *module.named_buffers(recurse=False))}
        return {key: owners[id(tensor)] for key, tensor in model.state_dict(keep_vars=True).items()
                if not in_modules(key, self.exclude)}

    # ---- validating with the average -----------------------------------------
    def before_val_epoch(self, runner) -> None:
        if self._averages is None or self._raw is not None:
            return
        weights = self._weights(unwrap_model(runner.model))
        self._raw = {key: tensor.clone() for key, tensor in weights.items()}
        _copy(weights, self._averages)

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        if self._raw is not None:
            _copy(self._weights(unwrap_model(runner.model)), self._raw)
            self._raw = None

    def after_interrupted_val(self, runner) -> None:
        """Restore the weights under training (called by ``ResumableTrainLoop``)."""
        self.after_val_epoch(runner)

    before_test_epoch = before_val_epoch
    after_test_epoch = after_val_epoch

    # ---- checkpoints ---------------------------------------------------------
    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        if self._averages is None:
            return
        weights = checkpoint['state_dict']
        checkpoint['raw_state_dict'] = {key: weights[key] for key in self._averages}
        checkpoint['state_dict'] = {**weights, **self._averages}

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        if getattr(runner, 'resumed_from', None) is None or 'raw_state_dict' not in checkpoint:
            return
        averaged = checkpoint['state_dict']
        # a checkpoint of an older version may lack an entry that the model has today
        self._averages = {key: averaged.get(key, tensor).to(tensor.device, copy=True)
                          for key, tensor in self._weights(unwrap_model(runner.model)).items()}


@torch.no_grad()
def _copy(targets: dict[str, Tensor], sources: dict[str, Tensor]) -> None:
    for key, target in targets.items():
        target.copy_(sources[key])
