"""Checks of arguments."""

from typing import Any

from torch import Tensor

MAX_WIDTH = 2**16  # of a layer; beyond this a number is a mistake


def check_width(name: str, value: Any) -> None:
    """Raise ValueError unless ``value`` is an integer that can be the width of a layer."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_WIDTH:
        raise ValueError(f'{name} must be an integer from 1 to {MAX_WIDTH}, got {value!r}')


def check_shape(name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless ``tensor`` has ``shape``, in which None stands for any size."""
    if tensor.ndim != len(shape) or any(size not in (None, actual) for size, actual in zip(shape, tensor.shape)):
        expected = ', '.join('*' if size is None else str(size) for size in shape)
        raise ValueError(f'{name} must have shape ({expected}), got {tuple(tensor.shape)}')
