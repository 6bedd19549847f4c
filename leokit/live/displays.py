"""Where the frames of ``leokit live`` go: a window or a file; a page is in :mod:`leokit.live.page`."""

import os
import sys
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from leokit.utils import UserError
from leokit.video import VideoWriter

QUIT, RESET = 'quit', 'reset'
QUIT_KEYS, RESET_KEYS = (27, ord('q')), (ord('r'),)  # 27 is Esc
MIN_WINDOW = 512  # pixels; smaller frames are enlarged


class Display(Protocol):
    """Shows frames, uint8 RGB (H, W, 3)."""

    def show(self, frame: np.ndarray) -> str | None:
        """Show a frame; what the viewer asks for: ``QUIT``, ``RESET`` or nothing."""

    def close(self) -> None:
        """End the display."""


class WindowDisplay:
    """A window of OpenCV. Q or Esc quits, R takes the next frame as reference.

    Args:
        title (str): Title of the window.
    """

    def __init__(self, title: str) -> None:
        if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
            raise UserError('there is no screen to open a window on; pass --page PORT to see the frames in a browser, '
                            'or --out FILE to write them')  # Qt would end the whole program
        self._title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise UserError('this build of OpenCV has no windows; install opencv-python, or pass --page PORT or --out '
                            'FILE') from error
        self._resized = False

    def show(self, frame: np.ndarray) -> str | None:
        """Show a frame and handle keys."""
        if not self._resized:
            scale = max(1.0, MIN_WINDOW / frame.shape[0])
            cv2.resizeWindow(self._title, round(frame.shape[1] * scale), round(frame.shape[0] * scale))
            self._resized = True
        cv2.imshow(self._title, frame[:, :, ::-1])
        key = cv2.waitKey(1) & 0xFF
        closed = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        return QUIT if closed or key in QUIT_KEYS else RESET if key in RESET_KEYS else None

    def close(self) -> None:
        """Close the window."""
        try:
            cv2.destroyWindow(self._title)
        except cv2.error:  # the viewer has closed it
            pass


class FileDisplay:
    """A video file with one frame for each shown frame; its arguments are those of ``VideoWriter``."""

    def __init__(self, path: str | Path, fps: float) -> None:
        self._writer = VideoWriter(path, fps)

    def show(self, frame: np.ndarray) -> None:
        """Append a frame."""
        self._writer.write(np.ascontiguousarray(frame)[None])

    def close(self) -> None:
        """Complete the file; without frames there is none."""
        if self._writer.num_frames:
            self._writer.close()
        else:
            self._writer.abort()
