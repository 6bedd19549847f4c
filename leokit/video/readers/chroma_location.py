"""Where the chroma samples of a video lie, which PyAV does not tell: found by comparison with FFmpeg's conversion."""

from typing import Callable

import numpy as np
import torch

from leokit.video.yuv420 import CHROMA_LOCATIONS, Yuv420Frames, yuv420_to_rgb

TOLERANCE = 1  # levels by which the conversions of the same location differ


class ChromaLocator:
    """Finds the location of the chroma samples of one stream.

    H.264, HEVC and MPEG put them on the left of their four pixels unless the file says something else, JPEG in the
    middle. The wrong location shifts colors by a quarter of a pixel of chroma.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], str | None] = {}  # by color matrix and range

    def __call__(self, frames: Yuv420Frames, to_rgb: Callable[[int], np.ndarray]) -> str | None:
        """The location with which :func:`~leokit.video.yuv420.yuv420_to_rgb` converts as FFmpeg does.

        Args:
            frames (Yuv420Frames): Consecutive frames, planes (t, H * 3 / 2, W) on the CPU.
            to_rgb (Callable): FFmpeg's conversion of the frame of a number, uint8 (H, W, 3).

        Returns:
            str | None: One of ``CHROMA_LOCATIONS``; None for others.
        """
        kind = (frames.color_matrix, frames.full_range)
        if kind in self._known:
            return self._known[kind]
        number = _most_colorful(frames.planes)
        wanted = torch.from_numpy(to_rgb(number)).permute(2, 0, 1).int()
        fitting = [location for location in CHROMA_LOCATIONS
                   if (yuv420_to_rgb(frames._replace(planes=frames.planes[number], chroma_location=location)).int()
                       - wanted).abs().max() <= TOLERANCE]
        if len(fitting) < len(CHROMA_LOCATIONS):  # all fit frames without colors, which tell nothing about later ones
            self._known[kind] = fitting[0] if fitting else None
        return fitting[0] if fitting else None


def _most_colorful(planes: torch.Tensor) -> int:
    """Number of the frame with the largest step of chroma from a column to the next."""
    count, rows, width = planes.shape
    chroma = planes[:, rows * 2 // 3:].reshape(count, -1, width // 2).short()
    return int(chroma.diff(dim=-1).abs().flatten(1).amax(1).argmax()) if width > 2 else 0
