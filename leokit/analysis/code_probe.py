"""Linear probes from motion codes of SyntheticFaces to its ground-truth parameters.

A linear map from codes should predict every motion parameter and no appearance parameter. The opposite map, from
motion parameters to codes, gives names to directions of the motion space.
"""

import math
from collections.abc import Sequence
from typing import Any, Mapping, NamedTuple

import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor

from leokit.analysis.factor_grid import FactorGrid
from leokit.datasets import CodeCache
from leokit.metrics.linear_probe import direction_correlations, linear_probe, quantity_directions
from leokit.synthetic_faces import SyntheticTruth
from leokit.utils import UserError
from leokit.utils.tables import MISSING, markdown_table

MAX_FRAMES = 200_000  # enough for a map of 20 inputs
MIN_R2 = 0.5  # minimum for a parameter to count as predictable from codes


class LabeledFrames(NamedTuple):
    """Codes of frames and their ground-truth parameters."""

    codes: Tensor  # (n, N)
    motion: Tensor  # (n, K)
    appearance: Tensor  # (n, L)


def probe_codes(cache: CodeCache, truth: SyntheticTruth, *, fit: str = 'train', score: str = 'test') -> dict[str, Any]:
    """R² of a linear map from codes to the parameters of motion and of appearance, on held-out identities.

    Args:
        cache (CodeCache): Codes of the dataset.
        truth (SyntheticTruth): Its ground-truth parameters.
        fit (str): Split that the map is fitted on.
        score (str): Split that it is evaluated on.

    Returns:
        dict: ``motion`` and ``appearance``, R² by parameter (NaN for a constant one); ``fit`` and ``score``, the
        splits; ``frames``, the number of frames of each.
    """
    train, test = labeled_frames(cache, truth, fit), labeled_frames(cache, truth, score)
    motion = linear_probe(train.codes, train.motion, test.codes, test.motion).tolist()
    appearance = linear_probe(train.codes, train.appearance, test.codes, test.appearance).tolist()
    return dict(motion=dict(zip(truth.motion_names, motion)), appearance=dict(zip(truth.appearance_names, appearance)),
                fit=fit, score=score, frames=[len(train.codes), len(test.codes)])


def probe_factor_grid(grid: FactorGrid, cache: CodeCache, truth: SyntheticTruth, *,
                      fit: str = 'train') -> dict[str, float]:
    """R² of the ground-truth motion of driving videos, predicted from the frames rendered with other identities.

    The linear map is fitted on codes of real frames. In relative transfer, codes and parameters are differences to the
    first frame, which is excluded.

    Args:
        grid (FactorGrid): Motions of videos of the dataset, applied to other identities.
        cache (CodeCache): Codes of the dataset.
        truth (SyntheticTruth): Its ground-truth parameters.
        fit (str): Split that the map is fitted on.

    Returns:
        dict: R² by motion parameter (NaN for a constant one); empty if the motions are not of the dataset.
    """
    num_identities, _, frames, _ = grid.measured_codes.shape
    names = grid.motions.names
    if grid.motions.frames is None or not set(names) <= set(truth.names):
        return {}
    relative = grid.mode == 'relative'
    expected = torch.from_numpy(np.stack([truth.motion[truth.index(name), :frames] for name in names]))  # (M, T, K)
    measured = grid.measured_codes  # (P, M, T, N)
    if relative:
        expected, measured = expected - expected[:, :1], measured - measured[:, :, :1]
    train = labeled_frames(cache, truth, fit, since_start=relative)
    scores = linear_probe(train.codes, train.motion, rearrange(measured[:, :, 1:], 'p m t n -> (p m t) n'),
                          repeat(expected[:, 1:], 'm t k -> (p m t) k', p=num_identities))
    return dict(zip(truth.motion_names, scores.tolist()))


def probe_table(result: Mapping[str, Any]) -> str:
    """:func:`probe_codes` as text, with :func:`probe_factor_grid` if the result has it under ``rendered``."""
    frames, rendered = result['frames'], result.get('rendered') or {}
    title = (f'R² of a linear map from codes to ground-truth parameters, fitted on {frames[0]} frames of '
             f'{result["fit"]}, evaluated on {frames[1]} frames of {result["score"]}')
    head = ['parameter', 'codes'] + (['rendered with other identities'] if rendered else [])
    rows = [[name, *(f'{value:.3f}' for value in (score, *([rendered[name]] if rendered else ())))]
            for name, score in result['motion'].items()]
    varying = {name: score for name, score in result['appearance'].items() if not math.isnan(score)}
    if varying:
        best = max(varying, key=varying.get)
        mean = sum(max(score, 0.0) for score in varying.values()) / len(varying)
        appearance = (f'appearance: mean {mean:.3f} over {len(varying)} parameters (negative values count as 0), '
                      f'maximum {varying[best]:.3f} ({best})')
    else:
        appearance = f'appearance: {MISSING}, because {result["score"]} has one identity only'
    return '\n\n'.join([title, markdown_table(head, rows, pad=True), appearance])


