"""Motion codes of the procedural data set held against its true parameters.

A linear map from codes should read every motion parameter and nothing of who is seen. The other way round, the true
parameters give directions of the motion space names.
"""

import math
from typing import Any, Mapping

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.factor_grid import FactorGrid
from leokit.datasets import CodeCache
from leokit.metrics.linear_probe import direction_correlations, linear_probe, quantity_directions
from leokit.synthetic_faces import SyntheticTruth
from leokit.utils import UserError

MAX_FRAMES = 200_000  # more add nothing to a map of 20 inputs
READABLE = 0.5  # R² from which a parameter is in the codes clearly enough to name a direction after it


def probe_codes(cache: CodeCache, truth: SyntheticTruth, *, fit: str = 'train', score: str = 'test') -> dict[str, Any]:
    """R² of a linear map from codes to the parameters of motion and of looks, on people it was not fitted on.

    Args:
        cache (CodeCache): Codes of the data set.
        truth (SyntheticTruth): Its true parameters.
        fit (str): Split that the map is fitted on.
        score (str): Split that it is scored on.

    Returns:
        dict: ``motion`` and ``looks``, R² by parameter, NaN for one that does not vary; ``fit`` and ``score``, the
        splits; ``frames``, how many frames of each.

    Raises:
        UserError: If codes and truth do not belong together.
    """
    tables, others = known_frames(cache, truth, fit), known_frames(cache, truth, score)
    codes, test_codes = tables[0], others[0]
    motion, looks = (linear_probe(codes, known, test_codes, test_known).tolist()
                     for known, test_known in zip(tables[1:], others[1:]))
    return dict(motion=dict(zip(truth.motion_names, motion)), looks=dict(zip(truth.looks_names, looks)), fit=fit,
                score=score, frames=[len(codes), len(test_codes)])


def probe_factor_grid(grid: FactorGrid, cache: CodeCache, truth: SyntheticTruth, *,
                   fit: str = 'train') -> dict[str, float]:
    """R² of the true motion of driving videos, read by a linear map from the rendered frames of other people.

    The map is fitted on codes of real frames. In relative transfer, codes and parameters are taken since the first
    frame, which itself does not count.

    Args:
        grid (FactorGrid): People in the motions of videos of the data set.
        cache (CodeCache): Codes of the data set.
        truth (SyntheticTruth): Its true parameters.
        fit (str): Split that the map is fitted on.

    Returns:
        dict: R² by motion parameter, NaN for one that does not vary; empty if the motions are not the data set's.

    Raises:
        UserError: If codes and truth do not belong together.
    """
    people, _, frames, dim = grid.measured_codes.shape
    names = grid.motions.names
    if grid.motions.frames is None or not set(names) <= set(truth.names):
        return {}
    relative = grid.mode == 'relative'
    known = torch.from_numpy(np.stack([truth.motion[truth.index(name), :frames] for name in names]))  # (M, T, K)
    found = grid.measured_codes
    if relative:
        known, found = known - known[:, :1], found - found[:, :, :1]
    codes, motion, _ = known_frames(cache, truth, fit, since_start=relative)
    scores = linear_probe(codes, motion, found[:, :, 1:].reshape(-1, dim),
                          known[:, 1:].expand(people, -1, -1, -1).flatten(0, 2))
    return dict(zip(truth.motion_names, scores.tolist()))


def probe_table(result: Mapping[str, Any]) -> str:
    """What :func:`probe_codes` gives as text, with what :func:`probe_factor_grid` gives if it is under ``rendered``."""
    frames = result['frames']
    lines = [f'R² of a linear map from codes to true parameters, fitted on {frames[0]} frames of {result["fit"]}, '
             f'scored on {frames[1]} of {result["score"]}']
    rendered = result.get('rendered') or {}
    if rendered:
        lines.append(f'  {"":<12}{"codes":>7}{"rendered":>10} (what the driving videos show, read from other people)')
    lines += [f'  {name:<12}{score:>7.3f}' + (f'{rendered[name]:>10.3f}' if rendered else '')
              for name, score in result['motion'].items()]
    varying = {name: score for name, score in result['looks'].items() if not math.isnan(score)}
    if varying:
        best = max(varying, key=varying.get)
        mean = sum(max(score, 0.0) for score in varying.values()) / len(varying)
        lines.append(f'  looks: mean {mean:.3f} (negative ones counted as 0), '
                     f'highest {varying[best]:.3f} ({best}), of {len(varying)} parameters')
    else:
        lines.append(f'  looks: not measured, because {result["score"]} shows one person only')
    return '\n'.join(lines)


