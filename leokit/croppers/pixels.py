"""Pixels of a region: of a frame, and of a video, in which the region may move."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from leokit.croppers.base import CropRegion
from leokit.croppers.tracking import CropTrack
from leokit.utils import UserError
from leokit.video.face_crop import CropBox
from leokit.video.frame_fit import fit_whole
from leokit.video.readers import VideoHandle
from leokit.video.resize import fit_frames

MAX_CROP = 4096  # pixels; turned regions are sampled at most this finely


def crop_region(frame: np.ndarray, region: CropRegion, size: int | None = None, *, exact: bool = False) -> np.ndarray:
    """Crop a frame; beyond it its border pixels are repeated, so that nothing dark gets into pasted images.

    Args:
        frame (np.ndarray): uint8, shape (H, W, 3).
        region (CropRegion): Partly inside the frame. One that is not turned is rounded to whole pixels.
        size (int, optional): Resolution S of the result, reached as in :func:`~leokit.video.resize.fit_frames`.
            Default: the pixels as they are, which need not be square.
        exact (bool): Do not round: interpolate, so that a moving region moves smoothly.

    Returns:
        np.ndarray: uint8, shape (S, S, 3), or (h, w, 3).
    """
    return fit_whole(frame, RegionFit(region, size, exact))


class RegionFit(NamedTuple):
    """What a model sees of a frame that is cropped to a region: a :class:`~leokit.video.frame_fit.FrameFit`.

    Attributes:
        region, size, exact: See :func:`crop_region`.
    """

    region: CropRegion
    size: int | None = None
    exact: bool = False

    def box(self, frame_size: tuple[int, int]) -> CropBox:
        """The pixels of the frame in the region, and those around it that are interpolated.

        Raises:
            UserError: If the region has no pixel of the frame.
        """
        height, width = frame_size
        left, top, right, bottom = self._bounds()
        if left >= width or top >= height or right <= 0 or bottom <= 0:
            raise UserError(f'the crop around {self.region.x:.0f}, {self.region.y:.0f} has no pixel of the frame, '
                            f'which has {width}x{height}')
        margin = 1 if self._is_sampled else 0
        return CropBox(max(0, math.floor(left) - margin), max(0, math.floor(top) - margin),
                       min(width, math.ceil(right) + margin), min(height, math.ceil(bottom) + margin))

    def __call__(self, pixels: np.ndarray, frame_size: tuple[int, int]) -> np.ndarray:
        """The image of the region, uint8 (S, S, 3)."""
        left, top, _, _ = self.box(frame_size)
        if self._is_sampled:
            cropped = _warp(pixels, self.region._replace(x=self.region.x - left, y=self.region.y - top))
        else:
            cropped = _extend(pixels, self.region.to_box(), frame_size)
        return cropped if self.size is None else fit_frames(cropped[None], self.size, crop='none')[0]

    @property
    def _is_sampled(self) -> bool:
        """Between whole pixels."""
        return bool(self.region.angle) or self.exact

    def _bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what is shown."""
        if not self._is_sampled:
            return self.region.to_box()
        corners = self.region.to_frame(1) @ np.array(((-.5, .5, -.5, .5), (-.5, -.5, .5, .5), (1, 1, 1, 1))) + 0.5
        return *corners.min(axis=1), *corners.max(axis=1)


def _extend(inside: np.ndarray, box: CropBox, frame_size: tuple[int, int]) -> np.ndarray:
    """The pixels in a box from those of them that the frame has."""
    beyond = (max(-box.top, 0), max(box.bottom - frame_size[0], 0),
              max(-box.left, 0), max(box.right - frame_size[1], 0))
    return cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE)


def _warp(frame: np.ndarray, region: CropRegion) -> np.ndarray:
    """A region in the resolution of the frame, by bilinear interpolation."""
    across, down = (min(max(1, math.floor(side + 0.5)), MAX_CROP) for side in (region.width, region.height))
    return cv2.warpAffine(frame, region.to_frame(across, down), (across, down),
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)


class CroppedVideo(VideoHandle):
    """An open video, cropped to a face or person; closing it closes the video.

    Args:
        video (VideoHandle): The open video.
        track (CropTrack): Where the region is.
        size (int): Resolution of the frames.
    """

    def __init__(self, video: VideoHandle, track: CropTrack, size: int) -> None:
        super().__init__(video.path, video.fps)
        self.stores_rate = video.stores_rate
        self.video = video
        self.track = track
        self.size = size

    def __len__(self) -> int:
        return len(self.video)

    @property
    def frame_bytes(self) -> int:
        return self.video.frame_bytes

    def close(self) -> None:
        self.video.close()

    def convert_in_threads(self, threads: int) -> None:
        self.video.convert_in_threads(threads)

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return self.video._read_fitted(indices, self._fits(indices / self.fps))

    def _source_times(self) -> np.ndarray:
        return self.video._source_times()

    def _read_source(self, indices: np.ndarray) -> np.ndarray:
        times = self._source_times()
        return self.video._read_source_fitted(indices, self._fits(times[indices] - times[0]))

    def _fits(self, times: np.ndarray) -> list[RegionFit]:
        return [RegionFit(self.track.at(time), self.size, self.track.moves) for time in times]
