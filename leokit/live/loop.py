"""The loop of ``leokit live``: newest camera frame, animated, shown."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from leokit.inference.live import LiveAnimator
from leokit.live.displays import QUIT, RESET, Display
from leokit.live.latency import LatencyMeter
from leokit.live.newest_frame import NewestFrame
from leokit.live.page import PageDisplay
from leokit.video.side_by_side import GAP, at_height

POLL_SECONDS = 0.2  # without a new frame, how often the end and the keys are looked at


class LiveReport(NamedTuple):
    """What a live session did.

    Attributes:
        shown (int): Frames animated and shown.
        skipped (int): Frames of the camera that came while another one was animated.
        seconds (float): From the first frame to the last.
        latency (LatencyMeter): From the arrival of a frame to its display; on a page, until it was sent to a viewer, if
            there was one.
    """

    shown: int
    skipped: int
    seconds: float
    latency: LatencyMeter

    def __str__(self) -> str:
        rate = (self.shown - 1) / self.seconds if self.shown > 1 and self.seconds > 0 else 0.0
        return f'{self.shown} frames, {rate:.1f} per second, {self.skipped} skipped, {self.latency}'


def warm_up(animator: LiveAnimator) -> None:
    """Animate a black frame and forget it: on CUDA, the first frame takes seconds."""
    animator(np.zeros((animator.size, animator.size, 3), np.uint8))
    animator.reset()


def run_live(animator: LiveAnimator, frames: NewestFrame, display: Display, *, show_camera: bool = False,
             seconds: float | None = None, report_every: float = 5.0,
             report: Callable[[LiveReport], None] | None = None) -> LiveReport:
    """Animate until the camera ends, the viewer quits, or the time is over.

    Args:
        animator (LiveAnimator): The portrait.
        frames (NewestFrame): The camera.
        display (Display): Where the frames go.
        show_camera (bool): Show the frame of the camera next to the result.
        seconds (float, optional): Stop after this time.
        report_every (float): Seconds between two calls of ``report``.
        report (Callable, optional): Called with the state from time to time.

    Returns:
        LiveReport: The state at the end.

    Raises:
        UserError: The camera is gone.
    """
    shown = skipped = 0
    last_number = -1
    first_time = last_time = None
    meter = LatencyMeter()
    page = display if isinstance(display, PageDisplay) else None
    started = reported = time.perf_counter()

    def state() -> LiveReport:
        duration = 0.0 if first_time is None else last_time - first_time
        return LiveReport(shown, skipped, duration, page.sent if page is not None and page.sent.count else meter)

    while seconds is None or time.perf_counter() - started < seconds:
        frame = frames.take(POLL_SECONDS)
        if frame is None:
            if frames.ended:
                break
            continue
        result = animator(frame.pixels)
        if show_camera:
            result = _beside(frame.pixels, result)
        wish = display.show(result, frame.time) if page is not None else display.show(result)
        now = time.perf_counter()
        meter.add(now - frame.time)
        shown, skipped, last_number = shown + 1, skipped + frame.number - last_number - 1, frame.number
        first_time, last_time = first_time or now, now
        if wish == RESET:
            animator.reset()
        if wish == QUIT:
            break
        if report is not None and now - reported >= report_every:
            reported = now
            report(state())
    return state()


def _beside(camera: np.ndarray, result: np.ndarray) -> np.ndarray:
    """The frame of the camera and the result next to each other, both uint8 (H, W, 3)."""
    camera = at_height(camera[None], result.shape[0])[0]
    gap = np.full((result.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([camera, gap, result], axis=1)
