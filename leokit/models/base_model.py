"""What MMEngine's Runner calls of a model: :class:`TrainableModel`, in place of ``mmengine.model.BaseModel``.

Importing ``mmengine.model`` imports every optimizer library that is installed, such as transformers, which takes many
seconds; a program that only uses trained models does not need them.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from leokit.registry import MODELS
from leokit.utils.modules import device_of


class TrainableModel(nn.Module):
    """Training, validation and test steps around ``forward(inputs, data_samples, mode)``.

    A training step can be replayed as a CUDA graph (:mod:`leokit.engine.graphed_step`) if :attr:`supports_cuda_graph`
    is true: it then reads nothing from the device, and does what :meth:`step_variant` says with the weights of
    :meth:`loss_weights`.

    Attributes:
        supports_cuda_graph (bool): A training step can be captured.
        cuda_graph_by_default (bool): It is, unless ``train_cfg.cuda_graph`` says otherwise.
        device_weights (dict[str, Tensor] | None): Weights of the losses as tensors, by name, while a step runs that is
            captured or could be; None otherwise.

    Args:
        data_preprocessor (dict | nn.Module, optional): Config in MODELS, or a module. Default: batches are moved to the
            model's device.
    """

    supports_cuda_graph: bool = False
    cuda_graph_by_default: bool = True
    device_weights: dict[str, Tensor] | None = None

    def __init__(self, data_preprocessor: dict[str, Any] | nn.Module | None = None) -> None:
        super().__init__()
        if not isinstance(data_preprocessor, nn.Module):
            data_preprocessor = MODELS.build(data_preprocessor or dict(type='leokit.DataPreprocessor'))
        self.data_preprocessor = data_preprocessor

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """One step of the optimizer; returns the losses by name and their sum as ``loss``."""
        return self.optimize(self.data_preprocessor(data, True), optim_wrapper)

    def optimize(self, data: dict | Sequence, optim_wrapper: Any) -> dict[str, Tensor]:
        """:meth:`train_step` for a batch that the data preprocessor has seen."""
        with optim_wrapper.optim_context(self):
            losses = self._run_forward(data, mode='loss')
        total, named = self.parse_losses(losses)
        optim_wrapper.update_params(total)
        return named

    def step_variant(self) -> Hashable:
        """What the next training step computes: steps of one variant do the same work, whatever the data."""
        return ()

    def loss_weights(self) -> dict[str, float]:
        """The weights of losses, by name, that change during a training (LossRampHook)."""
        return {}

    def val_step(self, data: Any) -> list:
        """The predictions of a batch."""
        return self._run_forward(self.data_preprocessor(data, False), mode='predict')

    def test_step(self, data: Any) -> list:
        """The predictions of a batch."""
        return self.val_step(data)

    def parse_losses(self, losses: dict[str, Tensor | Sequence[Tensor]]) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of all entries with ``loss`` in their name, and every entry as a number to log."""
        named = {}
        for name, value in losses.items():
            parts = [value] if isinstance(value, Tensor) else value
            if not isinstance(parts, (list, tuple)) or not all(isinstance(part, Tensor) for part in parts):
                raise TypeError(f'{name} must be a tensor or a list of tensors, got {type(value).__name__}')
            named[name] = sum(part.mean() for part in parts)
        total = sum(value for name, value in named.items() if 'loss' in name)
        return total, {'loss': total, **named}

    def _run_forward(self, data: dict | Sequence, mode: str) -> Any:
        if isinstance(data, dict):
            return self(**data, mode=mode)
        if isinstance(data, (list, tuple)):
            return self(*data, mode=mode)
        raise TypeError(f'the data preprocessor must return a dict, a list or a tuple, got {type(data).__name__}')

    def _apply(self, *args: Any, **kwargs: Any) -> 'TrainableModel':
        super()._apply(*args, **kwargs)
        device = device_of(self)
        for module in self.modules():  # data preprocessors, which have no parameters to tell their device by
            if isinstance(getattr(module, '_device', None), torch.device):
                module._device = device
        return self
