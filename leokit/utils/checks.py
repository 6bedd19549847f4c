"""Shape checks at public entries."""

from torch import Tensor


def check_shape(name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    """Raise unless ``tensor`` has ``shape``.

    Args:
        name (str): The argument's name, for the message.
        tensor (Tensor): The tensor to check.
        shape (tuple): Expected sizes; None stands for any size.

    Raises:
        ValueError: If the rank or a size differs.
    """
    fits = tensor.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, tensor.shape))
    if not fits:
        wanted = ', '.join('*' if size is None else str(size) for size in shape)
        raise ValueError(f'{name} must have shape ({wanted}), got {tuple(tensor.shape)}')
