"""Weights of matrix products, cast for autocast once per step of the optimizer.

Autocast casts a weight in the forward pass and its gradient back in the backward pass, which in a small network is two
kernels per layer. While a step runs, the layers have the copies as parameters, whose gradients the optimizer reads as
they are: the values are those that autocast would have computed.
"""

from contextlib import contextmanager
from typing import Iterator

import torch
from torch import Tensor, nn

from leokit.utils.autocast_copy import cast_names


class CastWeights:
    """Copies of the weights and biases that a model's ``autocast_layers`` name.

    Args:
        model (nn.Module): The model; it or networks within it may have ``autocast_layers``
            (:class:`~leokit.utils.autocast_copy.AutocastCopy`).
        dtype (torch.dtype): That of autocast.
    """

    def __init__(self, model: nn.Module, dtype: torch.dtype) -> None:
        self._slots: list[tuple[nn.Module, str, nn.Parameter]] = []
        self._copies: dict[Tensor, nn.Parameter] = {}
        for network in model.modules():
            for layer in network.modules():
                for name in cast_names(layer, getattr(network, 'autocast_layers', ())):
                    weight = getattr(layer, name)
                    if isinstance(weight, nn.Parameter) and weight.requires_grad:
                        copy = self._copies.get(weight)
                        if copy is None:
                            copy = self._copies[weight] = nn.Parameter(weight.detach().to(dtype))
                        self._slots.append((layer, name, copy))

    def __len__(self) -> int:
        return len(self._copies)

    def copy_of(self, weight: Tensor) -> Tensor | None:
        """The copy of a weight, None if it has none."""
        return self._copies.get(weight)

    @torch.no_grad()
    def refresh(self) -> None:
        """Cast all weights anew."""
        if self._copies:
            torch._foreach_copy_(list(self._copies.values()), list(self._copies))

    def forget_gradients(self) -> None:
        """Drop the gradients of the copies."""
        for copy in self._copies.values():
            copy.grad = None

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the context the layers have the copies as parameters."""
        originals = [layer._parameters[name] for layer, name, _ in self._slots]
        for layer, name, copy in self._slots:
            layer._parameters[name] = copy
        try:
            yield
        finally:
            for (layer, name, _), weight in zip(self._slots, originals):
                layer._parameters[name] = weight