def name_directions(cache: CodeCache, truth: SyntheticTruth, result: Mapping[str, Any], *,
                    split: str = 'train') -> dict[str, dict[str, float]]:
    """Directions of the motion space that change one motion parameter by one standard deviation.

    Args:
        cache (CodeCache): Codes of the dataset.
        truth (SyntheticTruth): Its ground-truth parameters.
        result (Mapping): From :func:`probe_codes`; parameters below ``MIN_R2`` are left out.
        split (str): Split that the directions are fitted on.

    Returns:
        dict: By parameter, weights by number of the direction, the content of ``directions.json``.

    Raises:
        UserError: If codes and parameters belong to different datasets, or no parameter can be predicted.
    """
    train = labeled_frames(cache, truth, split)
    vectors = quantity_directions(train.codes, train.motion)  # (K, N)
    names = {name: {str(number): round(weight, 6) for number, weight in enumerate(vector.tolist())}
             for name, vector in zip(truth.motion_names, vectors) if result['motion'][name] >= MIN_R2}
    if not names:
        raise UserError(f'no motion parameter is predicted from the codes with R² of {MIN_R2} or more, so no direction '
                        'can be named; train the animator longer')
    return names


def direction_table(cache: CodeCache, truth: SyntheticTruth, *, split: str = 'train') -> str:
    """For each direction of the motion space, the standard deviation and the three most correlated parameters."""
    train = labeled_frames(cache, truth, split)
    std = train.codes.double().std(0)
    rows = []
    for number, row in enumerate(direction_correlations(train.codes, train.motion)):
        strongest = row.abs().argsort(descending=True)[:3].tolist()
        rows.append([str(number), f'{std[number]:.3f}',
                     ', '.join(f'{truth.motion_names[index]} {row[index]:+.2f}' for index in strongest)])
    return markdown_table(['direction', 'std of codes', 'strongest correlations'], rows, pad=True)


def probe_components(cache: CodeCache, truth: SyntheticTruth, counts: Sequence[int], *, fit: str = 'train',
                     score: str = 'test') -> list[dict[str, Any]]:
    """How many dimensions of the motion space codes use: :func:`probe_codes` of their leading principal components.

    Args:
        cache (CodeCache): Codes of the dataset.
        truth (SyntheticTruth): Its ground-truth parameters.
        counts (Sequence[int]): Numbers of components, each 1 … N.
        fit (str): Split that components and map are fitted on.
        score (str): Split that they are evaluated on.

    Returns:
        list[dict]: For each count ``components``; ``variance``, the share of the variance of the ``score`` codes around
        the mean of the ``fit`` codes; ``motion``, R² by parameter.
    """
    wrong = [count for count in counts if not 1 <= count <= cache.motion_dim]
    if wrong:
        raise UserError(f'the number of components must be in 1 … {cache.motion_dim} (the dimensions of the codes), '
                        f'got {wrong[0]}')
    train, test = labeled_frames(cache, truth, fit), labeled_frames(cache, truth, score)
    mean = train.codes.double().mean(0)
    codes = [part.codes.double() - mean for part in (train, test)]
    basis = torch.linalg.eigh(codes[0].t() @ codes[0]).eigenvectors.flip(1)  # (N, N), the largest variance first
    rows = []
    for count in counts:
        known, unseen = (part @ basis[:, :count] for part in codes)
        r2 = linear_probe(known, train.motion, unseen, test.motion).tolist()
        rows.append(dict(components=count, variance=float(unseen.square().sum() / codes[1].square().sum()),
                         motion=dict(zip(truth.motion_names, r2))))
    return rows


def component_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """:func:`probe_components` as text."""
    head = ['components', 'variance', *(f'R² {name}' for name in rows[0]['motion'])]
    return markdown_table(head, [[str(row['components']), f'{row["variance"]:.3f}',
                                  *(f'{value:.2f}' for value in row['motion'].values())] for row in rows], pad=True)


def labeled_frames(cache: CodeCache, truth: SyntheticTruth, split: str, *, since_start: bool = False) -> LabeledFrames:
    """Codes and ground-truth parameters of frames of a split, evenly subsampled to at most :data:`MAX_FRAMES`.

    Args:
        cache (CodeCache): Codes of the dataset.
        truth (SyntheticTruth): Its ground-truth parameters.
        split (str): The split.
        since_start (bool): Subtract codes and motion of the first frame of each video.

    Returns:
        LabeledFrames: One row per frame.

    Raises:
        UserError: If codes and parameters belong to different datasets.
    """
    rows = {name: row for row, name in enumerate(truth.names)}
    videos = [video for video in cache.videos if video.split == split and video.name in rows]
    if not videos:
        raise UserError(f'the code cache has no video of split {split!r} with ground truth; extract the codes of all '
                        'splits of the dataset that --ground-truth names')
    longer = [video.name for video in videos if video.length > truth.motion.shape[1]]
    if longer:
        raise UserError(f'the video {longer[0]} has more codes than frames in the ground truth, so --codes and '
                        '--ground-truth belong to different datasets; extract the codes of the latter')
    codes = [cache.codes[video.offset:video.offset + video.length] for video in videos]
    motion = [truth.motion[rows[video.name]][:video.length] for video in videos]
    if since_start:
        codes, motion = ([values - values[:1] for values in sequences] for sequences in (codes, motion))
    appearance = [repeat(truth.appearance[rows[video.name]], 'l -> t l', t=video.length) for video in videos]
    tables = [np.concatenate(parts) for parts in (codes, motion, appearance)]
    step = -(-len(tables[0]) // MAX_FRAMES)
    return LabeledFrames(*(torch.from_numpy(np.ascontiguousarray(table[::step])) for table in tables))
