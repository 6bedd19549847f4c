"""Paste generated crops back into their frame, with soft edges."""

import math

import cv2
import numpy as np

from leokit.croppers.base import CropRegion

FEATHER = 0.08  # width of the soft edge, relative to the side of the region


class Paster:
    """Pastes square images into one region of frames of one size.

    The weight of the pasted image rises smoothly from 0 at the edge of the region to 1 at ``feather`` of its side.
    Edges at or beyond the border of the frame are hard: there is nothing to blend with.

    Args:
        region (CropRegion): Where the images were cropped.
        frame_size (tuple[int, int]): Height and width of the frames.
        size (int): Resolution S of the images.
        feather (float): See above; 0 to 0.5.
    """

    def __init__(self, region: CropRegion, frame_size: tuple[int, int], size: int, *, feather: float = FEATHER) -> None:
        if not 0 <= feather <= 0.5:
            raise ValueError(f'feather must be from 0 to 0.5, got {feather}')
        # An image that is shrunk is averaged first, so that it does not alias.
        self._shrunk = (max(1, round(min(region.width, size))), max(1, round(min(region.height, size))))
        # whole pixels are resized, which takes a tenth of the time of an affine map
        self._box = region.to_box() if region == region.rounded() and not region.angle else None
        if self._box:
            low, high = self._box[:2], self._box[2:]
        else:
            corners = region.to_frame(2) @ np.array(((-.5, 1.5, -.5, 1.5), (-.5, -.5, 1.5, 1.5), (1, 1, 1, 1)))
            low, high = np.floor(corners.min(axis=1)), np.ceil(corners.max(axis=1)) + 1
        left, top = np.maximum(low, 0).astype(int)
        right, bottom = np.minimum(high, frame_size[::-1]).astype(int)
        self._place = slice(top, max(top, bottom)), slice(left, max(left, right))
        shown = (bottom - top, right - left)
        if min(shown) <= 0:
            self._mask = np.zeros((0, 0, 1), np.float32)
            return
        to_frame = region.to_frame(*self._shrunk)
        to_frame[:, 2] -= left, top
        self._to_place = to_frame
        self._mask = _mask(region, frame_size, (left, top), shown, feather)
        self._rest = 1 - self._mask

    def paste(self, frame: np.ndarray, image: np.ndarray) -> np.ndarray:
        """The frame with the image in it.

        Args:
            frame (np.ndarray): uint8, shape (H, W, 3); it is not modified.
            image (np.ndarray): uint8, shape (S, S, 3).
        """
        result = frame.copy()
        if not self._mask.size:
            return result
        if self._shrunk != image.shape[1::-1]:
            image = cv2.resize(image, self._shrunk, interpolation=cv2.INTER_AREA)
        shown = result[self._place]
        if self._box:
            left, top, right, bottom = self._box
            warped = cv2.resize(image, (right - left, bottom - top), interpolation=cv2.INTER_CUBIC)
            rows, columns = self._place
            warped = warped[rows.start - top:rows.stop - top, columns.start - left:columns.stop - left]
        else:
            warped = cv2.warpAffine(image, self._to_place, shown.shape[1::-1], flags=cv2.INTER_CUBIC,
                                    borderMode=cv2.BORDER_REPLICATE)
        shown[:] = cv2.blendLinear(shown, warped, self._rest, self._mask)  # rounded
        return result


def _mask(region: CropRegion, frame_size: tuple[int, int], corner: tuple[int, int], shown: tuple[int, int],
          feather: float) -> np.ndarray:
    """Weights (h, w, 1) of the pasted image in the shown part of the frame, float32."""
    height, width = frame_size
    x = np.arange(shown[1]) + 0.5 + corner[0] - region.x
    y = np.arange(shown[0])[:, None] + 0.5 + corner[1] - region.y
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    across = (cos * x + sin * y) / region.width  # -0.5 to 0.5 in the region
    down = (-sin * x + cos * y) / region.height
    left, right = region.x - region.width / 2 > 0.5, region.x + region.width / 2 < width - 0.5
    top, bottom = region.y - region.height / 2 > 0.5, region.y + region.height / 2 < height - 0.5
    if region.angle:  # its edges are not those of the frame
        left = right = top = bottom = True
    ramps = [_ramp(0.5 + sign * place, feather if soft else 0.0)
             for place, sign, soft in ((across, 1, left), (across, -1, right), (down, 1, top), (down, -1, bottom))]
    return np.prod(np.broadcast_arrays(*ramps), axis=0)[..., None].astype(np.float32)


def _ramp(distance: np.ndarray, feather: float) -> np.ndarray:
    """0 outside of an edge, 1 from ``feather`` inside of it, smooth in between."""
    if not feather:
        return (distance >= 0).astype(np.float64)
    part = np.clip(distance / feather, 0, 1)
    return part * part * (3 - 2 * part)
