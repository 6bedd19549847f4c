"""Disentanglement of identity and motion, measured on a factor grid.

Four questions, each answered by a number:

- Is identity independent of motion? Distance of features (face identity, colors) of one identity in two motions, over
  the distance of two identities in the same motion.
- Is motion independent of identity? Codes measured in the rendered frames against the target codes; in relative
  transfer, both as differences to the first frame.
- Does anything move? Mean change of pixels since the first frame, compared with the driving videos. A static image
  preserves identity best, and an encoder can measure codes where no motion is visible.
- Is the right identity (motion) recognized? Share of frames (motions) whose nearest source image (target motion) is
  the right one.

The first frame is excluded: in relative transfer it is the source image, whatever the motion.
"""

import math
from typing import Any, Mapping, Sequence

import torch
from einops import rearrange
from torch import Tensor

from leokit.analysis.factor_grid import FactorGrid
from leokit.feature_extractors import FeatureExtractor
from leokit.feature_extractors.video_features import frame_features
from leokit.metrics import (
    MotionCodeConsistency, between_within_distances, motion_code_consistency, retrieval_accuracy)
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.utils.tables import MISSING, markdown_table

CHUNK_SIZE = 64  # frames converted to floating point at a time; limits memory


def measure_disentanglement(grid: FactorGrid, extractors: Sequence[FeatureExtractor]) -> dict[str, Any]:
    """All metrics of a grid of at least two identities and two motions.

    Args:
        grid (FactorGrid): The rendered frames.
        extractors (Sequence[FeatureExtractor]): Image extractors that describe identity.

    Returns:
        dict: ``identities``, ``motions`` (names), ``frames``, ``mode``; ``motion``, from :func:`measure_motion`;
        ``identity``, by label of the extractor, from :func:`measure_identity`.
    """
    return dict(identities=grid.identities.names, motions=grid.motions.names, frames=grid.frames.shape[2],
                mode=grid.mode, motion=measure_motion(grid),
                identity={extractor.label: measure_identity(grid, extractor) for extractor in extractors})


def measure_identity(grid: FactorGrid, extractor: FeatureExtractor) -> dict[str, Any]:
    """How well identity is preserved across motions.

    Args:
        grid (FactorGrid): At least two identities and two motions.
        extractor (FeatureExtractor): An image extractor.

    Returns:
        dict: ``same_identity``, the mean distance of the features of an identity in two motions; ``other_identity``,
        of two identities in one motion; ``ratio`` of the two; ``recognized`` and its ``chance``; ``undetected``, the
        share of frames without a feature; ``fingerprint`` of the extractor; with driving videos of different identities
        ``real``: the same distances between real frames, of one video at two times and of two videos.
    """
    num_identities, num_motions = grid.frames.shape[:2]
    features = rearrange(_features(extractor, rearrange(grid.frames, 'p m t c h w -> (p m t) c h w')),
                         '(p m t) d -> p m t d', p=num_identities, m=num_motions)[:, :, 1:]
    sources = _features(extractor, to_uint8(grid.identities.images))  # (P, d)
    recognized = retrieval_accuracy(rearrange(features, 'p m t d -> p (m t) d'), sources)
    result = dict(_distances(features), recognized=recognized,
                  chance=1 / num_identities, undetected=1 - features.isfinite().all(-1).double().mean().item(),
                  fingerprint=extractor.fingerprint())
    driving = grid.motions
    if driving.frames is not None and len(set(driving.identities)) == len(driving.identities):
        real = _features(extractor, rearrange(driving.frames, 'm t c h w -> (m t) c h w'))
        # each video is an identity, each of its frames a motion of one frame
        result['real'] = _distances(rearrange(real, '(m t) d -> m t 1 d', m=num_motions))
    return result


def measure_motion(grid: FactorGrid) -> dict[str, Any]:
    """How well the target motion is reproduced, whatever the identity.

    Args:
        grid (FactorGrid): At least two identities and two motions.

    Returns:
        dict: ``error`` relative to the standard deviation of the target codes, ``r2`` and ``correlation`` over time,
        over all dimensions; ``recognized`` and its ``chance``; ``same_motion``, the mean distance of the codes of two
        identities in one motion, ``other_motion``, of one identity in two motions, in standard deviations of the target
        codes, and their ``ratio``; ``by_dimension``, lists of the first three; ``error_by_identity``; ``pixel_change``,
        the mean change of pixels since the first frame in gray levels of 0..255, ``rendered`` and, with driving videos,
        ``real``.
    """
    target, measured = (_since_start(codes, grid.mode) for codes in (grid.target_codes, grid.measured_codes))
    agreement = motion_code_consistency(*(rearrange(codes, 'p m t n -> (p m) t n') for codes in (target, measured)))
    std = rearrange(target, 'p m t n -> (p m t) n').double().std(0, correction=0)
    scale = torch.where(std > 0, std, 1)
    scaled = measured.double() / scale  # (P, M, T, N)
    distances = between_within_distances(scaled)
    recognized = retrieval_accuracy(rearrange(scaled, 'p m t n -> m p (t n)'),
                                    rearrange(target[0].double() / scale, 'm t n -> m (t n)'))
    return dict(error=agreement.total_error, r2=agreement.total_r2, correlation=agreement.total_correlation,
                recognized=recognized, chance=1 / target.shape[1], same_motion=distances.between_identities,
                other_motion=distances.within_identity,
                ratio=_ratio(distances.between_identities, distances.within_identity),
                error_by_identity=((measured - target).double() / scale).square().mean((1, 2, 3)).sqrt().tolist(),
                pixel_change=_pixel_change(grid), by_dimension=_by_dimension(agreement))


