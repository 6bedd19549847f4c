"""Statistics of single clips, to compare generated videos of several origins that start at the same frames.

Distances of distributions need hundreds of clips. These are properties of one clip each, so a few dozen give a mean
with an error, and clips of two origins with the same name are compared in pairs. None of them says alone that a video
is good: a frozen clip keeps its content perfectly.
"""

import math
from typing import Callable, Mapping, NamedTuple, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.metrics.acd import average_content_distance, content_drift
from leokit.metrics.motion_statistics import dispersion, drift, jitter
from leokit.metrics.sharpness import high_frequency_detail
from leokit.utils import check_shape
from leokit.utils.tables import MISSING, markdown_table

STATISTICS = ('acd', 'content_drift', 'jitter', 'spread', 'drift', 'range', 'sharpness')
SEGMENTS = 4  # of a clip; drift compares the last with the first
MIN_FRAMES = 2 * SEGMENTS

Features = Callable[[Tensor], Tensor]  # frames (T, 3, S, S) in [-1, 1] -> features (T, d), NaN where not detected


class ClipSet(NamedTuple):
    """Clips of one origin.

    Attributes:
        values (dict[str, dict[str, float]]): By the name of the clip, :func:`clip_statistics`.
    """

    values: dict[str, dict[str, float]]

    def mean(self, statistic: str) -> tuple[float, float, int]:
        """Mean of a statistic, its standard error and the number of clips in which it is defined."""
        return _mean([values[statistic] for values in self.values.values()])


@torch.no_grad()
def clip_statistics(frames: Tensor, content: Features, motion: Features) -> dict[str, float]:
    """Statistics of one clip.

    ``acd``: mean distance of the content features of two frames. ``content_drift``: distance of the content features of
    the last quarter from the first frame's. ``jitter``: mean third difference of the motion features; ``spread``: their
    root mean square distance from their mean; ``drift``: distance of the means of the last and the first quarter;
    ``range``: largest distance from the first frame. ``sharpness``: fine detail of all other frames over that of the
    first, which is real in a conditional sample.

    Args:
        frames (Tensor): Shape (T, 3, S, S) in [-1, 1], T >= 8.
        content (Features): Features of what is shown, such as an identity embedding.
        motion (Features): Features of the motion, such as landmarks or motion codes.

    Returns:
        dict[str, float]: By the names in ``STATISTICS``. Statistics of motion are NaN if a frame has no motion
        features; those of content leave such frames out.
    """
    check_shape('frames', frames, (None, 3, None, None))
    if len(frames) < MIN_FRAMES:
        raise ValueError(f'a clip needs at least {MIN_FRAMES} frames, got {len(frames)}')
    described, moved = content(frames)[None], motion(frames)[None].double()
    if not moved.isfinite().all():
        moved = torch.full_like(moved, math.nan)
    away = content_drift(described)[0][-(len(frames) // SEGMENTS):]
    detail = high_frequency_detail(frames.float()).mean((1, 2, 3)).double()
    values = dict(
        acd=average_content_distance(described).value[0], content_drift=away.nanmean(), jitter=jitter(moved)[0],
        spread=dispersion(moved, 1)[0, 0], drift=drift(moved, SEGMENTS)[0, -1],
        range=(moved - moved[:, :1]).norm(dim=-1).max(),
        sharpness=detail[1:].mean() / detail[0] if detail[0] > 0 else torch.tensor(math.nan))
    return {name: float(values[name]) for name in STATISTICS}


def paired_difference(first: ClipSet, second: ClipSet, statistic: str) -> tuple[float, float, int]:
    """Mean of second minus first over the clips that both have by name, its standard error, and their number."""
    names = [name for name in first.values if name in second.values]
    return _mean([second.values[name][statistic] - first.values[name][statistic] for name in names])


def clip_table(sets: Mapping[str, ClipSet]) -> str:
    """Means and standard errors as a Markdown table; below, differences of paired clips from the first set."""
    rows = [[label, *(_cell(part.mean(statistic)) for statistic in STATISTICS), str(len(part.values))]
            for label, part in sets.items()]
    (reference, first), *others = sets.items()
    for label, part in others:
        paired = len(first.values.keys() & part.values.keys())
        if paired:
            rows.append([f'{label} - {reference}, paired', *(
                _cell(paired_difference(first, part, statistic)) for statistic in STATISTICS), str(paired)])
    return markdown_table(['', *STATISTICS, 'clips'], rows)


def _mean(values: Sequence[float]) -> tuple[float, float, int]:
    defined = np.asarray([value for value in values if not math.isnan(value)], dtype=np.float64)
    if not len(defined):
        return math.nan, math.nan, 0
    error = float(defined.std(ddof=1) / math.sqrt(len(defined))) if len(defined) > 1 else math.nan
    return float(defined.mean()), error, len(defined)


def _cell(score: tuple[float, float, int]) -> str:
    mean, error, count = score
    if not count:
        return MISSING
    return f'{mean:.3g}' if math.isnan(error) else f'{mean:.3g} ± {error:.2g}'
