"""Whether the expressions of a face follow an animator's driver: figures, and a sheet to look at."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.expression_pairs import PairFinder
from leokit.datasets.video_dataset import VideoDataset
from leokit.encoders import Encoding
from leokit.inference.rendering import CHUNK_SIZE, encode
from leokit.metrics.expressions import ExpressionPair, ExpressionScore
from leokit.models import Animator
from leokit.utils import UserError, progress_bar
from leokit.utils.modules import device_of
from leokit.visualization import reconstruction_sheet

MAX_ROWS = 16  # rows of a sheet


class _Transfers(NamedTuple):
    """Pairs and what was made of them: (P, 3, S, S) frames, (P, 2, S, S) flows and (P, 1, S, S) masks."""

    source: Tensor
    driving: Tensor
    prediction: Tensor
    flow: Tensor
    mask: Tensor
    still: Tensor

    def row(self, index: int) -> '_Transfers':
        return _Transfers(*(tensor[index] for tensor in self))


class ExpressionReport:
    """What :func:`measure_expressions` finds.

    Attributes:
        scores (dict[str, ExpressionScore]): By region or parameter: ``mouth`` and ``eyes``, or those of drawn faces.
    """

    def __init__(self) -> None:
        self.scores: dict[str, ExpressionScore] = defaultdict(ExpressionScore)
        self._shown: list[tuple[float, str, _Transfers]] = []

    def show(self, change: float, title: str, transfer: _Transfers) -> None:
        """Keep a pair for the sheet."""
        self._shown.append((change, title, transfer))

    def values(self) -> dict[str, dict[str, float]]:
        """For every part what :meth:`~leokit.metrics.expressions.ExpressionScore.values` gives."""
        return {part: score.values() for part, score in self.scores.items()}

    def table(self) -> str:
        """The values as a markdown table."""
        rows = [f'| {part} | {value["driven"]:.2f} | {value["ratio_l1"]:.2f} | {value["pairs"]} |'
                for part, value in self.values().items()]
        return '\n'.join(['| region | driven | ratio_l1 | pairs |', '|---|---:|---:|---:|', *rows])

    def sheet(self) -> np.ndarray:
        """The greatest changes, one a video and region: mouths that open, eyes that close; uint8 (height, width, 3)."""
        rows = sorted(self._shown, key=lambda row: -row[0])[:MAX_ROWS]
        columns = [torch.stack(column) for column in zip(*(row[2][:5] for row in rows))]
        return reconstruction_sheet(*columns, names=[title for _, title, _ in rows])


@torch.no_grad()
def measure_expressions(animator: Animator, dataset: VideoDataset, find: PairFinder) -> ExpressionReport:
    """Transfer expressions between pictures of the same face whose pose agrees.

    Args:
        animator (Animator): In evaluation mode.
        dataset (VideoDataset): Videos at the animator's size; its filters say which parts of them.
        find (PairFinder): Gives the pairs of a video: :class:`~leokit.pipelines.LandmarkPairs` or
            :class:`~leokit.pipelines.SyntheticPairs`.

    Returns:
        ExpressionReport: Figures and pictures.

    Raises:
        UserError: If no video has such a pair.
    """
    report = ExpressionReport()
    with progress_bar(len(dataset.videos), 'expressions', unit='video') as bar:
        for video in dataset.videos:
            frames, found = find(dataset, video)
            for part, pairs in found.items():
                score = report.scores[part]
                if not pairs:
                    continue
                made = _transfer(animator, frames, [pair.source for pair in pairs], [pair.driving for pair in pairs])
                for index, pair in enumerate(pairs):
                    region = _inside(pair, frames)
                    score.add(*(pictures[index][region] for pictures in (
                        made.source, made.driving, made.prediction, made.still)))
                # of the first two, which are one pair both ways: eyes that close, a mouth that opens, and so on
                best = 0 if (pairs[0].change > 0) == (part != 'eyes') else 1
                report.show(abs(pairs[best].change), f'{video.name} {part}', made.row(best))
            bar.update()
    if not any(score.pairs for score in report.scores.values()):
        raise UserError('no video has two frames with a face whose pose agrees while mouth or eyes differ; '
                        'use longer videos of faces, or other filters')
    return report


def _transfer(animator: Animator, frames: Tensor, sources: list[int], drivers: list[int]) -> _Transfers:
    used = sorted({*sources, *drivers})
    source, driver = (torch.tensor([used.index(place) for place in places]) for places in (sources, drivers))
    known = encode(animator, frames[used])
    parts = []
    for start in range(0, len(source), CHUNK_SIZE):
        here = source[start:start + CHUNK_SIZE].to(device_of(animator))
        encoding = Encoding(known.appearance[here], known.motion[here], tuple(level[here] for level in known.features))
        moved = animator.animate(encoding, known.motion[driver[start:start + CHUNK_SIZE].to(here.device)])
        still = animator.animate(encoding, encoding.motion)
        parts.append([tensor.float().cpu() for tensor in (
            moved.frames.clamp(-1, 1), moved.flows[-1], moved.masks[-1], still.frames.clamp(-1, 1))])
    prediction, flow, mask, still = (torch.cat(tensors) for tensors in zip(*parts))
    return _Transfers(frames[sources], frames[drivers], prediction, flow, mask, still)


def _inside(pair: ExpressionPair, frames: Tensor) -> tuple[slice | Tensor, ...]:
    """An index of the pixels of a picture (3, S, S) that count."""
    if pair.region is None:
        return slice(None), (frames[pair.source] != frames[pair.driving]).any(0)
    left, top, right, bottom = (min(max(round(edge), 0), frames.shape[-1] - 1) for edge in pair.region)
    return slice(None), slice(top, bottom + 1), slice(left, right + 1)
