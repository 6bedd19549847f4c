"""Which clips of which videos a trial measures: pure functions of video lengths, protocol and seed."""

from typing import NamedTuple, Sequence

import numpy as np

from leokit.evaluation.protocol import ClipRule, Protocol
from leokit.utils import UserError

SETS = ('real', 'fake')


class Clip(NamedTuple):
    """A clip: ``video`` is the index of a video in its set, ``start`` a frame at the protocol's rate."""

    video: int
    start: int


def plan_trials(windows: Sequence[int], protocol: Protocol, set_name: str) -> list[list[Clip]]:
    """Sample the clips of every trial.

    Args:
        windows (Sequence[int]): For every video, the number of frames at which a clip can start; each at least 1.
        protocol (Protocol): The protocol.
        set_name (str): 'real' or 'fake'.

    Returns:
        list[list[Clip]]: The sorted clips of each trial.
    """
    if set_name not in SETS:
        raise ValueError(f'set_name must be one of {SETS}, got {set_name!r}')
    rule, mode = protocol.sampling, getattr(protocol.sampling, set_name)
    counts = np.asarray(windows)
    capacity = int(_candidates(counts, mode, protocol.clips).sum())
    if capacity < rule.num_clips and rule.fewer not in (set_name, 'both'):
        kind = 'real' if set_name == 'real' else 'generated'
        raise UserError(
            f'the protocol {protocol.name} requires {rule.num_clips} {kind} clips of {protocol.clips.length} frames, '
            f'but there are only {capacity} (sampling {mode!r}, {len(counts)} usable videos); provide more videos, or '
            f'lower the number with --protocol-options sampling.num_clips={capacity}')
    if capacity < 2:
        raise UserError(f'the {set_name} set has {capacity} clip; a distance of sets needs at least two in each set')
    return [_sample(counts, mode, protocol.clips, rule.num_clips,
                    np.random.default_rng((rule.seed, trial, SETS.index(set_name)))) for trial in range(rule.trials)]


def plan_over_time(windows: Sequence[int], protocol: Protocol) -> list[list[Clip]]:
    """Clips at successive times of the generated videos.

    Args:
        windows (Sequence[int]): For every video, the number of frames at which a clip can start.
        protocol (Protocol): The protocol.

    Returns:
        list[list[Clip]]: Entry k is the k-th window of every video, as far as all videos have one; windows do not
        overlap.
    """
    span = protocol.clips.span
    steps = (min(windows) - 1) // span + 1
    videos = _sample(np.asarray(windows), 'first', protocol.clips, protocol.sampling.num_clips,
                     np.random.default_rng((protocol.sampling.seed, 0, SETS.index('fake'))))
    return [[Clip(clip.video, step * span) for clip in videos] for step in range(steps)]


def unique_clips(plans: Sequence[Sequence[Clip]]) -> tuple[list[Clip], list[np.ndarray]]:
    """All clips of several plans once, sorted, and for each plan the indices of its clips (int64)."""
    clips = sorted(set().union(*map(set, plans)))
    index = {clip: number for number, clip in enumerate(clips)}
    return clips, [np.asarray([index[clip] for clip in plan], dtype=np.int64) for plan in plans]


def _candidates(windows: np.ndarray, mode: str, rule: ClipRule) -> np.ndarray:
    """Number of clips that every video can contribute."""
    if mode in ('first', 'random'):
        return np.ones_like(windows)
    span = rule.span
    if mode == 'interleaved':  # whole segments of length * stride frames, with as many clips as the stride
        return (windows + span - 1) // (rule.length * rule.stride) * rule.stride
    return windows if mode == 'windows' else (windows - 1) // span + 1


def _sample(windows: np.ndarray, mode: str, rule: ClipRule, number: int, random: np.random.Generator) -> list[Clip]:
    # Candidates are numbered video by video; up to `number` are sampled and converted to (video, start).
    counts = _candidates(windows, mode, rule)
    ends = np.cumsum(counts)
    total = int(ends[-1])
    chosen = np.arange(total) if number >= total else np.sort(random.choice(total, number, replace=False))
    videos = np.searchsorted(ends, chosen, side='right')
    starts = chosen - (ends - counts)[videos]
    if mode == 'random':
        starts = random.integers(windows[videos])
    elif mode == 'tiles':
        starts = starts * rule.span
    elif mode == 'interleaved':
        starts = starts // rule.stride * rule.length * rule.stride + starts % rule.stride
    return [Clip(int(video), int(start)) for video, start in zip(videos, starts)]
