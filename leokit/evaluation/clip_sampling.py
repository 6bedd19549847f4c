"""Which clips of which videos a trial looks at: pure functions of lengths, protocol and seed."""

from typing import NamedTuple, Sequence

import numpy as np

from leokit.evaluation.protocol import ClipRule, Protocol
from leokit.utils import UserError

SIDES = ('real', 'fake')
MAX_RATE_ERROR = 1e-6  # frames; lets a video of exactly the needed length pass despite rounding


class Clip(NamedTuple):
    """A clip: ``video`` is the number of a video in its set, ``start`` a frame at the protocol's rate."""

    video: int
    start: int


def available_frames(rule: ClipRule, frames: int, fps: float) -> int:
    """Frames that a video has at the protocol's rate.

    Args:
        rule (ClipRule): The clip rule.
        frames (int): Frames in the file.
        fps (float): Their rate.

    Returns:
        int: ``frames`` itself when the rule has no rate.
    """
    if rule.fps is None:
        return frames
    return int((frames - 1) * rule.fps / fps + MAX_RATE_ERROR) + 1


def frame_numbers(rule: ClipRule, start: int, frames: int, fps: float) -> np.ndarray:
    """Numbers of the file's frames that make the clip.

    Args:
        rule (ClipRule): The clip rule.
        start (int): First frame, at the protocol's rate.
        frames (int): Frames in the file.
        fps (float): Their rate.

    Returns:
        np.ndarray: int64, shape (length,); nearest frames when the rates differ.
    """
    wanted = start + np.arange(rule.length) * rule.stride
    if rule.fps is not None:
        wanted = np.rint(wanted * fps / rule.fps).astype(np.int64)
    return np.minimum(wanted, frames - 1).astype(np.int64)


def plan_trials(windows: Sequence[int], protocol: Protocol, side: str) -> list[list[Clip]]:
    """Draw the clips of every trial.

    Args:
        windows (Sequence[int]): For every video, how many places a clip can start at; each at least 1.
        protocol (Protocol): The protocol.
        side (str): 'real' or 'fake'.

    Returns:
        list[list[Clip]]: For each trial its clips, sorted.

    Raises:
        UserError: If there are fewer clips than the protocol asks for and it does not allow that.
    """
    if side not in SIDES:
        raise ValueError(f'side must be one of {SIDES}, got {side!r}')
    rule, mode = protocol.sampling, getattr(protocol.sampling, side)
    counts = np.asarray(windows, dtype=np.int64)
    capacity = int(_candidates(counts, mode, protocol.clips.span).sum())
    if capacity < rule.num_clips and rule.fewer not in (side, 'both'):
        kind = 'real' if side == 'real' else 'generated'
        raise UserError(
            f'the protocol {protocol.name} asks for {rule.num_clips} {kind} clips of {protocol.clips.length} frames, '
            f'but there are only {capacity} (sampling {mode!r}, {len(counts)} usable videos); provide more videos, or '
            f'lower the number with --protocol-options sampling.num_clips={capacity}')
    if capacity < 2:
        raise UserError(f'the {side} set has {capacity} clip; a distance of sets needs at least two on each side')
    return [_draw(counts, mode, protocol.clips.span, min(rule.num_clips, capacity),
                  np.random.default_rng((rule.seed, trial, SIDES.index(side)))) for trial in range(rule.trials)]


def plan_over_time(windows: Sequence[int], protocol: Protocol) -> list[list[Clip]]:
    """Clips at successive times of the generated videos: entry k holds every video's k-th window.

    Args:
        windows (Sequence[int]): For every video, how many places a clip can start at.
        protocol (Protocol): The protocol.

    Returns:
        list[list[Clip]]: One list for each window that all videos have; windows do not overlap.
    """
    span = protocol.clips.span
    steps = (min(windows) - 1) // span + 1
    videos = _draw(np.asarray(windows), 'first', span, min(protocol.sampling.num_clips, len(windows)),
                   np.random.default_rng((protocol.sampling.seed, 0, SIDES.index('fake'))))
    return [[Clip(clip.video, step * span) for clip in videos] for step in range(steps)]


def unique_clips(plans: Sequence[Sequence[Clip]]) -> tuple[list[Clip], list[np.ndarray]]:
    """All clips once, in order, and for each plan the places of its clips among them.

    Args:
        plans (Sequence[Sequence[Clip]]): Lists of clips.

    Returns:
        tuple: The sorted clips, and one int64 array for each plan.
    """
    clips = sorted(set().union(*map(set, plans)))
    place = {clip: number for number, clip in enumerate(clips)}
    return clips, [np.asarray([place[clip] for clip in plan], dtype=np.int64) for plan in plans]


def _candidates(windows: np.ndarray, mode: str, span: int) -> np.ndarray:
    """How many clips every video can give."""
    if mode in ('first', 'random'):
        return np.ones_like(windows)
    return windows if mode == 'windows' else (windows - 1) // span + 1


def _draw(windows: np.ndarray, mode: str, span: int, number: int, random: np.random.Generator) -> list[Clip]:
    counts = _candidates(windows, mode, span)
    ends = np.cumsum(counts)
    total = int(ends[-1])
    chosen = np.arange(total) if number >= total else np.sort(random.choice(total, number, replace=False))
    videos = np.searchsorted(ends, chosen, side='right')
    starts = chosen - (ends - counts)[videos]
    if mode == 'random':
        starts = random.integers(windows[videos])
    elif mode == 'tiles':
        starts = starts * span
    return [Clip(int(video), int(start)) for video, start in zip(videos, starts)]
