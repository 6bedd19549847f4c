"""Control sequences of the videos of a dataset: numbers of each frame that steer generation, such as head poses.

A control file (``.npz``) holds ``names``, the videos; ``lengths``, rows of each; ``values``, all rows one after
another, float32 (total, C); ``channels``, a name for each column; and ``fps``, rows per second, 0 for one row per
motion code.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leokit.utils import UserError
from leokit.utils.files import write_bytes


class Controls(NamedTuple):
    """The content of a control file.

    Attributes:
        path (Path): The file.
        sequences (dict[str, np.ndarray]): By name of the video, float32, shape (rows, C).
        channels (tuple[str, ...]): Names of the C columns.
        fps (float, optional): Rows per second; None for one row per motion code.
    """

    path: Path
    sequences: dict[str, np.ndarray]
    channels: tuple[str, ...]
    fps: float | None

    def of(self, name: str, frames: int, fps: float | None) -> np.ndarray:
        """The control of a video of ``frames`` motion codes at ``fps``, shape (frames, C)."""
        if name not in self.sequences:
            raise UserError(f'{self.path} has no control of the video {name}; write the file for all videos of the '
                            'code cache')
        rows = self.sequences[name]
        if self.fps and fps:
            rows = resample_control(rows, self.fps, fps, frames)
        if len(rows) != frames:
            raise UserError(f'the control of {name} in {self.path} has {len(rows)} rows, and the video has {frames} '
                            'motion codes; give one row per code, or state the rate of the rows (fps of save_controls) '
                            'to have them resampled')
        if not np.isfinite(rows).all():
            raise UserError(f'the control of {name} in {self.path} holds values that are not finite; interpolate them, '
                            'or leave the video out')
        return rows


def save_controls(path: str | Path, sequences: Mapping[str, np.ndarray], *, channels: Sequence[str],
                  fps: float | None = None) -> None:
    """Write a control file.

    Args:
        path (str | Path): The file, ``.npz``.
        sequences (Mapping[str, np.ndarray]): By name of the video, shape (rows, C).
        channels (Sequence[str]): Names of the C columns.
        fps (float, optional): Rows per second, if that is not the rate of the motion codes.
    """
    wrong = [name for name, rows in sequences.items() if np.ndim(rows) != 2 or np.shape(rows)[1] != len(channels)]
    if wrong or not sequences:
        shape = np.shape(sequences[wrong[0]]) if wrong else ()
        raise ValueError(f'controls must have shape (rows, {len(channels)}), got {shape}' if wrong else
                         'there are no control sequences to write')
    content = io.BytesIO()
    np.savez_compressed(content, names=list(sequences), lengths=[len(rows) for rows in sequences.values()],
                        values=np.concatenate([np.asarray(rows, np.float32) for rows in sequences.values()]),
                        channels=list(channels), fps=fps or 0.0)
    write_bytes(Path(path), content.getvalue())


def load_controls(path: str | Path) -> Controls:
    """Read a control file; a :class:`UserError` if it is missing or damaged."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f'the control file {path} does not exist; write it with leokit.datasets.save_controls')
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names, lengths = arrays['names'].tolist(), arrays['lengths']
            values, channels = arrays['values'].astype(np.float32), tuple(arrays['channels'].tolist())
            fps = float(arrays['fps']) or None
        if values.shape != (lengths.sum(), len(channels)) or len(names) != len(lengths):
            raise ValueError(f'values of shape {values.shape} for {lengths.sum()} rows of {len(channels)} channels')
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f'{path} is not a control file, or it is damaged ({error}); write it with '
                        'leokit.datasets.save_controls') from error
    parts = np.split(values, np.cumsum(lengths)[:-1])
    return Controls(path, dict(zip(names, parts)), channels, fps)


def read_control(path: str | Path) -> np.ndarray:
    """One control sequence, float32 (rows, C): an array (``.npy``), or a control file of one video (``.npz``)."""
    path = Path(path)
    if path.suffix.lower() == '.npz':
        sequences = load_controls(path).sequences
        if len(sequences) != 1:
            raise UserError(f'{path} holds the control of {len(sequences)} videos; write that of one video to a file '
                            'of its own')
        return next(iter(sequences.values()))
    try:
        control = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f'{path} cannot be read as an array ({error}); save it with numpy.save') from error
    if control.ndim != 2 or control.dtype.kind not in 'fiu':
        raise UserError(f'{path} must hold numbers of shape (frames, channels), got {control.dtype} of shape '
                        f'{control.shape}')
    return control.astype(np.float32)


def resample_control(control: np.ndarray, fps: float, target_fps: float, num_frames: int) -> np.ndarray:
    """Resample a control sequence by linear interpolation between its rows.

    Args:
        control (np.ndarray): Rows, shape (rows, C); row k belongs to the time ``k / fps``.
        fps (float): Its rows per second.
        target_fps (float): Frames per second of the motion.
        num_frames (int): Frames of the motion; frames after the last row are covered for one row, no longer.

    Returns:
        np.ndarray: float32, shape (num_frames, C); fewer frames if the control ends before.
    """
    times = np.arange(num_frames) * (fps / target_fps)
    times = times[times < len(control) + 1e-6]  # the last row lasts until the next one would follow
    rows = np.arange(len(control))
    return np.stack([np.interp(times, rows, column) for column in control.T], axis=1).astype(np.float32)
