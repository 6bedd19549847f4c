"""From frames to motion codes, many times: the fused form of an encoder, where there is one."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from leokit.encoders.fused_encoder import FusedEncoder, can_fuse
from leokit.utils.modules import device_of

FUSED = False  # the default, off until measured on a GPU


def frame_encoder(encoder: nn.Module, *, amp: bool, fused: bool | None = None) -> Callable[[Tensor], Tensor] | None:
    """A function from frames (B, 3, S, S), uint8 or in [-1, 1], to motion codes (B, N), with the present weights.

    None where the encoder itself is to be called.

    Args:
        encoder (nn.Module): The encoder of an animator, compiled or not.
        amp (bool): Compute in bfloat16; on CUDA devices, LIA's encoder can then be one of fused kernels
            (:class:`~leokit.encoders.fused_encoder.FusedEncoder`).
        fused (bool, optional): Use it there. Default: ``FUSED``.
    """
    plain = getattr(encoder, '_orig_mod', encoder)  # what torch.compile was given
    if not amp or not (FUSED if fused is None else fused) or not can_fuse(plain, device_of(plain)):
        return None
    return FusedEncoder(plain, torch.bfloat16).codes
