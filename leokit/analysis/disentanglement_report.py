"""Disentanglement of who is seen and how they move, measured on a grid of people and motions.

Four questions, each with the number that answers it:

- Does a person stay the same in other motions? Distance of features (identity, colors) of one person in two motions,
  over that of two people in the same motion.
- Is the motion the one that was asked for, whoever is seen? Codes read from the rendered frames against the codes that
  they were made of; in relative transfer, both since the first frame.
- Does anything move at all? Mean change of pixels since the first frame, beside that of the driving videos. A still
  picture keeps its identity best of all, and an encoder can read codes where a person sees nothing move.
- Would somebody know them? Share of frames (of motions) that are nearest to the right one of all source pictures (of
  all motions asked for).

The first frame never counts: in relative transfer it is the source picture, whatever the motion.
"""

import math
from typing import Any, Mapping, Sequence

import torch
from torch import Tensor

from leokit.analysis.factor_grid import FactorGrid
from leokit.feature_extractors import FeatureExtractor
from leokit.feature_extractors.video_features import frame_features
from leokit.metrics import CodeAgreement, code_agreement, factor_distances, recognition
from leokit.utils.pixels import from_uint8, to_uint8

TITLE_WIDTH = 28  # of the table's rows
FRAMES_AT_ONCE = 64  # turned to floating point at a time; bounds memory, not the result


def measure_disentanglement(grid: FactorGrid, extractors: Sequence[FeatureExtractor]) -> dict[str, Any]:
    """All measures of a grid.

    Args:
        grid (FactorGrid): At least two people and two motions.
        extractors (Sequence[FeatureExtractor]): Image extractors that describe who is seen.

    Returns:
        dict: ``people``, ``motions``, ``frames``, ``mode``; ``identity``, by label what :func:`measure_identity`
        gives; ``motion``, what :func:`measure_motion` gives.
    """
    return dict(people=grid.identities.names, motions=grid.motions.names, frames=grid.frames.shape[2],
                mode=grid.mode, motion=measure_motion(grid),
                identity={extractor.label: measure_identity(grid, extractor) for extractor in extractors})


def measure_identity(grid: FactorGrid, extractor: FeatureExtractor) -> dict[str, Any]:
    """Whether people stay the same in other motions.

    Args:
        grid (FactorGrid): At least two people and two motions.
        extractor (FeatureExtractor): An image extractor.

    Returns:
        dict: ``same_person``, the mean distance of a person's features in two motions; ``other_person``, that of two
        people in one motion; ``ratio`` of the two; ``recognized`` and its ``chance``; ``undetected``, the share of
        frames without a feature; ``fingerprint`` of the extractor; with driving videos of different people ``real``:
        the same distances of real frames, of one video at two times and of two videos.
    """
    people, motions, times = grid.frames.shape[:3]
    features = _describe(extractor, grid.frames.flatten(0, 2)).unflatten(0, (people, motions, times))[:, :, 1:]
    sources = _describe(extractor, to_uint8(grid.identities.images))
    result = dict(_distances(features), recognized=recognition(features.flatten(1, 2), sources), chance=1 / people,
                  undetected=1 - features.isfinite().all(-1).double().mean().item(),
                  fingerprint=extractor.fingerprint())
    driving = grid.motions
    if driving.frames is not None and len(set(driving.identities)) == len(driving.identities):
        real = _describe(extractor, driving.frames.flatten(0, 1)).unflatten(0, driving.frames.shape[:2])
        result['real'] = _distances(real[:, :, None])  # the frames of a video in place of the motions
    return result


def measure_motion(grid: FactorGrid) -> dict[str, Any]:
    """Whether the motion is the one that was asked for, whoever is seen.

    Args:
        grid (FactorGrid): At least two people and two motions.

    Returns:
        dict: ``error`` relative to the codes' deviation, ``r2`` and ``correlation`` over time, of all dimensions
        together; ``recognized`` and its ``chance``; ``same_motion``, the mean distance of two people's codes in one
        motion, ``other_motion``, that of one person's codes in two motions, in deviations of the codes, and their
        ``ratio``; ``by_dimension``, lists of the first three; ``people``, the error of each person; ``movement``, the
        mean change of pixels since the first frame in gray levels of 0..255, ``rendered`` and, with driving videos,
        ``real``.
    """
    asked, found = (_since_start(codes, grid.mode) for codes in (grid.target_codes, grid.measured_codes))
    agreement = code_agreement(asked.flatten(0, 1), found.flatten(0, 1))
    deviation = asked.flatten(0, 2).double().std(0, correction=0)
    scale = torch.where(deviation > 0, deviation, 1)
    shown = found.double() / scale  # (P, M, T, N)
    distances = factor_distances(shown)
    known = recognition(shown.transpose(0, 1).flatten(2), (asked[0].double() / scale).flatten(1))
    return dict(error=agreement.total_error, r2=agreement.total_r2, correlation=agreement.total_correlation,
                recognized=known, chance=1 / asked.shape[1], same_motion=distances.person_changes,
                other_motion=distances.motion_changes, ratio=_ratio(distances.person_changes, distances.motion_changes),
                people=((found - asked).double() / scale).square().mean((1, 2, 3)).sqrt().tolist(),
                movement=_movement(grid), by_dimension=_by_dimension(agreement))