def name_directions(cache: CodeCache, truth: SyntheticTruth, result: Mapping[str, Any], *,
                    split: str = 'train') -> dict[str, dict[str, float]]:
    """Name directions after the motion parameters that they move, by one standard deviation at amount 1.

    Args:
        cache (CodeCache): Codes of the data set.
        truth (SyntheticTruth): Its true parameters.
        result (Mapping): What :func:`probe_codes` gives: a parameter that codes do not tell (R² below ``READABLE``)
            names nothing.
        split (str): Split to learn from.

    Returns:
        dict: By parameter, weights by number of the direction, as ``directions.json`` holds them.

    Raises:
        UserError: If codes and truth do not belong together, or no parameter can be read.
    """
    codes, motion, _ = known_frames(cache, truth, split)
    vectors = quantity_directions(codes, motion)
    names = {name: {str(number): round(weight, 6) for number, weight in enumerate(vector.tolist())}
             for name, vector in zip(truth.motion_names, vectors) if result['motion'][name] >= READABLE}
    if not names:
        raise UserError(f'no motion parameter can be read from the codes with an R² of {READABLE}, so there is nothing '
                        'to name directions after; train the animator longer')
    return names


def direction_table(cache: CodeCache, truth: SyntheticTruth, *, split: str = 'train') -> str:
    """Which true parameters go with each single direction, as text: the three that correlate most."""
    codes, motion, _ = known_frames(cache, truth, split)
    deviation = codes.double().std(0)
    lines = ['each direction: deviation of its codes, and the correlation with what it moves most']
    for number, row in enumerate(direction_correlations(codes, motion)):
        most = row.abs().argsort(descending=True)[:3].tolist()
        moved = ', '.join(f'{truth.motion_names[index]} {row[index]:+.2f}' for index in most)
        lines.append(f'  {number:>3}{deviation[number]:>9.3f}  {moved}')
    return '\n'.join(lines)


def known_frames(cache: CodeCache, truth: SyntheticTruth, split: str, *,
                 since_start: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Codes and true parameters of the frames of one split, at most :data:`MAX_FRAMES`.

    Args:
        cache (CodeCache): Codes of the data set.
        truth (SyntheticTruth): Its true parameters.
        split (str): The split.
        since_start (bool): Whether codes and motion are taken since the first frame of their video.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Codes (n, N), motion (n, K) and looks (n, L), one row a frame.

    Raises:
        UserError: If codes and truth do not belong together.
    """
    rows = {name: row for row, name in enumerate(truth.names)}
    videos = [video for video in cache.videos if video.split == split and video.name in rows]
    if not videos:
        raise UserError(f'the code cache has no video of split {split!r} that the truth knows; extract the codes of '
                        'the data set that --truth names, all splits of it')
    longer = [video.name for video in videos if video.length > truth.motion.shape[1]]
    if longer:
        raise UserError(f'the video {longer[0]} has more codes than the truth has frames, so --codes and --truth '
                        'belong to different data sets; extract the codes of the one that --truth names')
    origin = 1 if since_start else 0
    codes, motion = (np.concatenate([table - origin * table[:1] for table in tables]) for tables in (
        [cache.codes[video.offset:video.offset + video.length] for video in videos],
        [truth.motion[rows[video.name]][:video.length] for video in videos]))
    looks = np.concatenate([truth.looks[rows[video.name]][None].repeat(video.length, 0) for video in videos])
    step = -(-len(codes) // MAX_FRAMES)
    return tuple(torch.from_numpy(np.ascontiguousarray(table[::step])) for table in (codes, motion, looks))