def disentanglement_table(result: Mapping[str, Any]) -> str:
    """The metrics of :func:`measure_disentanglement` as Markdown tables."""
    identities, motions = len(result['identities']), len(result['motions'])
    motion, change = result['motion'], result['motion']['pixel_change']
    title = f'{identities} identities in {motions} motions of {result["frames"]} frames, {result["mode"]} transfer'
    identity_rows = [
        [label, *_numbers(row['same_identity'], row['other_identity'], row['ratio'],
                          row.get('real', {}).get('ratio', math.nan)),
         f'{row["recognized"]:.0%}', f'{row["undetected"]:.0%}'] for label, row in result['identity'].items()]
    motion_row = ['measured codes', *_numbers(motion['same_motion'], motion['other_motion'], motion['ratio']),
                  f'{motion["recognized"]:.0%}']
    errors = zip(*(motion['by_dimension'][key] for key in ('error', 'r2', 'correlation')))
    error_rows = [['all dimensions', *_numbers(motion['error'], motion['r2'], motion['correlation'])],
                  *([str(number), *_numbers(*values)] for number, values in enumerate(errors))]
    tables = [
        (['identity', 'same identity', 'other identity', 'ratio', 'real ratio', f'recognized of {identities}',
          'no face'], identity_rows),
        (['motion', 'same motion', 'other motion', 'ratio', f'recognized of {motions}'], [motion_row]),
        (['pixel change since the first frame', 'rendered', 'driving'],
         [['gray levels', *_numbers(change['rendered'], change.get('real', math.nan))]]),
        (['measured and target codes', 'error', 'R²', 'correlation'], error_rows)]
    return '\n\n'.join([title, *(markdown_table(*table, pad=True) for table in tables)])


def _numbers(*values: float) -> list[str]:
    return [MISSING if math.isnan(value) else f'{value:.3f}' for value in values]


def _since_start(codes: Tensor, mode: str) -> Tensor:
    """Codes (P, M, T - 1, N) of all frames but the first; in relative transfer, differences to the first."""
    return codes[:, :, 1:] - codes[:, :, :1] if mode == 'relative' else codes[:, :, 1:]


def _features(extractor: FeatureExtractor, frames: Tensor) -> Tensor:
    """Features (B, d) of uint8 frames (B, 3, S, S)."""
    device = next((weight.device for weight in extractor.state_dict().values()), torch.device('cpu'))
    # each frame is a video of one frame: (B, 1, 3, S, S) -> (B, 1, d) -> (B, d)
    return torch.cat([frame_features(extractor, from_uint8(chunk.to(device))[:, None])[:, 0].cpu()
                      for chunk in frames.split(CHUNK_SIZE)])


def _distances(features: Tensor) -> dict[str, float]:
    distances = between_within_distances(features)
    return dict(same_identity=distances.within_identity, other_identity=distances.between_identities,
                ratio=_ratio(distances.within_identity, distances.between_identities))


def _ratio(one: float, other: float) -> float:
    return one / other if other > 0 else math.nan


def _pixel_change(grid: FactorGrid) -> dict[str, float]:
    result = dict(rendered=_change(grid.frames))
    if grid.motions.frames is not None:
        result['real'] = _change(grid.motions.frames)
    return result


def _change(videos: Tensor) -> float:
    """Mean absolute difference to the first frame, of uint8 videos (..., T, 3, S, S)."""
    first, others = videos[..., :1, :, :, :], videos[..., 1:, :, :, :]
    change = torch.maximum(first, others) - torch.minimum(first, others)  # uint8 has no negative differences
    return change.sum(dtype=torch.int64).item() / change.numel()


def _by_dimension(agreement: MotionCodeConsistency) -> dict[str, list[float]]:
    return dict(error=agreement.error.tolist(), r2=agreement.r2.tolist(), correlation=agreement.correlation.tolist())
