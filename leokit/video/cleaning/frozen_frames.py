"""Frozen videos, and frames that are repeated by a conversion of the frame rate."""

import numpy as np

from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding, runs

MAX_CHANGE = 0.5  # gray levels in any part of the frame; people who keep still exceed it in every second frame or so
FROZEN_SECONDS = 0.25
REPEATED_SHARE = 0.1  # of the frames
MOTION_FACTOR = 4.0  # frames around a repeated one change this much more


def find_frozen(clip: ClipMeasures) -> list[Finding]:
    """Parts of at least a quarter of a second in which nothing changes; value: their length in seconds."""
    least = clip.frames(FROZEN_SECONDS, least=4)
    still = _still(clip)
    return [Finding('frozen', start - 1, end, round((end - start + 1) / clip.frame_rate, 3))
            for start, end in runs(still) if end - start + 1 >= least]


def find_repeated(clip: ClipMeasures) -> list[Finding]:
    """Single repeated frames between moving ones, if they are more than a tenth of the clip; value: their share."""
    if len(clip) < 4:
        return []
    change = clip.largest_change
    before, after = np.roll(change, 1), np.roll(change, -1)
    repeated = _still(clip) & (np.minimum(before, after) > MOTION_FACTOR * (change + MAX_CHANGE / 2))
    repeated[[0, -1]] = False
    share = float(repeated.mean())
    return [Finding('repeated_frames', 0, len(clip), round(share, 3))] if share > REPEATED_SHARE else []


def _still(clip: ClipMeasures) -> np.ndarray:
    still = clip.largest_change < MAX_CHANGE
    still[:1] = False  # the first frame has none before it
    return still
