"""Rendered frames on their way from the device to the files: copied while the next chunk is computed."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from leokit.utils.pixels import check_no_nan, round_to_uint8, to_uint8
from leokit.video.yuv420 import can_be_yuv420, rgb_to_yuv420


class HostCopy:
    """One chunk as bytes in host memory; from a GPU the copy runs asynchronously, into pinned memory.

    Args:
        frames (Tensor): Shape (B, t, 3, H, W), float in [-1, 1] or uint8.
        color_matrix (str, optional): On a GPU, also convert frames to YUV 4:2:0 with this matrix, see
            :func:`~leokit.video.yuv420.rgb_to_yuv420`, if they have a size for it: half as many bytes, and no
            conversion on the CPU.
    """

    def __init__(self, frames: Tensor, color_matrix: str | None = None) -> None:
        self._event: torch.cuda.Event | None = None
        if frames.is_cuda:
            self._start(frames, color_matrix if can_be_yuv420(*frames.shape[-2:]) else None)
            return
        frames = frames if frames.dtype == torch.uint8 else to_uint8(frames)
        self._pixels = rearrange(frames, 'b t c h w -> b t h w c')

    def wait(self) -> np.ndarray:
        """The frames once they have arrived: uint8 RGB (B, t, H, W, 3), or YUV (B, t, H * 3 / 2, W)."""
        if self._event is not None:
            self._event.synchronize()
            check_no_nan(bool(self._has_nan))
        return self._pixels.numpy()

    def _start(self, frames: Tensor, color_matrix: str | None) -> None:
        # the device is not waited for: NaN is found when the frames arrive
        has_nan = torch.isnan(frames).any() if frames.is_floating_point() else torch.zeros((), dtype=torch.bool)
        pixels = round_to_uint8(frames.float()) if frames.is_floating_point() else frames
        pixels = rgb_to_yuv420(pixels, color_matrix) if color_matrix else \
            rearrange(pixels, 'b t c h w -> b t h w c').contiguous()
        self._pixels = torch.empty(pixels.shape, dtype=torch.uint8, pin_memory=True)
        self._has_nan = torch.empty((), dtype=torch.bool, pin_memory=True)
        self._pixels.copy_(pixels, non_blocking=True)
        self._has_nan.copy_(has_nan, non_blocking=True)
        self._event = torch.cuda.Event()
        self._event.record(torch.cuda.current_stream(frames.device))


def copies_to_host(chunks: Iterable[Tensor], color_matrix: str | None = None) -> Iterator[HostCopy]:
    """Chunks (B, t, 3, H, W) on their way to the host; ``color_matrix`` is that of :class:`HostCopy`."""
    for frames in chunks:
        yield HostCopy(frames, color_matrix)
