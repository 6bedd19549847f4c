"""Pixels of a region: of a frame, and of a video, in which the region may move."""

import math

import cv2
import numpy as np

from leokit.croppers.base import CropRegion
from leokit.croppers.tracking import CropTrack
from leokit.utils import UserError
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
    if region.angle or exact:
        cropped = _warp(frame, region)
    else:
        cropped = _cut(frame, region)
    return cropped if size is None else fit_frames(cropped[None], size, crop='none')[0]


def _cut(frame: np.ndarray, region: CropRegion) -> np.ndarray:
    """A region in whole pixels."""
    (height, width), (left, top, right, bottom) = frame.shape[:2], region.to_box()
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise _outside(frame, region)
    inside = frame[max(top, 0):bottom, max(left, 0):right]
    beyond = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    return cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE)


def _outside(frame: np.ndarray, region: CropRegion) -> UserError:
    return UserError(f'the crop around {region.x:.0f}, {region.y:.0f} has no pixel of the frame, which has '
                     f'{frame.shape[1]}x{frame.shape[0]}')


def _warp(frame: np.ndarray, region: CropRegion) -> np.ndarray:
    """A region in the resolution of the frame, by bilinear interpolation."""
    height, width = frame.shape[:2]
    corners = region.to_frame(1) @ np.array(((-.5, .5, -.5, .5), (-.5, -.5, .5, .5), (1, 1, 1, 1))) + 0.5
    if (corners.min(axis=1) >= (width, height)).any() or (corners.max(axis=1) <= 0).any():
        raise _outside(frame, region)
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
        return self._crop(self.video._read(indices), indices / self.fps)

    def _source_times(self) -> np.ndarray:
        return self.video._source_times()

    def _read_source(self, indices: np.ndarray) -> np.ndarray:
        times = self._source_times()
        return self._crop(self.video._read_source(indices), times[indices] - times[0])

    def _crop(self, frames: np.ndarray, times: np.ndarray) -> np.ndarray:
        return np.stack([crop_region(frame, self.track.at(time), self.size, exact=self.track.moves)
                         for frame, time in zip(frames, times)])
