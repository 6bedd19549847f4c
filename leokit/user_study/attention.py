"""Attention checks: a real video of the study against a version of it that nobody who looks can prefer."""

from typing import NamedTuple, Sequence

import numpy as np

CHECK_KINDS = ('noise', 'shuffled', 'frozen')
# Mean absolute difference to the first frame, in gray levels of 255, below which freezing or shuffling a video
# could pass unseen; such a video gets noise instead. Talking heads of a few seconds lie between 2 and 32, half of them
# above 9.
MIN_MOTION = 4.0
NOISE_CELL = 8  # pixels a side of one noise block: H.264 smooths finer noise away


class Broken(NamedTuple):
    """A spoilt video: its frames (uint8, (T, H, W, 3)) and how it was spoilt."""

    frames: np.ndarray
    kind: str


def motion_strength(frames: np.ndarray) -> float:
    """Return the mean absolute difference of all frames to the first one.

    Args:
        frames (ndarray): uint8, shape (T, H, W, 3).

    Returns:
        float: In gray levels, 0 to 255.
    """
    return float(np.abs(frames[1:].astype(np.int16) - frames[0]).mean())


def break_video(frames: np.ndarray, kind: str, rng: np.random.Generator) -> Broken:
    """Spoil a video.

    Args:
        frames (ndarray): uint8, shape (T, H, W, 3), T at least 2.
        kind (str): ``'noise'`` (coarse colored noise over every frame), ``'shuffled'`` (frames in random order) or
            ``'frozen'`` (the first frame throughout). A video that hardly moves gets noise in any case.
        rng (Generator): Source of randomness.

    Returns:
        Broken: Frames of the same shape, and the kind that was used.

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind not in CHECK_KINDS:
        raise ValueError(f'kind must be one of {CHECK_KINDS}, got {kind!r}')
    if kind != 'noise' and motion_strength(frames) < MIN_MOTION:
        kind = 'noise'
    if kind == 'frozen':
        return Broken(np.broadcast_to(frames[:1], frames.shape), kind)
    if kind == 'shuffled':
        return Broken(frames[_scattered_order(len(frames), rng)], kind)
    length, height, width, _ = frames.shape
    cells = (length, -(-height // NOISE_CELL), -(-width // NOISE_CELL), 3)
    noise = rng.integers(0, 171, cells, dtype=np.uint8)  # two thirds of the mix; whole clips stay uint8 in memory
    noise = noise.repeat(NOISE_CELL, axis=1).repeat(NOISE_CELL, axis=2)[:, :height, :width]
    return Broken(frames // 3 + noise, kind)


def _scattered_order(length: int, rng: np.random.Generator, draws: int = 32) -> Sequence[int]:
    """Return the permutation, of several drawn, whose neighbors lie farthest apart in time."""
    orders = [rng.permutation(length) for _ in range(draws)]
    return max(orders, key=lambda order: int(np.abs(np.diff(order)).sum()))
