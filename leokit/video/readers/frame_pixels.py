"""From a decoded frame to RGB as a player shows it: true colors, opaque, square pixels, upright."""

import math
import threading
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from leokit.utils import UserError
from leokit.video.conversion_threads import ONE_THREAD
from leokit.video.face_crop import CropBox
from leokit.video.images import TRANSPARENT_BACKGROUND, over_background
from leokit.video.readers.frame_parts import PartCutter
from leokit.video.readers.wide_color import ColorConverter, needs_color_conversion
from leokit.video.yuv420 import can_be_yuv420

UNSPECIFIED_MATRIX = 2  # ITU-T H.273
YUV_MATRICES = {1: 'bt709', UNSPECIFIED_MATRIX: 'bt601', 5: 'bt601', 6: 'bt601'}  # as FFmpeg takes them
YUV420_FORMATS = ('yuv420p', 'yuvj420p')
FULL_RANGE = 2  # FFmpeg's code
HD_HEIGHT = 720  # untagged video from this height up is BT.709 by the usual guess
# Signs of display matrices by their rotation in degrees, counterclockwise.
ROTATIONS = {90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
UNTAGGED_MATRICES = ('auto', 'bt601', 'bt709')


def conversion_options() -> dict[str, Any]:
    """Options that turn a frame into RGB with its true colors.

    FFmpeg's fast conversion from 4:2:0 to RGB, its default, rounds down: frames get 1.2 gray levels darker every time
    a video is read and written again.
    """
    options: dict[str, Any] = dict(ONE_THREAD)
    kinds = av.video.reformatter.Interpolation
    if hasattr(kinds, 'ACCURATE_RND'):  # older PyAV has the fast conversion only
        options['interpolation'] = kinds.BILINEAR | kinds.ACCURATE_RND | kinds.FULL_CHR_H_INT
    return options


class FrameConverter:
    """Converts the frames of one stream; several threads may call it.

    Args:
        aspect (Fraction, optional): Width of a pixel divided by its height; frames are widened or narrowed by it.
        untagged_matrix (str): Color matrix of frames that state none: 'bt601', 'bt709', or 'auto', BT.709 from
            720 lines up and BT.601 below, as players guess.
        background (tuple[int, int, int]): Color behind transparent pixels.
    """

    def __init__(self, aspect: Fraction | None, untagged_matrix: str = 'auto',
                 background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> None:
        self._aspect = aspect or Fraction(1)
        self._untagged = untagged_matrix
        self._background = background
        self._options = conversion_options()
        self._of_thread = threading.local()

    def __call__(self, frame: Any, box: CropBox | None = None) -> np.ndarray:
        """uint8 RGB (H, W, 3) of a frame, or of a box inside it, in pixels of the frame as it is shown."""
        if not hasattr(self._of_thread, 'formatter'):
            self._of_thread.formatter = av.video.reformatter.VideoReformatter()
            self._of_thread.convert_colors = ColorConverter()
            self._of_thread.cut = PartCutter()
        matrix, size = display_matrix(frame), self._stored_size(frame)
        box = CropBox(0, 0, *size[::-1]) if box is None else stored_box(box, matrix, size)
        if self._is_plain(frame):
            return self._plain_pixels(frame, box, matrix)
        if needs_color_conversion(frame):
            frame = av.VideoFrame.from_ndarray(self._of_thread.convert_colors(frame), format='rgb24')
        transparent = frame.format.name == 'pal8' or any(part.is_alpha for part in frame.format.components)
        pixels = self._reformat(frame, size, 'rgba' if transparent else 'rgb24', self._is_bt709(frame)).to_ndarray()
        pixels = over_background(pixels, self._background) if transparent else pixels
        return orient(pixels[box.top:box.bottom, box.left:box.right], matrix)

    def _plain_pixels(self, frame: Any, box: CropBox, matrix: tuple[int, int, int, int] | None) -> np.ndarray:
        """Of a box of the stored frame. FFmpeg converts to planes of red, green and blue twice as fast as to RGB."""
        is_bt709 = self._is_bt709(frame)  # which depends on the height of the whole frame
        part, box = self._of_thread.cut(frame, box)
        planes = [np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[box.top:box.bottom, box.left:box.right]
                  for plane in self._reformat(part, (part.height, part.width), 'gbrp', is_bt709).planes]
        green, blue, red = (orient(plane, matrix) for plane in planes)
        return cv2.merge([red, green, blue])

    def _reformat(self, frame: Any, size: tuple[int, int], pixel_format: str, is_bt709: bool) -> Any:
        matrix = dict(src_colorspace='ITU709') if is_bt709 else {}
        return self._of_thread.formatter.reformat(frame, width=size[1], height=size[0], format=pixel_format,
                                                  **self._options, **matrix)

    def shown_size(self, frame: Any) -> tuple[int, int]:
        """Height and width of a frame as it is shown."""
        matrix, size = display_matrix(frame), self._stored_size(frame)
        return size[::-1] if matrix is not None and matrix[1] else size

    def _stored_size(self, frame: Any) -> tuple[int, int]:
        """Height and width in square pixels, before the display matrix is applied."""
        return frame.height, max(1, round(frame.width * self._aspect))

    def _is_plain(self, frame: Any) -> bool:
        """Progressive 4:2:0 with 8 bits and square pixels, of which any part is converted as it is in the frame."""
        return (frame.format.name in YUV420_FORMATS and self._aspect == 1 and not frame.interlaced_frame
                and frame.height % 2 == 0 and frame.width % 2 == 0 and not needs_color_conversion(frame))

    def yuv420_kind(self, frame: Any) -> tuple[str, bool] | None:
        """Color matrix and full range of a frame that is nothing but progressive 4:2:0 with 8 bits; None for others.

        Args:
            frame (av.VideoFrame): A decoded frame.
        """
        matrix = 'bt709' if self._is_bt709(frame) else YUV_MATRICES.get(frame.colorspace)
        plain = (self._is_plain(frame) and matrix and can_be_yuv420(frame.height, frame.width)
                 and display_matrix(frame) is None)
        return (matrix, frame.format.name == 'yuvj420p' or frame.color_range == FULL_RANGE) if plain else None

    def _is_bt709(self, frame: Any) -> bool:
        if frame.colorspace != UNSPECIFIED_MATRIX or frame.format.is_rgb or self._untagged == 'bt601':
            return False
        return self._untagged == 'bt709' or frame.height >= HD_HEIGHT


def display_matrix(frame: Any) -> tuple[int, int, int, int] | None:
    """The signs (a, b, c, d) of a frame's display matrix; None without one.

    A pixel (x, y) is shown at (a x + c y, b x + d y), up to a shift.

    Raises:
        UserError: If the matrix turns the frame by no multiple of 90°.
    """
    try:
        data = frame.side_data.get('DISPLAYMATRIX')
    except ValueError:  # side data of a kind that this PyAV does not know, such as EXIF: it gives the rotation at least
        return _signs_of(frame.rotation)
    if data is None:
        return None
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].astype(np.int64)
    limit = max(abs(a), abs(b), abs(c), abs(d)) // 100  # exporters write sines of 180 degrees that are not quite 0
    signs = tuple(0 if abs(value) <= limit else int(np.sign(value)) for value in (a, b, c, d))
    straight = signs[0] and signs[3] and not (signs[1] or signs[2])
    turned = signs[1] and signs[2] and not (signs[0] or signs[3])
    if not (straight or turned):
        raise _not_upright(math.degrees(math.atan2(b, a)))
    return signs


def _signs_of(rotation: float) -> tuple[int, int, int, int] | None:
    angle = round(rotation) % 360
    if angle and angle not in ROTATIONS:
        raise _not_upright(-rotation)
    return ROTATIONS.get(angle)


def _not_upright(degrees: float) -> UserError:
    return UserError(f'is to be shown turned by {degrees:.0f} degrees, and only multiples of 90 are applied; turn the '
                     'frames themselves (ffmpeg does so when it encodes the video again)')


def orient(pixels: np.ndarray, matrix: tuple[int, int, int, int] | None) -> np.ndarray:
    """Apply a display matrix to pixels (H, W) or (H, W, 3)."""
    if matrix is None:
        return pixels
    a, b, c, d = matrix
    if b:  # rows become columns
        pixels, a, d = cv2.transpose(pixels), c, b
    for axis, sign in enumerate((d, a)):
        pixels = cv2.flip(pixels, axis) if sign < 0 else pixels
    return pixels


def stored_box(box: CropBox, matrix: tuple[int, int, int, int] | None, size: tuple[int, int]) -> CropBox:
    """Where a box of the frame as it is shown lies in the stored frame.

    Args:
        box (CropBox): Inside the frame as it is shown.
        matrix (tuple[int, int, int, int], optional): The display matrix.
        size (tuple[int, int]): Height and width of the stored frame.
    """
    if matrix is None:
        return box
    (left, top, right, bottom), (a, b, c, d) = box, matrix
    if b:
        (left, top, right, bottom), a, d = (top, left, bottom, right), b, c
    left, right = (left, right) if a > 0 else (size[1] - right, size[1] - left)
    top, bottom = (top, bottom) if d > 0 else (size[0] - bottom, size[0] - top)
    return CropBox(left, top, right, bottom)
