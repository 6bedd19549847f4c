"""How often generated motion contains the actions of SyntheticFaces, nodding and talking.

The ground-truth parameters are predicted from motion codes by a linear map fitted on one split. The same map is applied
to real and generated codes, so its errors affect both alike.
"""

from typing import Any, Mapping, NamedTuple, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.code_probe import MIN_R2, labeled_frames
from leokit.datasets import CodeCache
from leokit.metrics.linear_probe import LinearMap, fit_linear_map, linear_probe
from leokit.metrics.parameter_statistics import mean_frequencies, parameter_correlations, parameter_ranges
from leokit.models import MotionDiffusion
from leokit.samplers import generators_from_seeds
from leokit.synthetic_faces import SyntheticTruth
from leokit.utils import UserError, progress_bar
from leokit.utils.modules import device_of
from leokit.utils.seeds import sample_seeds
from leokit.utils.tables import markdown_table

BATCH_SIZE = 256  # sequences sampled at a time
CORRELATION_THRESHOLD = 0.2  # pairs of parameters of real clips below it are not reported
# Action, the parameter that shows it, and the behaviors of SyntheticFaces that contain it.
ACTIONS = {'nods': ('pitch', ('nodding', 'mixed')), 'talks': ('mouth_open', ('talking', 'mixed'))}


class _Clips(NamedTuple):
    codes: Tensor  # (B, T, N)
    behaviors: list[str]
    fps: float  # NaN if unknown


@torch.no_grad()
def measure_action_statistics(model: MotionDiffusion, cache: CodeCache, truth: SyntheticTruth, *,
                              num_frames: int | None = None, fit: str = 'train', score: str = 'test',
                              seed: int = 0) -> dict[str, Any]:
    """Generate from the first codes of real clips and compare the motion of both.

    A clip contains an action if the range of the action's parameter exceeds the midpoint between the mean ranges of the
    ``fit`` clips with and without the action.

    Args:
        model (MotionDiffusion): In evaluation mode, trained on codes of the same animator.
        cache (CodeCache): Codes of the dataset.
        truth (SyntheticTruth): Its ground-truth parameters.
        num_frames (int, optional): Frames per clip. Default: None, the model's window.
        fit (str): Split that the map is fitted on.
        score (str): Split that is generated from and compared with.
        seed (int): Seed of the noise.

    Returns:
        dict: ``parameters``, by name ``r2``, ``range_ratio`` (mean standard deviation within a clip, generated over
        real), ``frequency`` and ``frequency_real`` in hertz; ``actions``, by name the share of clips that contain it,
        ``generated`` and ``real``, and the detection ``accuracy`` on real clips (an action is missing if all or none of
        the ``fit`` clips contain it); ``correlations``, rows of two parameters and their correlation, generated and
        real; ``clips`` and ``frames``, their numbers.
    """
    frames = num_frames or model.num_frames
    train, test = labeled_frames(cache, truth, fit), labeled_frames(cache, truth, score)
    predict = fit_linear_map(train.codes, train.motion)
    r2 = linear_probe(train.codes, train.motion, test.codes, test.motion)
    clips = _clips(cache, truth, score, frames)
    real = predict(clips.codes)  # (B, T, K)
    generated = predict(_generate(model, clips.codes[:, 0], frames, seed))
    range_ratio = parameter_ranges(generated).mean(0) / parameter_ranges(real).mean(0)
    frequency, frequency_real = mean_frequencies(generated, clips.fps), mean_frequencies(real, clips.fps)
    parameters = {name: dict(r2=float(r2[k]), range_ratio=float(range_ratio[k]), frequency=float(frequency[k]),
                             frequency_real=float(frequency_real[k])) for k, name in enumerate(truth.motion_names)}
    actions = _actions(predict, _clips(cache, truth, fit, frames), clips, generated, truth.motion_names)
    predictable = [k for k in range(len(r2)) if r2[k] >= MIN_R2]
    return dict(parameters=parameters, actions=actions,
                correlations=_correlations(generated, real, predictable, truth.motion_names),
                clips=len(real), frames=frames)


