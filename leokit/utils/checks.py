"""Shape checks of arguments."""

from torch import Tensor


def check_shape(name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless ``tensor`` has ``shape``, in which None stands for any size."""
    if tensor.ndim != len(shape) or any(size not in (None, actual) for size, actual in zip(shape, tensor.shape)):
        expected = ', '.join('*' if size is None else str(size) for size in shape)
        raise ValueError(f'{name} must have shape ({expected}), got {tuple(tensor.shape)}')
