"""How faces of a clip move, without ground truth: do they nod, turn, talk and blink as often as real ones?

:mod:`leokit.analysis.action_statistics` answers this for SyntheticFaces, from codes and true parameters. Here landmarks
are found in the frames, of real and generated clips alike, so that their errors affect both.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from leokit.metrics.expressions import expression
from leokit.metrics.head_pose import head_pose
from leokit.metrics.motion_events import band_amplitudes, count_peaks

BANDS = ((0.25, 1.0), (1.0, 3.0), (3.0, 7.0))  # Hz: swaying; nodding and slow speech; syllables, and noise
MAX_MISSING = 0.1  # share of frames without a face that is interpolated


class Action(NamedTuple):
    """Something that a face does.

    Attributes:
        signal (str): What shows it: an angle of the head in degrees, or an opening of
            :func:`~leokit.metrics.expressions.expression`.
        prominence (float): Smallest change that counts; smaller ones are within the noise of dlib's landmarks.
        signs (tuple[int, ...]): 1 counts maxima, -1 minima.
        max_seconds (float, optional): Longest duration.
    """

    signal: str
    prominence: float
    signs: tuple[int, ...]
    max_seconds: float | None = None


ACTIONS = {
    'nods': Action('pitch', 4.0, (1,)), 'turns': Action('yaw', 4.0, (1, -1)),
    'mouth openings': Action('mouth', 0.1, (1,)), 'blinks': Action('eyes', 0.08, (-1,), 0.6)}
SIGNALS = ('pitch', 'yaw', 'mouth', 'eyes')
DYNAMICS = (*ACTIONS, *(f'{signal} {low:g}-{high:g} Hz' for signal in SIGNALS for low, high in BANDS))


def fill_gaps(features: Tensor, max_missing: float = MAX_MISSING) -> Tensor:
    """Rows of NaN, interpolated linearly over time from those around them; unchanged if too many are missing.

    Args:
        features (Tensor): Shape (T, d).
        max_missing (float): Largest share of missing rows.
    """
    found = features.isfinite().all(1)
    if found.all() or float((~found).double().mean()) > max_missing:
        return features
    time, known = np.arange(len(features)), found.numpy()
    columns = [np.interp(time, time[known], column[known]) for column in features.double().numpy().T]
    return torch.from_numpy(np.stack(columns, axis=1)).to(features.dtype)


def face_signals(landmarks: Tensor) -> dict[str, Tensor]:
    """Pitch and yaw in degrees, opening of mouth and eyes, each (T,), of landmarks (T, 68, 2)."""
    pose = head_pose(landmarks)
    return dict(pitch=pose['pitch'], yaw=pose['yaw'], **expression(landmarks.double()))


def face_dynamics(landmarks: Tensor, fps: float) -> dict[str, float]:
    """Actions per second and amplitudes by frequency of one clip.

    ``nods``: the head goes down and up again; ``turns``: it changes from turning left to turning right or back;
    ``mouth openings``; ``blinks``: the eyes close and open again. Changes count from the prominence of ``ACTIONS`` on.
    ``pitch 1-3 Hz`` and so on: root mean square of the part of the signal in the band.

    Args:
        landmarks (Tensor): Shape (T, 68, 2), NaN where no face was found, in any unit.
        fps (float): Frames per second, at least twice the highest frequency of ``BANDS``.

    Returns:
        dict[str, float]: By the names in ``DYNAMICS``; NaN if more than a tenth of the frames has no face.
    """
    if fps < 2 * BANDS[-1][1]:
        raise ValueError(f'dynamics of faces need at least {2 * BANDS[-1][1]:g} frames per second, got {fps:g}')
    points = fill_gaps(landmarks.flatten(1)).unflatten(1, landmarks.shape[1:])
    if not points.isfinite().all():
        return dict.fromkeys(DYNAMICS, math.nan)
    signals = {name: values.numpy() for name, values in face_signals(points).items()}
    seconds = len(points) / fps
    values = {}
    for name, (signal, prominence, signs, longest) in ACTIONS.items():
        counts = [count_peaks(sign * signals[signal], prominence, fps=fps, max_seconds=longest) for sign in signs]
        values[name] = sum(counts) / seconds
    amplitudes = [amplitude for name in SIGNALS for amplitude in band_amplitudes(signals[name], fps, BANDS)]
    return {**values, **dict(zip(DYNAMICS[len(ACTIONS):], amplitudes))}
