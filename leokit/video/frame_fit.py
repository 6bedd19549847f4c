"""What a model sees of a frame, asked before decoding, so that a reader converts no pixel in vain."""

from typing import Hashable, NamedTuple, Protocol

import numpy as np

from leokit.video.face_crop import CropBox, center_box
from leokit.video.resize import fit_frames


class FrameFit(Hashable, Protocol):
    """From a frame to the image of a model."""

    def box(self, frame_size: tuple[int, int]) -> CropBox:
        """The pixels of a frame (H, W) that are needed, inside it."""

    def __call__(self, pixels: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
        """The image, uint8 (S, S, 3), from the pixels in :meth:`box`, uint8 (h, w, 3), of a frame (H, W)."""


class SquareFit(NamedTuple):
    """Frames as in training: see :func:`~leokit.video.resize.fit_frames`."""

    size: int
    crop: str = 'center'

    def box(self, frame_size: tuple[int, int]) -> CropBox:
        """See :class:`FrameFit`."""
        height, width = frame_size
        return center_box(width, height) if self.crop == 'center' else CropBox(0, 0, width, height)

    def __call__(self, pixels: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
        """See :class:`FrameFit`."""
        return fit_frames(pixels[None], self.size, crop=self.crop)[0]


def fit_whole(frame: np.ndarray, fit: FrameFit) -> np.ndarray:
    """The image of a frame, uint8 (H, W, 3) -> (S, S, 3)."""
    left, top, right, bottom = fit.box(frame.shape[:2])
    return fit(frame[top:bottom, left:right], frame.shape[:2])