def disentanglement_table(result: Mapping[str, Any]) -> str:
    """Measures as text.

    Args:
        result (Mapping): What :func:`measure_disentanglement` gives.

    Returns:
        str: Lines without an end of line.
    """
    people, motions = len(result['people']), len(result['motions'])
    head = f'{people} people in {motions} motions of {result["frames"]} frames, {result["mode"]} transfer'
    lines = [head, '', _row('identity', 'same', 'other', 'ratio', 'real', 'known', 'no'),
             _row('', 'person', 'person', '', 'ratio', f'of {people}', 'face')]
    for label, row in result['identity'].items():
        lines.append(_row(label, row['same_person'], row['other_person'], row['ratio'],
                          row['real']['ratio'] if 'real' in row else '', f'{row["recognized"]:.0%}',
                          f'{row["undetected"]:.0%}'))
    motion = result['motion']
    lines += ['', _row('motion', 'same', 'other', 'ratio', '', 'known'),
              _row('', 'motion', 'motion', '', '', f'of {motions}'),
              _row('codes read again', motion['same_motion'], motion['other_motion'], motion['ratio'], '',
                   f'{motion["recognized"]:.0%}'),
              '', _row('pixels since first frame', 'made', 'driving'),
              _row('gray levels', motion['movement']['rendered'], motion['movement'].get('real', '')),
              '', _row('codes read, codes asked', 'error', 'R²', 'corr.'),
              _row('all dimensions', motion['error'], motion['r2'], motion['correlation'])]
    by_dimension = zip(*(motion['by_dimension'][key] for key in ('error', 'r2', 'correlation')))
    return '\n'.join(lines + [_row(f'  {number}', *values) for number, values in enumerate(by_dimension)])


def _row(title: str, *cells: str | float) -> str:
    """A line of the table; what could not be measured is a dash."""
    texts = [cell if isinstance(cell, str) else '-' if math.isnan(cell) else f'{cell:.3f}' for cell in cells]
    return f'{title[:TITLE_WIDTH]:<{TITLE_WIDTH + 1}}' + ''.join(f'{text:>8}' for text in texts)


def _since_start(codes: Tensor, mode: str) -> Tensor:
    """Codes (P, M, T - 1, N) of all frames but the first; in relative transfer the motion since the first."""
    return codes[:, :, 1:] - codes[:, :, :1] if mode == 'relative' else codes[:, :, 1:]


def _describe(extractor: FeatureExtractor, frames: Tensor) -> Tensor:
    """Features (B, d) of bytes (B, 3, S, S)."""
    device = next((weight.device for weight in extractor.state_dict().values()), torch.device('cpu'))
    return torch.cat([frame_features(extractor, from_uint8(part.to(device))[:, None])[:, 0].cpu()
                      for part in frames.split(FRAMES_AT_ONCE)])


def _distances(features: Tensor) -> dict[str, float]:
    distances = factor_distances(features)
    return dict(same_person=distances.motion_changes, other_person=distances.person_changes,
                ratio=_ratio(distances.motion_changes, distances.person_changes))


def _ratio(one: float, other: float) -> float:
    return one / other if other > 0 else math.nan


def _movement(grid: FactorGrid) -> dict[str, float]:
    driving = grid.motions.frames
    return dict(rendered=_change(grid.frames), **({} if driving is None else dict(real=_change(driving))))


def _change(videos: Tensor) -> float:
    """Mean absolute difference to the first frame, of bytes (..., T, 3, S, S), in gray levels."""
    first, others = videos[..., :1, :, :, :], videos[..., 1:, :, :, :]
    change = torch.maximum(first, others) - torch.minimum(first, others)  # bytes take no sign
    return change.sum(dtype=torch.int64).item() / change.numel()


def _by_dimension(agreement: CodeAgreement) -> dict[str, list[float]]:
    return dict(error=agreement.error.tolist(), r2=agreement.r2.tolist(), correlation=agreement.correlation.tolist())

