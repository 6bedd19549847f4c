"""Attention checks: a video of the study against a degraded version that no attentive rater prefers."""

from typing import NamedTuple, Sequence

import numpy as np

CHECK_KINDS = ('noise', 'shuffled', 'frozen')
# Mean absolute difference to the first frame, in gray levels of 255, below which a frozen or shuffled video could pass
# unnoticed; such a video gets noise instead. Talking heads of a few seconds lie between 2 and 32, half of them above 9.
MIN_MOTION = 4.0
NOISE_CELL = 8  # width and height of a noise block in pixels: H.264 smooths finer noise away


class DegradedVideo(NamedTuple):
    """Frames of a degraded video, uint8 (T, H, W, 3), and the kind of degradation."""

    frames: np.ndarray
    kind: str


def motion_strength(frames: np.ndarray) -> float:
    """Mean absolute difference of uint8 frames (T, H, W, 3) to the first frame, in gray levels."""
    return float(np.abs(frames[1:].astype(np.int16) - frames[0]).mean())


def degrade_video(frames: np.ndarray, kind: str, rng: np.random.Generator) -> DegradedVideo:
    """Degrade a video for an attention check.

    Args:
        frames (np.ndarray): uint8, shape (T, H, W, 3), T at least 2.
        kind (str): ``'noise'`` (coarse colored noise over every frame), ``'shuffled'`` (frames in random order) or
            ``'frozen'`` (the first frame throughout). A video with little motion gets noise in any case.
        rng (np.random.Generator): Source of randomness.

    Returns:
        DegradedVideo: Frames of the same shape, and the kind that was applied.
    """
    if kind not in CHECK_KINDS:
        raise ValueError(f'kind must be one of {CHECK_KINDS}, got {kind!r}')
    if kind != 'noise' and motion_strength(frames) < MIN_MOTION:
        kind = 'noise'
    if kind == 'frozen':
        return DegradedVideo(np.broadcast_to(frames[:1], frames.shape), kind)
    if kind == 'shuffled':
        return DegradedVideo(frames[_scattered_order(len(frames), rng)], kind)
    length, height, width, _ = frames.shape
    cells = (length, -(-height // NOISE_CELL), -(-width // NOISE_CELL), 3)
    # uint8 throughout, since whole clips are in memory: 170 of noise + 85 of the video
    noise = rng.integers(0, 171, cells, dtype=np.uint8)
    noise = noise.repeat(NOISE_CELL, axis=1).repeat(NOISE_CELL, axis=2)[:, :height, :width]
    return DegradedVideo(frames // 3 + noise, kind)


def _scattered_order(length: int, rng: np.random.Generator, candidates: int = 32) -> Sequence[int]:
    """The one of several random permutations whose neighbors are farthest apart in time."""
    orders = [rng.permutation(length) for _ in range(candidates)]
    return max(orders, key=lambda order: int(np.abs(np.diff(order)).sum()))
