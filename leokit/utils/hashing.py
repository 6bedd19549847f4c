"""Hashes of files and weights, which identify the network that produced motion codes or features."""

import hashlib
import zlib
from pathlib import Path
from typing import Mapping

import torch
from torch import Tensor

from leokit.utils.checkpoints import load_checkpoint
from leokit.utils.errors import UserError
from leokit.utils.files import BLOCK_BYTES, file_sha256

__all__ = ['BLOCK_BYTES', 'animator_hash', 'checkpoint_hash', 'file_sha256', 'stable_number', 'weights_hash']

ANIMATOR_PARTS = ('encoder', 'motion_space', 'flow_generator')  # submodules that motion codes depend on


def stable_number(*parts: str | int) -> int:
    """A 32-bit number that depends on the parts only: the CRC-32 of their texts, joined by slashes."""
    return zlib.crc32('/'.join(map(str, parts)).encode())


def weights_hash(state_dict: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes, dtypes and values of a state dict, 64 hexadecimal digits.

    Independent of the order of the keys and of the device.
    """
    digest = hashlib.sha256()
    for key in sorted(state_dict):
        tensor = state_dict[key].detach().cpu().contiguous()
        digest.update(f'{key} {tensor.dtype} {tuple(tensor.shape)}\n'.encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def animator_hash(state_dict: Mapping[str, Tensor]) -> str | None:
    """The hash by which motion codes identify their animator: that of its inference weights; None without any."""
    weights = {key: tensor for key, tensor in state_dict.items() if key.split('.')[0] in ANIMATOR_PARTS}
    return weights_hash(weights) if weights else None


def checkpoint_hash(path: str | Path) -> str:
    """``Animator.weights_hash()`` of the animator in a checkpoint, without building it."""
    found = animator_hash(load_checkpoint(path).get('state_dict', {}))
    if found is None:
        raise UserError(f'{path} is not an animator checkpoint; pass the animator that the codes were extracted with')
    return found
