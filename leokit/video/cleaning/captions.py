"""Captions: text that stays in place at the top or bottom of the frame.

Letters are strokes: along a row of pixels, steep rises and falls of brightness a few pixels apart. A row of text has
many of them, and they stay in place, while the person moves.
"""

import cv2
import numpy as np

from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding, runs

MIN_STEP = 30  # gray levels between the pixels left and right of an edge
STROKE = 1 / 64  # of the height: from an edge to the opposite one at most
TOP, BOTTOM = 0.2, 0.3  # parts of the height that are searched
LINE_HEIGHT = 1 / 40  # of the height; smaller text cannot be read
KEPT_FRAMES = 3  # consecutive sampled frames, about three quarters of a second, in which text stays
GAP = 6  # line heights above and below a line within which there is a gap; a textured ground has none
MAX_AROUND = 0.25  # density in the gap, relative to the line's
MIN_DENSITY = 0.3  # share of a line's pixels that are edges of strokes; real clips without text stay below


def stroke_edges(image: np.ndarray) -> np.ndarray:
    """Steep edges with an opposite one nearby: bool (H, W), of a gray image uint8 (H, W)."""
    step = np.zeros(image.shape, np.int16)
    step[:, 1:-1] = image[:, 2:].astype(np.int16) - image[:, :-2]
    rise, fall = (step > MIN_STEP).astype(np.uint8), (step < -MIN_STEP).astype(np.uint8)
    near = np.ones((1, 2 * max(1, round(STROKE * len(image))) + 1), np.uint8)
    both = cv2.dilate(rise, near) & cv2.dilate(fall, near)
    return ((rise | fall) & both).astype(bool)


def text_density(edges: np.ndarray) -> float:
    """The largest share of edges in a line of text at the top or bottom; ``edges`` is bool (H, W)."""
    height = len(edges)
    line = max(4, round(LINE_HEIGHT * height))
    if height < 4 * line:
        return 0.0
    totals = np.concatenate([[0.0], np.cumsum(edges.mean(axis=1))])
    density = (totals[line:] - totals[:-line]) / line  # of the lines that start at each row
    padded = np.pad(density, GAP * line)  # 0 beyond the frame
    around = np.lib.stride_tricks.sliding_window_view(padded, GAP * line)
    emptiest = np.maximum(around[:len(density)].min(axis=1), around[-len(density):].min(axis=1))
    density[emptiest > MAX_AROUND * density] = 0
    return float(max(density[:max(1, int(TOP * height) - line + 1)].max(),
                     density[min(int((1 - BOTTOM) * height), len(density) - 1):].max()))


def find_captions(clip: ClipMeasures) -> list[Finding]:
    """Lines of text at the top or bottom that stay for a second or more; value: the density of their strokes."""
    found = []
    ends = np.append(clip.sampled, len(clip))
    for start, end in runs(clip.text >= MIN_DENSITY):
        first = max(0, start - KEPT_FRAMES + 1)
        found.append(Finding('caption', int(clip.sampled[first]), int(ends[end]),
                             round(float(clip.text[start:end].max()), 3)))
    return found
