"""Time of video frames: presentation times -> frame rate, and -> frame indices at a constant rate.

Models, metrics and files work with constant rates. A video with a variable rate (browser and phone recordings, GIF) is
read at its mean rate, by time: a long frame is repeated, frames that crowd together are dropped, and duration and
synchrony with the sound stay.
"""

import math
from collections import Counter
from fractions import Fraction
from typing import Iterable, Mapping, Sequence

import numpy as np

from leokit.utils.errors import UserError

MIN_FPS, MAX_FPS = 1e-3, 1e6  # that a file can store
DEFAULT_FPS = 25.0  # of arrays, frame folders and containers that do not store a rate
MAX_FPS_DENOMINATOR = 1001  # exact for the broadcast rates such as 30000/1001
MAX_STATED_FPS = 240  # a larger rate in a header is the clock of the recorder
BROADCAST_RATES = tuple(Fraction(1000 * rate, 1001) for rate in (24, 30, 48, 60, 120, 240))
ROUNDED_RATE = Fraction(1, 4000)  # 29.97, 23.976 and 239.76 are these rates as people write them
COMMON_RATES = (*(Fraction(rate) for rate in (24, 25, 30, 48, 50, 60, 100, 120, 240)), *BROADCAST_RATES)
MIN_FRAMES_FOR_COMMON_RATE = 8  # times rounded to milliseconds determine no rate over fewer frames
SAME_RATE = 1e-4  # relative difference below which two rates are one: an hour differs by less than half a second
RATE_TOLERANCE = 0.01  # relative, of rates in manifests, which are rounded


def exact_rate(fps: float | Fraction) -> Fraction:
    """The rational rate that a number stands for: 29.97002997 -> 30000/1001, and so does the usual 29.97."""
    if not MIN_FPS <= fps <= MAX_FPS:  # NaN fails too
        raise UserError(f'a frame rate must be from {MIN_FPS:g} to {MAX_FPS:g} frames per second, got {float(fps):g}')
    for rate in BROADCAST_RATES:
        if abs(Fraction(fps) - rate) <= ROUNDED_RATE:
            return rate
    return Fraction(fps).limit_denominator(MAX_FPS_DENOMINATOR)


def is_same_rate(first: float, second: float, tolerance: float = SAME_RATE) -> bool:
    """True if two rates differ by rounding alone, relative to the larger one."""
    return abs(first - second) <= tolerance * max(first, second)


def group_rates(rates: Iterable[float]) -> dict[float, int]:
    """Number of videos at each rate, the commonest first; unknown rates (0) are left out."""
    groups: dict[float, int] = {}
    for fps in rates:
        if fps:
            key = next((known for known in groups if is_same_rate(known, fps)), fps)
            groups[key] = groups.get(key, 0) + 1
    return dict(sorted(groups.items(), key=lambda item: -item[1]))


def format_rates(groups: Mapping[float, int]) -> str:
    """``'10 of 25, 2 of 29.97'``, of the five commonest rates."""
    listed = ', '.join(f'{count} of {fps:.4g}' for fps, count in list(groups.items())[:5])
    return listed + (f' and {len(groups) - 5} more' if len(groups) > 5 else '')


def measured_rate(times: np.ndarray, time_base: Fraction, stated: Iterable[Fraction | None] = ()) -> Fraction:
    """Frame rate of presentation times.

    A rate on whose grid all times lie, up to rounding to the clock, is returned exactly: one that the container states,
    or a common one. Otherwise the rate is the mean, (n - 1) / (t_last - t_first).

    Args:
        times (np.ndarray): Increasing presentation times in units of ``time_base``, shape (n,).
        time_base (Fraction): Seconds per unit.
        stated (Iterable[Fraction | None]): Rates that the container states, the most trusted first.
    """
    candidates = [Fraction(rate) for rate in stated if rate]
    if len(times) < 2:
        return next((rate for rate in candidates[:1] if 1 <= rate <= MAX_STATED_FPS), Fraction(DEFAULT_FPS))
    for rate in candidates + list(COMMON_RATES if len(times) >= MIN_FRAMES_FOR_COMMON_RATE else ()):
        if _is_on_grid(times, rate * time_base):
            return rate
    return Fraction(len(times) - 1) / (int(times[-1] - times[0]) * time_base)


def _is_on_grid(times: np.ndarray, frames_per_tick: Fraction) -> bool:
    """True if no time is further than one tick of the clock from its place at a constant rate."""
    ideal = np.arange(len(times)) / float(frames_per_tick)
    return bool(np.abs(times - times[0] - ideal).max() <= 1.001)


def resampled_indices(times: np.ndarray, fps: float | Fraction, source_fps: float | Fraction) -> np.ndarray:
    """The frame to show for every frame at a constant rate.

    Output frame k stands for the time from ``(k - 0.5) / fps`` to ``(k + 0.5) / fps``; the newest frame of that time
    is shown, else the one before. This is the rule of FFmpeg's filter ``fps``.

    Args:
        times (np.ndarray): Presentation times in seconds, increasing, shape (n,), n >= 1.
        fps (float | Fraction): The constant rate.
        source_fps (float | Fraction): The rate of the video; the last frame is shown for ``1 / source_fps``.

    Returns:
        np.ndarray: Frame indices, not decreasing; 0, 1, ..., n - 1 if the times are regular and the rates equal.
    """
    elapsed = np.asarray(times, np.float64) - times[0]
    count = max(1, _round_half_up((elapsed[-1] + 1 / float(source_fps)) * float(fps)))
    ticks = np.floor(elapsed * float(fps) + 0.5 + 1e-6)  # output frame at which each frame appears
    return np.maximum(np.searchsorted(ticks, np.arange(count), side='right') - 1, 0)


def source_index(index: int, fps: float | Fraction, source_fps: float | Fraction) -> int:
    """The frame of a video of constant rate that is frame ``index`` at another; see :func:`resampled_indices`."""
    return math.ceil((2 * index + 1) * exact_rate(source_fps) / (2 * exact_rate(fps))) - 1


def regular_times(count: int, fps: float | Fraction) -> np.ndarray:
    """Presentation times in seconds of ``count`` frames at a constant rate."""
    return np.arange(count) / float(fps)


def resampled_count(count: int, fps: float, source_fps: float) -> int:
    """Number of frames of a video of constant rate at another rate."""
    return len(resampled_indices(regular_times(count, source_fps), fps, source_fps))


def common_rate(rates: Sequence[float], frames: Sequence[int]) -> float:
    """The rate at which most seconds of video were recorded."""
    groups, seconds = group_rates(rates), Counter()
    for fps, count in zip(rates, frames):
        if fps:
            seconds[next(rate for rate in groups if is_same_rate(rate, fps))] += count / fps
    return max(groups, key=seconds.__getitem__)


def _round_half_up(value: float) -> int:
    return int(value + 0.5 + 1e-6)
