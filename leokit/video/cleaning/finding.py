"""What a check of a clip reports."""

from typing import NamedTuple

import numpy as np


class Finding(NamedTuple):
    """A defect of a clip.

    Attributes:
        reason (str): Name of the check, a key of :data:`~leokit.video.cleaning.inspection.CHECKS`; the check
            ``'faces'`` reports ``'no_face'`` and ``'several_faces'``.
        start (int): First frame concerned. Of a scene cut: the first frame of the new shot.
        end (int): End of the frames concerned (excluded). Of a scene cut: ``start + 1``.
        value (float): The value that the check compares with its threshold; see the function of the check.
        box (tuple[int, int, int, int], optional): Of black borders: the picture inside them; left, top, right, bottom
            in pixels of the frames, right and bottom excluded.
    """

    reason: str
    start: int
    end: int
    value: float
    box: tuple[int, int, int, int] | None = None


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First index and end (excluded) of every run of True in a mask (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