def action_table(result: Mapping[str, Any]) -> str:
    """Markdown tables of :func:`measure_action_statistics`, without parameters that the codes do not predict."""
    parameters = markdown_table(
        ['parameter', 'R² of the map', 'range / real', 'Hz', 'Hz, real'],
        [[name, *(f'{row[key]:.2f}' for key in ('r2', 'range_ratio', 'frequency', 'frequency_real'))]
         for name, row in result['parameters'].items() if row['r2'] >= MIN_R2])
    actions = markdown_table(
        ['share of clips that', 'generated', 'real', 'detection accuracy'],
        [[name, *(f'{row[key]:.0%}' for key in ('generated', 'real', 'accuracy'))]
         for name, row in result['actions'].items()])
    correlations = markdown_table(
        ['correlated parameters', 'generated', 'real'],
        [[f'{one}, {other}', f'{generated:+.2f}', f'{real:+.2f}']
         for one, other, generated, real in result['correlations']])
    title = f'{result["clips"]} clips of {result["frames"]} frames'
    return '\n\n'.join([title, parameters, actions, correlations])


def _generate(model: MotionDiffusion, start: Tensor, frames: int, seed: int) -> Tensor:
    """Sequences (B, T, N) that begin with the codes ``start`` (B, N)."""
    sequences = []
    with progress_bar(len(start), 'motions', unit='clip') as bar:
        for first in range(0, len(start), BATCH_SIZE):
            part = start[first:first + BATCH_SIZE].to(device_of(model))
            generators = generators_from_seeds(sample_seeds(seed, range(first, first + len(part))))
            sequences.append(torch.cat(list(model.extend(part, frames, generator=generators)), dim=1).cpu())
            bar.update(len(part))
    return torch.cat(sequences)


def _clips(cache: CodeCache, truth: SyntheticTruth, split: str, frames: int) -> _Clips:
    """The first frames of all videos of a split that are long enough."""
    names = set(truth.names)
    videos = [video for video in cache.videos
              if video.split == split and video.name in names and video.length >= frames]
    if not videos:
        raise UserError(f'no video of split {split!r} has {frames} frames; pass a smaller number of frames')
    codes = np.stack([cache.codes[video.offset:video.offset + frames] for video in videos])
    behaviors = [truth.behaviors[truth.index(video.name)] for video in videos]
    return _Clips(torch.from_numpy(codes), behaviors, videos[0].fps or float('nan'))


def _actions(predict: LinearMap, fitted: _Clips, real: _Clips, generated: Tensor,
             names: Sequence[str]) -> dict[str, dict[str, float]]:
    result = {}
    for action, (parameter, behaviors) in ACTIONS.items():
        column = names.index(parameter)
        contained = torch.tensor([behavior in behaviors for behavior in fitted.behaviors])
        if contained.all() or not contained.any():
            continue
        ranges = parameter_ranges(predict(fitted.codes))[:, column]
        threshold = (ranges[contained].mean() + ranges[~contained].mean()) / 2
        detected = parameter_ranges(predict(real.codes))[:, column] > threshold
        expected = torch.tensor([behavior in behaviors for behavior in real.behaviors])
        result[action] = dict(generated=float((parameter_ranges(generated)[:, column] > threshold).double().mean()),
                              real=float(detected.double().mean()),
                              accuracy=float((detected == expected).double().mean()))
    return result


def _correlations(generated: Tensor, real: Tensor, columns: Sequence[int],
                  names: Sequence[str]) -> list[tuple[str, str, float, float]]:
    """Pairs of parameters that are correlated in real clips."""
    of_generated, of_real = parameter_correlations(generated), parameter_correlations(real)  # (K, K)
    return [(names[a], names[b], float(of_generated[a, b]), float(of_real[a, b]))
            for a in columns for b in columns if a < b and abs(of_real[a, b]) >= CORRELATION_THRESHOLD]
