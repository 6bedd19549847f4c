"""Clips without a face, or with several people."""

import numpy as np

from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding

MIN_AREA = 0.25  # of the largest face; smaller ones are people in the background
MIN_SHARE = 0.5  # of the searched frames


def find_faces(clip: ClipMeasures) -> list[Finding]:
    """Clips that show no face, or several people.

    ``'no_face'``: at least half of the searched frames show none. ``'several_faces'``: at least half show two or more,
    of which the second is at least a quarter as large as the first. Value: the share of such frames.
    """
    if not clip.faces:
        return []
    counts = np.array([_count(boxes) for boxes in clip.faces])
    found = []
    for reason, share in (('no_face', (counts == 0).mean()), ('several_faces', (counts > 1).mean())):
        if share >= MIN_SHARE:
            found.append(Finding(reason, 0, len(clip), round(float(share), 3)))
    return found


def _count(boxes: np.ndarray) -> int:
    if len(boxes) == 0:
        return 0
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return int((areas >= MIN_AREA * areas.max()).sum())
