"""From latents to frames, many times for the same sources: the flow generator, or its fused form."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from leokit.flow_generators.fused_decoder import FusedDecoder, can_fuse


def frame_decoder(generator: nn.Module, features: tuple[Tensor, ...], *, amp: bool) -> Callable[[Tensor], Tensor]:
    """A function from latents (B, D) to frames (B, 3, S, S) of encoded sources, with the present weights.

    Args:
        generator (nn.Module): The flow generator of an animator, compiled or not.
        features (tuple[Tensor, ...]): Feature maps of the sources.
        amp (bool): Compute in bfloat16; on CUDA devices, LIA's generator is then one of fused kernels
            (:class:`~leokit.flow_generators.fused_decoder.FusedDecoder`).
    """
    plain = getattr(generator, '_orig_mod', generator)  # what torch.compile was given
    if amp and can_fuse(plain, features):
        return FusedDecoder(plain, features, torch.bfloat16)
    return lambda latent: generator(latent, features).frames
