"""Does generated motion nod and talk? Read from codes by a map fitted on the procedural data set, beside real clips."""

from typing import Any, Mapping

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.code_probe import READABLE, known_frames
from leokit.datasets import CodeCache
from leokit.inference.generation import sample_seeds
from leokit.metrics.linear_probe import LinearMap, fit_linear_map, linear_probe
from leokit.metrics.parameter_statistics import comovements, extents, mean_frequencies
from leokit.models import MotionDiffusion
from leokit.samplers import generators_from_seeds
from leokit.synthetic_faces import SyntheticTruth
from leokit.utils import UserError, progress_bar
from leokit.utils.modules import device_of

BATCH = 256  # sequences drawn at once
TOGETHER = 0.2  # correlation from which two parameters of real clips are said to move together
# What a clip does, the parameter that shows it, and the clips of the data set that do it.
ACTIONS = {'nods': ('pitch', ('nodding', 'mixed')), 'talks': ('mouth_open', ('talking', 'mixed'))}


@torch.no_grad()
def measure_action_statistics(model: MotionDiffusion, cache: CodeCache, truth: SyntheticTruth, *,
                              num_frames: int | None = None, fit: str = 'train', score: str = 'test',
                              seed: int = 0) -> dict[str, Any]:
    """Generate from the first codes of real clips, and read what moves in both.

    Codes are read by a linear map, real and generated ones alike, so what it misreads it misreads in both. A clip
    talks if its mouth moves more than the mean of what the mouths of talking and of other clips of ``fit`` do; so for
    nodding.

    Args:
        model (MotionDiffusion): In evaluation mode, trained on codes of the same animator.
        cache (CodeCache): Codes of the data set.
        truth (SyntheticTruth): Its true parameters.
        num_frames (int, optional): Frames of a clip; the model's window by default.
        fit (str): Split that the map is fitted on.
        score (str): Split that is generated from and compared with.
        seed (int): Of the noise.

    Returns:
        dict: ``parameters``, by name ``r2``, ``extent`` (mean standard deviation within a clip, generated over real),
        ``hertz`` and ``hertz_real``; ``behaviors``, for ``nods`` and ``talks`` the shares ``generated``, ``real`` and
        ``recognized`` (of the real clips, rightly), missing where ``fit`` shows one kind only; ``together``, rows of
        two parameters and their correlation, generated and real; ``clips`` and ``frames``.

    Raises:
        UserError: If codes and truth do not belong together, or no video is long enough.
    """
    frames = num_frames or model.num_frames
    codes, motion, _ = known_frames(cache, truth, fit)
    reading = fit_linear_map(codes, motion)
    score_codes, score_motion, _ = known_frames(cache, truth, score)
    r2 = linear_probe(codes, motion, score_codes, score_motion)
    real_codes, done, fps = _sequences(cache, truth, score, frames)
    real, made = reading(real_codes), reading(_generate(model, real_codes[:, 0], frames, seed))
    extent = extents(made).mean(0) / extents(real).mean(0)
    hertz = mean_frequencies(made, fps), mean_frequencies(real, fps)
    parameters = {name: dict(r2=float(r2[k]), extent=float(extent[k]), hertz=float(hertz[0][k]),
                             hertz_real=float(hertz[1][k])) for k, name in enumerate(truth.motion_names)}
    behaviors = _behaviors(reading, _sequences(cache, truth, fit, frames)[:2], (real, done), made,
                             truth.motion_names)
    readable = [k for k in range(len(r2)) if r2[k] >= READABLE]
    pairs = comovements(made), comovements(real)
    together = [(truth.motion_names[a], truth.motion_names[b], float(pairs[0][a, b]), float(pairs[1][a, b]))
                for a in readable for b in readable if a < b and abs(pairs[1][a, b]) >= TOGETHER]
    return dict(parameters=parameters, behaviors=behaviors, together=together, clips=len(real), frames=frames)


def action_table(result: Mapping[str, Any]) -> str:
    """What :func:`measure_action_statistics` gives as markdown; parameters that the codes do not tell are left out."""
    known = {name: row for name, row in result['parameters'].items() if row['r2'] >= READABLE}
    lines = [f'{result["clips"]} clips of {result["frames"]} frames', '',
             '| parameter | R² of reading | extent / real | Hz | Hz, real |', '|---|---:|---:|---:|---:|']
    lines += [f'| {name} | {row["r2"]:.2f} | {row["extent"]:.2f} | {row["hertz"]:.2f} | {row["hertz_real"]:.2f} |'
              for name, row in known.items()]
    lines += ['', '| share of clips that | generated | real | recognized |', '|---|---:|---:|---:|']
    lines += [f'| {name} | {row["generated"]:.0%} | {row["real"]:.0%} | {row["recognized"]:.0%} |'
              for name, row in result['behaviors'].items()]
    lines += ['', '| move together | generated | real |', '|---|---:|---:|']
    lines += [f'| {a}, {b} | {made:+.2f} | {real:+.2f} |' for a, b, made, real in result['together']]
    return '\n'.join(lines)


def _generate(model: MotionDiffusion, start: Tensor, frames: int, seed: int) -> Tensor:
    device = device_of(model)
    made = []
    with progress_bar(len(start), 'motions', unit='clip') as bar:
        for first in range(0, len(start), BATCH):
            part = start[first:first + BATCH].to(device)
            generators = generators_from_seeds(sample_seeds(seed, range(first, first + len(part))))
            made.append(torch.cat(list(model.extend(part, frames, generator=generators)), dim=1).cpu())
            bar.update(len(part))
    return torch.cat(made)


def _sequences(cache: CodeCache, truth: SyntheticTruth, split: str, frames: int) -> tuple[Tensor, list[str], float]:
    """The beginnings of the videos of a split: codes (B, T, N), what they do, frames per second (NaN: unknown)."""
    known = set(truth.names)
    videos = [video for video in cache.videos
              if video.split == split and video.name in known and video.length >= frames]
    if not videos:
        raise UserError(f'no video of split {split!r} has {frames} frames; ask for fewer frames')
    codes = np.stack([cache.codes[video.offset:video.offset + frames] for video in videos])
    done = [truth.behaviors[truth.index(video.name)] for video in videos]
    return torch.from_numpy(codes), done, videos[0].fps or float('nan')


def _behaviors(reading: LinearMap, fitted: tuple[Tensor, list[str]], real: tuple[Tensor, list[str]], made: Tensor,
                names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    found = {}
    for deed, (parameter, doers) in ACTIONS.items():
        column = names.index(parameter)
        does = torch.tensor([behavior in doers for behavior in fitted[1]])
        if does.all() or not does.any():
            continue
        extent = extents(reading(fitted[0]))[:, column]
        least = (extent[does].mean() + extent[~does].mean()) / 2
        seen, drawn = (extents(sequences)[:, column] > least for sequences in (real[0], made))
        truly = torch.tensor([behavior in doers for behavior in real[1]])
        found[deed] = dict(generated=float(drawn.double().mean()), real=float(seen.double().mean()),
                           recognized=float((seen == truly).double().mean()))
    return found
