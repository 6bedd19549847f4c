"""Control of generated motion on SyntheticFaces: asked parameters against those of the generated codes.

A linear map, fitted on real codes of other identities, reads the ground-truth parameters off the codes. Codes and
parameters are differences to the first frame, so that the map need not know the person.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.code_probe import labeled_frames
from leokit.datasets import CodeCache, Controls
from leokit.metrics.control_error import ControlError, control_error
from leokit.metrics.linear_probe import fit_linear_map
from leokit.models import MotionDiffusion
from leokit.samplers import generators_from_seeds
from leokit.synthetic_faces import SyntheticTruth
from leokit.utils import UserError
from leokit.utils.tables import markdown_table


class ControlReport(NamedTuple):
    """Asked and realized parameters of held-out videos.

    Attributes:
        names (list[str]): The videos.
        parameters (tuple[str, ...]): The K parameters.
        asked (Tensor): Those of the video, shape (B, T, K).
        realized (dict[str, Tensor]): By source of the codes, shape (B, T, K).
    """

    names: list[str]
    parameters: tuple[str, ...]
    asked: Tensor
    realized: dict[str, Tensor]

    def errors(self) -> dict[str, ControlError]:
        """The comparison by source."""
        return {source: control_error(self.asked, realized) for source, realized in self.realized.items()}


def control_report(model: MotionDiffusion, cache: CodeCache, truth: SyntheticTruth, controls: Controls,
                   parameters: Sequence[str], *, num_frames: int, guidance_scales: Sequence[float] = (1.0,),
                   fit: str = 'train', score: str = 'test', seed: int = 0,
                   batch_size: int = 64) -> ControlReport:
    """Generate held-out videos from their first code under their control, and read the parameters off the codes.

    Args:
        model (MotionDiffusion): A motion diffusion with a control encoder.
        cache (CodeCache): Codes of the dataset.
        truth (SyntheticTruth): Its ground truth.
        controls (Controls): Its control sequences.
        parameters (Sequence[str]): Ground-truth parameters to compare.
        num_frames (int): Frames of each sequence, also more than a window.
        guidance_scales (Sequence[float]): Guidance scales of the control.
        fit (str): Split that the linear map is fitted on.
        score (str): Split of the generated sequences.
        seed (int): Seed of the generation.
        batch_size (int): Sequences generated at a time; it does not change them.

    Returns:
        ControlReport: Sources are ``real``, the codes of the video; ``control``, and ``control x SCALE`` for other
        scales; and ``no control``, if the model can do without.
    """
    unknown = sorted(set(parameters) - set(truth.motion_names))
    if unknown:
        raise UserError(f'{unknown[0]} is no motion parameter; choose from {", ".join(truth.motion_names)}')
    columns = [truth.motion_names.index(name) for name in parameters]
    frames = labeled_frames(cache, truth, fit, since_start=True)
    read = fit_linear_map(frames.codes, frames.motion[:, columns])
    videos = [video for video in cache.videos if video.split == score and video.length >= num_frames
              and video.name in truth.names]
    if len(videos) < 2:
        raise UserError(f'split {score!r} has {len(videos)} videos of {num_frames} or more codes; at least 2 are '
                        'needed')
    codes = torch.from_numpy(np.stack([cache.codes[video.offset:video.offset + num_frames] for video in videos]))
    asked = torch.from_numpy(np.stack([truth.motion[truth.index(video.name), :num_frames][:, columns]
                                       for video in videos]))
    control = torch.from_numpy(np.stack([controls.of(video.name, video.length, video.fps or None)[:num_frames]
                                         for video in videos]))

    def realized(motion: Tensor) -> Tensor:
        return read(motion - motion[:, :1]) + asked[:, :1]

    sources = dict(real=realized(codes))
    for scale in guidance_scales:
        generated = _generate(model, codes[:, 0], control, dict(control=scale), seed, batch_size)
        sources['control' if scale == 1 else f'control x {scale:g}'] = realized(generated)
    if model.conditioning.dropout['control']:
        sources['no control'] = realized(_generate(model, codes[:, 0], control, dict(control=0.0), seed, batch_size))
    return ControlReport([video.name for video in videos], tuple(parameters), asked, sources)


def control_table(report: ControlReport) -> str:
    """Correlation and error of each parameter and source, and the chance level, in Markdown."""
    head = ['codes', 'parameter', 'correlation', 'error', 'chance: correlation', 'error']
    rows = []
    for source, errors in report.errors().items():
        columns = (column.tolist() for column in errors)
        for name, correlation, error, chance, chance_error in zip(report.parameters, *columns):
            rows.append([source, name, f'{correlation:.3f}', f'{error:.3g}', f'{chance:.3f}', f'{chance_error:.3g}'])
    return markdown_table(head, rows)


@torch.no_grad()
def _generate(model: MotionDiffusion, start: Tensor, control: Tensor, guidance_scales: Mapping[str, float],
              seed: int, batch_size: int) -> Tensor:
    """Sequences (B, T, N) from start codes (B, N) under controls (B, T, C)."""
    device = next(model.parameters()).device
    parts = []
    for first in range(0, len(start), batch_size):
        rows = slice(first, first + batch_size)
        generators = generators_from_seeds([seed + first + k for k in range(len(start[rows]))])
        chunks = model.extend(start[rows].to(device), control.shape[1], control=control[rows].to(device),
                              guidance_scales=guidance_scales, generator=generators)
        parts.append(torch.cat([chunk.cpu() for chunk in chunks], dim=1))
    return torch.cat(parts)
