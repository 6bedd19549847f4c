"""Encoder and generator over chunks of one size, for many frames: as CUDA graphs, or compiled.

A chunk takes about as long to launch as to compute, and launching holds the interpreter, which the threads that read
and write need too. Both networks are therefore captured once and replayed. The last chunk is filled up to the size of
the others, so nothing is captured or compiled twice.
"""

from collections.abc import Callable
from functools import cached_property

import torch
from einops import rearrange
from torch import Tensor

from leokit.encoders import Encoding
from leokit.inference.frame_decoder import frame_decoder
from leokit.inference.frame_encoder import frame_encoder
from leokit.models import Animator
from leokit.motion_spaces import frozen
from leokit.utils.graphed_function import GraphedFunction
from leokit.utils.modules import device_of

MIN_CHUNKS = 8  # for which a capture is worthwhile


class ChunkRunner:
    """Runs an animator over chunks of a fixed number of frames.

    Args:
        animator (Animator): A trained animator in evaluation mode.
        chunk_size (int): Frames of a chunk.
        amp (bool): Compute under bfloat16 autocast.
        graphs (bool): Use CUDA graphs on a CUDA device.
    """

    def __init__(self, animator: Animator, chunk_size: int, *, amp: bool = False, graphs: bool = True) -> None:
        self._animator = animator
        self._chunk_size = chunk_size
        self._amp = amp
        self._graphs = graphs
        self._encode = GraphedFunction(self._encode_frames, enabled=graphs)

    def codes(self, frames: Tensor) -> Tensor:
        """Motion codes (t, N) of frames (t, 3, S, S) on the device, uint8 or in [-1, 1], t up to the chunk size."""
        return self._filled(self._encode, frames, 0).clone()

    def renderer(self, encoding: Encoding) -> Callable[[Tensor], Tensor]:
        """A function from motion codes (B, t, N) to frames (B, t, 3, H, W) in [-1, 1] of B encoded sources."""
        to_latent = frozen(self._animator.motion_space)
        decode = frame_decoder(self._animator.flow_generator, encoding.features, amp=self._amp)

        def draw(codes: Tensor) -> tuple[Tensor]:
            # cached casts would be made once, outside the graph
            with torch.autocast(codes.device.type, torch.bfloat16, enabled=self._amp, cache_enabled=False):
                latent = rearrange(to_latent(encoding.appearance, codes), 'b t d -> (b t) d')
                frames = decode(latent)
            return rearrange(frames.float().clamp(-1, 1), '(b t) ... -> b t ...', b=len(codes)),

        graphed = GraphedFunction(draw, enabled=self._graphs)
        return lambda codes: self._filled(graphed, codes, 1).clone()

    @cached_property
    def _frame_encoder(self) -> Callable[[Tensor], Tensor]:
        return frame_encoder(self._animator.encoder, amp=self._amp)  # a fused one has the weights of the first call

    def _encode_frames(self, frames: Tensor) -> tuple[Tensor]:
        return self._frame_encoder(frames),

    def _filled(self, function: GraphedFunction, values: Tensor, dim: int) -> Tensor:
        """The function of values that are filled up to the chunk size along ``dim``."""
        count, size = values.shape[dim], self._chunk_size if dim == 0 else self._steps(values)
        if count < size:
            last = values.narrow(dim, count - 1, 1)
            values = torch.cat([values] + [last] * (size - count), dim=dim)
        return function(values)[0].narrow(dim, 0, count)

    def _steps(self, codes: Tensor) -> int:
        return max(1, self._chunk_size // len(codes))


def chunk_runner(animator: Animator, num_frames: int | None, chunk_size: int, *, amp: bool = False,
                 fixed_chunks: bool | None = None) -> ChunkRunner | None:
    """The runner for a number of frames; None to call the networks as they are.

    Args:
        animator (Animator): The animator.
        num_frames (int, optional): Frames to render, all videos together; None if unknown (a camera).
        chunk_size (int): Frames of a chunk.
        amp (bool): Compute under bfloat16 autocast.
        fixed_chunks (bool, optional): Default: on a GPU, from ``MIN_CHUNKS`` chunks on.
    """
    if fixed_chunks is None:
        fixed_chunks = device_of(animator).type == 'cuda' and num_frames is not None and \
            num_frames >= MIN_CHUNKS * chunk_size
    return ChunkRunner(animator, chunk_size, amp=amp) if fixed_chunks else None
