"""Fingerprints of weights: which network made these codes or these features."""

import hashlib
from typing import Mapping

import torch
from torch import Tensor


def weights_hash(state_dict: Mapping[str, Tensor]) -> str:
    """SHA-256 over the names, shapes, types and values of a state dict.

    The order of the keys and the device of the tensors do not matter.

    Args:
        state_dict (Mapping[str, Tensor]): The weights.

    Returns:
        str: 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for key in sorted(state_dict):
        tensor = state_dict[key].detach().cpu().contiguous()
        digest.update(f'{key} {tensor.dtype} {tuple(tensor.shape)}\n'.encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
