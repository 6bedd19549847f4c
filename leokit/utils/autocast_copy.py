"""A copy of a network whose matrix products need no casts under autocast.

Under autocast every call of a layer casts its weights anew. In a loop over calls of a small network that is a sixth of
all kernels; the copy has them cast once.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import nn


class AutocastCopy:
    """Makes and keeps the copy of a network; it shares all tensors but the weights of its matrix products.

    A network that allows it has ``autocast_layers``: the types of its layers that use ``weight`` and ``bias`` in
    operations that autocast casts, and in nothing else.
    """

    def __init__(self) -> None:
        self._network: nn.Module | None = None
        self._copy: nn.Module | None = None
        self._compile_options: dict[str, Any] | None = None

    def __call__(self, network: nn.Module, device: torch.device) -> nn.Module:
        """The copy with the present weights of the network, which gets no gradients from it.

        The network itself if autocast is off on the device, or if it has no ``autocast_layers``.
        """
        layers = getattr(network, 'autocast_layers', ())
        if not layers or not torch.is_autocast_enabled(device.type):
            return network
        if network is not self._network:
            self._copy, self._network = _shallow_copy(network), network
            if self._compile_options is not None:
                self._copy.compile(**self._compile_options)
        self._copy.train(network.training)
        dtype = torch.get_autocast_dtype(device.type)
        for layer, copied in zip(network.modules(), self._copy.modules(), strict=True):
            for name in cast_names(layer, layers):
                copied._parameters.pop(name, None)  # a tensor that is no parameter is an attribute
                setattr(copied, name, getattr(layer, name).detach().to(dtype))
        return self._copy

    def compile(self, **options: Any) -> None:
        """Compile the copy, with options of ``torch.compile``."""
        self._compile_options = options
        self.clear()

    def clear(self) -> None:
        """Forget the copy, because tensors of the network were replaced."""
        self._network = self._copy = None

    def __deepcopy__(self, memo: dict) -> 'AutocastCopy':
        return AutocastCopy()  # a copy belongs to one network

    def __reduce__(self) -> tuple:
        return AutocastCopy, ()


def cast_names(layer: nn.Module, layers: Sequence[type[nn.Module]]) -> list[str]:
    """Which of a layer's ``weight`` and ``bias`` autocast would cast, if its type is one of ``layers``."""
    if type(layer) not in layers:
        return []
    tensors = {name: getattr(layer, name) for name in ('weight', 'bias')}
    return [name for name, tensor in tensors.items() if tensor is not None and tensor.dtype == torch.float32]


def _shallow_copy(network: nn.Module) -> nn.Module:
    """A copy of the modules that shares all tensors."""
    return deepcopy(network, {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())})
