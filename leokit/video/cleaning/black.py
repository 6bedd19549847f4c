"""Black frames and black borders (letterbox, pillarbox)."""

import numpy as np

from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding, runs

BLACK_LEVEL = 24  # largest luma of black; video black is 0, and compression adds noise
BLACK_SHARE = 0.98  # of the pixels of a black frame
MIN_BORDER = 0.01  # of the side
MAX_LIT = 0.01  # share of the pixels of a row of a border that are not black; compression may blur its edge
MIN_LIT = 0.4  # the same of the first rows of the picture
EDGE = 3  # these rows


def find_black_frames(clip: ClipMeasures) -> list[Finding]:
    """Runs of frames of which at least 98 % of the pixels are black; value: the largest share."""
    return [Finding('black', start, end, round(float(clip.black[start:end].max()), 3))
            for start, end in runs(clip.black >= BLACK_SHARE)]


def find_borders(clip: ClipMeasures) -> list[Finding]:
    """Borders that are black in all frames; value: the share of the frame they cover; box: the picture inside.

    A border begins at the edge of the frame and ends in a straight line: the next rows of pixels are lit over a good
    part of their length. So a dark background around a person is none.
    """
    height, width = clip.size
    top, left = _border(clip.rows), _border(clip.columns)
    bottom, right = height - _border(clip.rows[::-1]), width - _border(clip.columns[::-1])
    if (top, left, bottom, right) == (0, 0, height, width) or bottom <= top or right <= left:
        return []
    covered = 1 - (bottom - top) * (right - left) / (height * width)
    return [Finding('borders', 0, len(clip), round(covered, 3), (left, top, right, bottom))]


def lit_shares(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of pixels that are not black, of the rows (H,) and the columns (W,) of an image uint8 (H, W)."""
    lit = luma > BLACK_LEVEL
    return lit.mean(axis=1, dtype=np.float32), lit.mean(axis=0, dtype=np.float32)


def _border(lit: np.ndarray) -> int:
    """Thickness of the border at the start of rows or columns, of which ``lit`` are the shares of lit pixels."""
    inside = np.flatnonzero(lit > MAX_LIT)
    if len(inside) == 0 or inside[0] < max(1, MIN_BORDER * len(lit)):
        return 0
    start = int(inside[0])
    return start if lit[start:start + EDGE].max() >= MIN_LIT else 0
