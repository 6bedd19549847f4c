"""Exponential moving average of the weights.

Deviations from MMEngine's hook of the same name: no second model (one tensor per
averaged entry, updated in a few fused kernels), parts such as the discriminator can
be left out, and the checkpoint's ``state_dict`` holds the average, so whoever loads
the file gets it, with the weights under training beside it as ``raw_state_dict``.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from leokit.engine.weight_loading import TRAINING_ONLY, in_modules
from leokit.registry import HOOKS
from leokit.utils.modules import unwrap_model


@HOOKS.register_module()
class EMAHook(Hook):
    """Average the weights, validate with the average, save it as the model.

    At iteration n (from 0) the decay is ``min(decay, (1 + n) / (10 + n))``, so that the
    start of the training is soon forgotten.

    Args:
        decay (float): Weight of the past, in [0, 1).
        exclude (Sequence[str]): Names of modules, at any depth, that are not averaged.
    """

    priority = 'NORMAL'

    def __init__(self, decay: float = 0.999, exclude: Sequence[str] = TRAINING_ONLY):
        if not 0 <= decay < 1:
            raise ValueError(f'decay must be in [0, 1), got {decay}')
        self.decay = decay
        self.exclude = tuple(exclude)
        self._averages: dict[str, Tensor] | None = None
        self._raw: dict[str, Tensor] | None = None  # the weights under training, while the average is in the model
        self._slots: dict[str, tuple[nn.Module, str]] | None = None  # where the model keeps each averaged entry

    # ---- averaging -----------------------------------------------------------
    def before_train(self, runner) -> None:
        """Start from the weights as they are, unless a resumed checkpoint brought averages."""
        if self._averages is None:
            self._averages = {key: tensor.clone() for key, tensor in self._weights(runner).items()}

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        """Move the averages towards the weights, once per optimizer step."""
        if runner.optim_wrapper.should_update():
            self._update(self._weights(runner), min(self.decay, (1 + runner.iter) / (10 + runner.iter)))

    @torch.no_grad()
    def _update(self, weights: dict[str, Tensor], decay: float) -> None:
        moving = [key for key, tensor in weights.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([self._averages[key] for key in moving], [weights[key] for key in moving], 1 - decay)
        for key in weights.keys() - set(moving):
            self._averages[key].copy_(weights[key])

    def _weights(self, runner) -> dict[str, Tensor]:
        if self._slots is None:  # asking for the whole state dict costs milliseconds, too much for every iteration
            model = unwrap_model(runner.model)
            keys = (key for key in model.state_dict() if not in_modules(key, self.exclude))
            paths = ((key, *key.rpartition('.')[::2]) for key in keys)
            self._slots = {key: (model.get_submodule(module), name) for key, module, name in paths}
        return {key: getattr(module, name).detach() for key, (module, name) in self._slots.items()}

    # ---- validating with the average -----------------------------------------
    def before_val_epoch(self, runner) -> None:
        """Put the averages into the model."""
        if self._averages is None or self._raw is not None:
            return
        weights = self._weights(runner)
        self._raw = {key: tensor.clone() for key, tensor in weights.items()}
        _copy(weights, self._averages)

    def after_val_epoch(self, runner, metrics: dict[str, float] | None = None) -> None:
        """Put the weights under training back."""
        if self._raw is not None:
            _copy(self._weights(runner), self._raw)
            self._raw = None

    def after_interrupted_val(self, runner) -> None:
        """Put the weights under training back when a validation was broken off."""
        self.after_val_epoch(runner)

    before_test_epoch = before_val_epoch
    after_test_epoch = after_val_epoch

    # ---- checkpoints ---------------------------------------------------------
    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Save the averages as the model, the weights under training beside them."""
        if self._averages is None:
            return
        weights = checkpoint['state_dict']
        checkpoint['raw_state_dict'] = {key: weights[key] for key in self._averages}
        checkpoint['state_dict'] = {**weights, **self._averages}

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Take over the averages of a checkpoint that training resumes from."""
        if getattr(runner, 'resumed_from', None) is None or 'raw_state_dict' not in checkpoint:
            return
        averaged = checkpoint['state_dict']
        self._averages = {key: averaged[key].to(tensor.device, copy=True)
                          for key, tensor in self._weights(runner).items() if key in averaged}


@torch.no_grad()
def _copy(targets: dict[str, Tensor], sources: dict[str, Tensor]) -> None:
    for key, target in targets.items():
        target.copy_(sources[key])
