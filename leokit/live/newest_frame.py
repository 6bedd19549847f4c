"""The newest frame of a camera: a slow consumer skips frames instead of falling behind."""

import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class TimedFrame(NamedTuple):
    """A frame, uint8 RGB (H, W, 3), its number from 0, and when it came (``time.perf_counter``)."""

    pixels: np.ndarray
    number: int
    time: float


class NewestFrame:
    """Reads a camera in a thread and keeps its newest frame only.

    Args:
        frames (Iterable[np.ndarray]): The frames of the camera, as they come.
    """

    def __init__(self, frames: Iterable[np.ndarray]) -> None:
        self._frames = iter(frames)
        self._newest: TimedFrame | None = None
        self._taken = -1
        self._error: BaseException | None = None
        self._ended = False
        self._stop = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name='leokit-camera', daemon=True)
        self._thread.start()

    def take(self, timeout: float | None = None) -> TimedFrame | None:
        """Wait for a frame that has not been taken yet.

        Args:
            timeout (float, optional): Seconds to wait; by default as long as it takes.

        Returns:
            TimedFrame | None: The newest frame; None if the camera has ended, or if there was none in time.

        Raises:
            UserError: The camera is gone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_new() or self._ended, timeout)
            if self._has_new():
                self._taken = self._newest.number
                return self._newest
            if self._error is not None:
                raise self._error
            return None

    @property
    def ended(self) -> bool:
        """bool: The camera has ended and its last frame was taken."""
        with self._changed:
            return self._ended and not self._has_new()

    def close(self) -> None:
        """Stop reading; the thread ends with the next frame."""
        self._stop = True
        self._thread.join(timeout=1.0)

    def __enter__(self) -> 'NewestFrame':
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _has_new(self) -> bool:
        return self._newest is not None and self._newest.number > self._taken

    def _work(self) -> None:
        number = 0
        try:
            for pixels in self._frames:
                with self._changed:
                    self._newest = TimedFrame(pixels, number, time.perf_counter())
                    self._changed.notify_all()
                number += 1
                if self._stop:
                    break
        except BaseException as error:  # raised where frames are taken
            self._error = error
        finally:
            if hasattr(self._frames, 'close'):
                self._frames.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()
