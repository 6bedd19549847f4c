"""How well the expressions of an animated face follow the driving face: metrics and a contact sheet."""

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
from leokit.metrics.sharpness import high_frequency_detail
from leokit.models import Animator
from leokit.utils import UserError, progress_bar
from leokit.utils.modules import device_of
from leokit.utils.tables import markdown_table
from leokit.visualization import reconstruction_sheet

MAX_ROWS = 16  # of the sheet


class _Transfers(NamedTuple):
    """P pairs and their animation."""

    source: Tensor  # (P, 3, S, S)
    driving: Tensor  # (P, 3, S, S)
    prediction: Tensor  # (P, 3, S, S): the source with the motion of the driving frame
    flow: Tensor  # (P, 2, S, S)
    mask: Tensor  # (P, 1, S, S)
    still: Tensor  # (P, 3, S, S): the source with its own motion

    def row(self, index: int) -> '_Transfers':
        return _Transfers(*(tensor[index] for tensor in self))


class ExpressionReport:
    """Result of :func:`measure_expressions`.

    Attributes:
        scores (dict[str, ExpressionScore]): By region (``mouth``, ``eyes``) or parameter of a synthetic face.
    """

    def __init__(self) -> None:
        self.scores: dict[str, ExpressionScore] = defaultdict(ExpressionScore)
        self._rows: list[tuple[float, str, _Transfers]] = []

    def add_row(self, change: float, title: str, transfer: _Transfers) -> None:
        """Add a pair to those that the sheet may show."""
        self._rows.append((change, title, transfer))

    def values(self) -> dict[str, dict[str, float]]:
        """For every region, :meth:`~leokit.metrics.expressions.ExpressionScore.values`."""
        return {part: score.values() for part, score in self.scores.items()}

    def table(self) -> str:
        """The values as a Markdown table."""
        rows = [[part, *(f'{value[key]:.2f}' for key in ('driven', 'ratio_l1', 'sharpness')), str(value['pairs'])]
                for part, value in self.values().items()]
        return markdown_table(['region', 'driven', 'ratio_l1', 'sharpness', 'pairs'], rows)

    def sheet(self) -> np.ndarray:
        """The largest changes, one per video and region, uint8 (height, width, 3)."""
        rows = sorted(self._rows, key=lambda row: -row[0])[:MAX_ROWS]
        columns = [torch.stack(column) for column in zip(*(row[2][:5] for row in rows))]
        return reconstruction_sheet(*columns, names=[title for _, title, _ in rows])


@torch.no_grad()
def measure_expressions(animator: Animator, dataset: VideoDataset, find: PairFinder) -> ExpressionReport:
    """Transfer expressions between frames of the same face in the same pose.

    Args:
        animator (Animator): In evaluation mode.
        dataset (VideoDataset): Videos at the animator's resolution.
        find (PairFinder): Finds the pairs of a video: :class:`~leokit.analysis.LandmarkPairs` or
            :class:`~leokit.analysis.SyntheticPairs`.

    Returns:
        ExpressionReport: Metrics and a sheet.
    """
    report = ExpressionReport()
    with progress_bar(len(dataset.videos), 'expressions', unit='video') as bar:
        for video in dataset.videos:
            frames, pairs_by_part = find(dataset, video)
            for part, pairs in pairs_by_part.items():
                score = report.scores[part]
                if not pairs:
                    continue
                result = _transfer(animator, frames, [pair.source for pair in pairs], [pair.driving for pair in pairs])
                details = [high_frequency_detail(images) for images in (result.driving, result.prediction)]
                for index, pair in enumerate(pairs):
                    region = _region(pair, frames)
                    score.add(*(images[index][region] for images in (
                        result.source, result.driving, result.prediction, result.still)),
                        details=tuple(images[index][region] for images in details))
                # the first two are one pair in both directions; show the eyes that close, the mouth that opens
                shown = 0 if (pairs[0].change > 0) == (part != 'eyes') else 1
                report.add_row(abs(pairs[shown].change), f'{video.name} {part}', result.row(shown))
            bar.update()
    if not any(score.pairs for score in report.scores.values()):
        raise UserError('no video has two frames of a face in the same pose with different mouth or eyes; use longer '
                        'videos of faces, or other filters')
    return report


def _transfer(animator: Animator, frames: Tensor, sources: list[int], drivers: list[int]) -> _Transfers:
    used = sorted({*sources, *drivers})
    # frame -> row of the encoding
    source, driver = (torch.tensor([used.index(index) for index in indices]) for indices in (sources, drivers))
    encoded = encode(animator, frames[used])
    parts = []
    for start in range(0, len(source), CHUNK_SIZE):
        rows = source[start:start + CHUNK_SIZE].to(device_of(animator))
        encoding = Encoding(encoded.appearance[rows], encoded.motion[rows],
                            tuple(level[rows] for level in encoded.features))
        moved = animator.animate(encoding, encoded.motion[driver[start:start + CHUNK_SIZE].to(rows.device)])
        still = animator.animate(encoding, encoding.motion)
        parts.append([tensor.float().cpu() for tensor in (
            moved.frames.clamp(-1, 1), moved.flows[-1], moved.masks[-1], still.frames.clamp(-1, 1))])
    prediction, flow, mask, still = (torch.cat(tensors) for tensors in zip(*parts))
    return _Transfers(frames[sources], frames[drivers], prediction, flow, mask, still)


def _region(pair: ExpressionPair, frames: Tensor) -> tuple[slice | Tensor, ...]:
    """Index of the pixels of a frame (3, S, S) that are compared."""
    if pair.region is None:
        return slice(None), (frames[pair.source] != frames[pair.driving]).any(0)
    left, top, right, bottom = (min(max(round(edge), 0), frames.shape[-1] - 1) for edge in pair.region)
    return slice(None), slice(top, bottom + 1), slice(left, right + 1)
