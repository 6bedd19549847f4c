"""Small constants on the device that uses them."""

from functools import cache
from typing import Any

import torch
from torch import Tensor


@cache
def device_constant(values: Any, device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor of numbers that every call with the same arguments shares; it must not be modified.

    ``torch.tensor(values, device='cuda')`` waits until the GPU has done all its work, in every call, and cannot be part
    of a CUDA graph. None is ever released, because a graph reads its memory without holding the tensor.

    Args:
        values (Any): Numbers in nested tuples.
        device (torch.device): The device.
        dtype (torch.dtype): The type.
    """
    with torch.inference_mode(False):  # such tensors could not be part of a training
        return torch.tensor(values, dtype=dtype, device=device)
