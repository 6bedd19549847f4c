"""Statistics of single clips, to compare generated videos of several origins that start at the same frames.

Distances of distributions need hundreds of clips. These are properties of one clip each, so a few dozen give a mean
with an error, and clips of two origins with the same name are compared in pairs. Clips of one identity resemble each
other, so each identity has one value, the mean of its clips. None of the statistics says alone that a video is good: a
frozen clip keeps its content perfectly.
"""

import math
from collections import defaultdict
from typing import Callable, Iterable, Mapping, NamedTuple, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.face_dynamics import ACTIONS, DYNAMICS
from leokit.metrics.acd import average_content_distance, content_drift
from leokit.metrics.motion_statistics import dispersion, drift, jitter
from leokit.metrics.sharpness import high_frequency_detail
from leokit.utils import check_shape
from leokit.utils.tables import MISSING, markdown_table

STATISTICS = ('acd', 'content_drift', 'jitter', 'spread', 'drift', 'range', 'sharpness', 'tracked')
SEGMENTS = 4  # of a clip; drift compares the last with the first
MIN_FRAMES = 2 * SEGMENTS
_PAIRS = (('pitch', 'yaw'), ('mouth', 'eyes'))  # signals of face_dynamics in one table

Features = Callable[[Tensor], Tensor]  # frames (T, 3, S, S) in [-1, 1] -> features (T, d), NaN where not detected


class Score(NamedTuple):
    """Mean over identities, its standard error, and their number: those with a clip in which the statistic exists."""

    mean: float
    error: float
    identities: int


class ClipSet(NamedTuple):
    """Clips of one origin.

    Attributes:
        values (dict[str, dict[str, float]]): By the name of the clip, :func:`clip_statistics`, and others.
        identities (Mapping[str, str]): By the name of the clip, who is seen; by default, nobody is seen twice.
    """

    values: dict[str, dict[str, float]]
    identities: Mapping[str, str] = {}

    def mean(self, statistic: str) -> Score:
        """Mean of a statistic over identities."""
        return self._mean({name: values.get(statistic, math.nan) for name, values in self.values.items()})

    def difference(self, other: 'ClipSet', statistic: str) -> Score:
        """Mean of a statistic in another set minus this one's, over the clips that both have by name."""
        return self._mean({name: other.values[name].get(statistic, math.nan) - values.get(statistic, math.nan)
                           for name, values in self.values.items() if name in other.values})

    def _mean(self, values: Mapping[str, float]) -> Score:
        people: dict[str, list[float]] = defaultdict(list)
        for name, value in values.items():
            if not math.isnan(value):
                people[self.identities.get(name, name)].append(value)
        if not people:
            return Score(math.nan, math.nan, 0)
        means = np.asarray([np.mean(clips) for clips in people.values()], dtype=np.float64)
        error = float(means.std(ddof=1) / math.sqrt(len(means))) if len(means) > 1 else math.nan
        return Score(float(means.mean()), error, len(means))


@torch.no_grad()
def clip_statistics(frames: Tensor, content: Features, motion: Features) -> dict[str, float]:
    """Statistics of one clip.

    ``acd``: mean distance of the content features of two frames. ``content_drift``: distance of the content features of
    the last quarter from the first frame's. ``jitter``: mean third difference of the motion features; ``spread``: their
    root mean square distance from their mean; ``drift``: distance of the means of the last and the first quarter;
    ``range``: largest distance from the first frame. ``sharpness``: fine detail of all other frames over that of the
    first, which is real in a conditional sample. ``tracked``: share of frames with motion features.

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
    tracked = moved.isfinite().all(-1).double().mean()
    if not moved.isfinite().all():
        moved = torch.full_like(moved, math.nan)
    away = content_drift(described)[0][-(len(frames) // SEGMENTS):]
    detail = high_frequency_detail(frames.float()).mean((1, 2, 3)).double()
    values = dict(
        acd=average_content_distance(described).value[0], content_drift=away.nanmean(), jitter=jitter(moved)[0],
        spread=dispersion(moved, 1)[0, 0], drift=drift(moved, SEGMENTS)[0, -1],
        range=(moved - moved[:, :1]).norm(dim=-1).max(),
        sharpness=detail[1:].mean() / detail[0] if detail[0] > 0 else torch.tensor(math.nan), tracked=tracked)
    return {name: float(values[name]) for name in STATISTICS}


def clip_table(sets: Mapping[str, ClipSet], statistics: Sequence[str] = STATISTICS) -> str:
    """Means and standard errors as a Markdown table; below, differences of paired clips from the first set.

    The number of identities is in brackets where a statistic exists for fewer than are in the set.
    """
    rows = [_row(label, [part.mean(statistic) for statistic in statistics], part.values, part.identities)
            for label, part in sets.items()]
    (reference, first), *others = sets.items()
    for label, part in others:
        paired = [name for name in first.values if name in part.values]
        differences = [first.difference(part, statistic) for statistic in statistics]
        if any(score.identities and score.mean for score in differences):  # else it is a part of the first set
            rows.append(_row(f'{label} - {reference}, paired', differences, paired, first.identities))
    return markdown_table(['', *statistics, 'clips', 'identities'], rows)


def clip_report(sets: Mapping[str, ClipSet]) -> str:
    """The table of :func:`clip_table`, and those of the dynamics of faces, where they were measured."""
    tables = [clip_table(sets)]
    if any(DYNAMICS[0] in values for part in sets.values() for values in part.values.values()):
        bands = [[name for name in DYNAMICS[len(ACTIONS):] if name.split()[0] in pair] for pair in _PAIRS]
        tables += ['Actions per second:', clip_table(sets, tuple(ACTIONS)),
                   'Root mean square of the angles of the head by frequency, degrees:', clip_table(sets, bands[0]),
                   'The same of the opening of the mouth, in eye distances, and of the aspect ratio of the eyes:',
                   clip_table(sets, bands[1])]
    return '\n\n'.join(tables)


def _row(label: str, scores: Sequence[Score], clips: Iterable[str], identities: Mapping[str, str]) -> list[str]:
    names = list(clips)
    people = len({identities.get(name, name) for name in names})
    return [label, *(_cell(score, people) for score in scores), str(len(names)), str(people)]


def _cell(score: Score, people: int) -> str:
    if not score.identities:
        return MISSING
    text = f'{score.mean:.3g}' if math.isnan(score.error) else f'{score.mean:.3g} ± {score.error:.2g}'
    return text if score.identities == people else f'{text} ({score.identities})'
