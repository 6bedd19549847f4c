"""From frames to motion codes, many times: the encoder, or its fused form."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from leokit.encoders.fused_encoder import FusedEncoder, can_fuse
from leokit.inference.rendering import check_precision
from leokit.utils.modules import device_of
from leokit.utils.pixels import from_uint8


def frame_encoder(encoder: nn.Module, *, amp: bool, fused: bool = True) -> Callable[[Tensor], Tensor]:
    """A function from frames (B, 3, S, S), uint8 or in [-1, 1], to motion codes (B, N), float32, without gradients.

    Args:
        encoder (nn.Module): The encoder of an animator in evaluation mode, compiled or not; frames are on its device.
        amp (bool): Compute in bfloat16; on CUDA devices, LIA's encoder is then one of fused kernels, with the present
            weights (:class:`~leokit.encoders.fused_encoder.FusedEncoder`).
        fused (bool): Without it, the encoder itself; for few frames, kernels take longer to compile than to run.

    Raises:
        UserError: If the weights are not float32.
    """
    plain = getattr(encoder, '_orig_mod', encoder)  # what torch.compile was given
    check_precision(plain)
    if amp and fused and can_fuse(plain, device_of(plain)):
        return FusedEncoder(plain, torch.bfloat16).codes

    def codes(frames: Tensor) -> Tensor:
        frames = frames.contiguous(memory_format=torch.channels_last)  # the faster layout, which convolutions keep
        # cached casts would be made once, outside of a CUDA graph that this is captured in
        with torch.inference_mode(), torch.autocast(frames.device.type, torch.bfloat16, enabled=amp,
                                                    cache_enabled=False):
            return encoder(from_uint8(frames) if frames.dtype == torch.uint8 else frames).motion.float()

    return codes
