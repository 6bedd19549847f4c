"""Fades and dissolves: frames that are mixtures of earlier and later ones.

In a linear transition the frame in the middle of an interval is the mean of the frames at its ends, though these are
very different. Moving objects do not behave like that, but a camera that pans over soft shapes may. A mean of different
images, however, has less contrast than these, by a fourth of the variance of their difference; a moved image has not.
"""

import numpy as np

from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding, runs

INTERVALS = (0.24, 0.48, 0.96)  # seconds
MIN_DIFFERENCE = 12.0  # gray levels between the ends of an interval
MAX_RESIDUAL = 0.12  # difference of the middle from the mean of the ends, relative to the difference of the ends
BLOCK = 1024  # intervals compared at a time
MIN_CONTRAST_LOST = 0.6  # relative to that of a mean of the ends


def find_fades(clip: ClipMeasures) -> list[Finding]:
    """Fades from and to black or white, dissolves and sudden changes of light that take several frames.

    Value: the largest difference of the ends of an interval, in gray levels.
    """
    fading, differences = np.zeros(len(clip), bool), np.zeros(len(clip), np.float32)
    for seconds in INTERVALS:
        half = clip.frames(seconds / 2, least=2)
        if len(clip) <= 2 * half:
            continue
        difference, residual, contrast_lost = _compare_in_blocks(clip.small, half)
        mixed = ((difference > MIN_DIFFERENCE) & (residual < MAX_RESIDUAL * (difference + 1))
                 & (contrast_lost > MIN_CONTRAST_LOST))
        for start in np.flatnonzero(mixed):
            part = slice(start, start + 2 * half + 1)
            fading[part] = True
            differences[part] = np.maximum(differences[part], difference[start])
    return [Finding('fade', start, end, round(float(differences[start:end].max()), 3)) for start, end in runs(fading)]


def _compare_in_blocks(small: np.ndarray, half: int) -> tuple[np.ndarray, ...]:
    """:func:`_compare` on parts of a long clip, whose wide copies would take ten times its memory."""
    parts = [_compare(small[start:start + BLOCK + 2 * half], half)
             for start in range(0, len(small) - 2 * half, BLOCK)]
    return tuple(map(np.concatenate, zip(*parts)))


def _compare(small: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compare the first, middle and last frames of all intervals of 2 half + 1 frames.

    Returns:
        tuple: Difference of the ends, difference of the middle from their mean, and the contrast that the middle lacks,
        relative to what a mean of the ends lacks (1 if the ends differ in brightness only).
    """
    first, middle, last = (part.astype(np.int16) for part in (small[:-2 * half], small[half:-half], small[2 * half:]))
    axes = (1, 2, 3)
    difference = last - first
    expected = difference.var(axis=axes, dtype=np.float32) / 4
    lost = ((first.var(axis=axes, dtype=np.float32) + last.var(axis=axes, dtype=np.float32)) / 2
            - middle.var(axis=axes, dtype=np.float32))
    return (np.abs(difference).mean(axis=axes, dtype=np.float32),
            np.abs(2 * middle - first - last).mean(axis=axes, dtype=np.float32) / 2,
            (lost + 1) / (expected + 1))
