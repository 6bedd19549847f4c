"""Numbered generated videos in a folder: an interrupted benchmark resumes with the missing ones.

Next to the folder ``<name>``, ``<name>_codes`` has the motion codes of each video and ``<name>.json`` the settings of
the videos. A folder with videos of other settings is refused.
"""

from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from leokit.deprecation import upgrade_facts
from leokit.inference.outputs import OUTPUT_SUFFIXES, FrameStream, write_videos
from leokit.utils import UserError
from leokit.utils.files import atomic_path, clear_write_errors, remove, write_json
from leokit.utils.settings_file import check_settings, plain_settings
from leokit.video import check_space


class GeneratedClips:
    """Videos 0, 1, 2, ... with common settings.

    Args:
        folder (str | Path): Folder of the videos.
        settings (Mapping): Everything that the videos depend on, JSON-serializable.
        clip_format (str): ``'mp4'``, ``'gif'``, ``'npy'`` or ``'frames'``.
        fps (float): Frame rate.

    Raises:
        UserError: If the format is unknown, or the folder has videos of other settings.
    """

    def __init__(self, folder: str | Path, settings: Mapping[str, Any], *, clip_format: str = 'npy',
                 fps: float = 25.0) -> None:
        if clip_format not in OUTPUT_SUFFIXES:
            raise UserError(f'the clip format {clip_format!r} is unknown; choose one of {", ".join(OUTPUT_SUFFIXES)}')
        self.folder = Path(folder)
        self.suffix = OUTPUT_SUFFIXES[clip_format]
        self.fps = fps
        self._settings = plain_settings({**settings, 'format': clip_format})
        self._settings_file = self.folder.with_name(f'{self.folder.name}.json')
        if self.folder.is_dir() and any(self.folder.iterdir()):
            check_settings(self._settings_file, self._settings, subject=f'{self.folder} holds videos',
                           remedy='remove the folder or choose another --work-dir', upgrade=upgrade_facts)

    def path(self, number: int) -> Path:
        """File or folder of a video."""
        return self.folder / f'{self.folder.name}_{number:05d}{self.suffix}'

    def _codes_path(self, number: int) -> Path:
        return self.folder.with_name(f'{self.folder.name}_codes') / f'{number:05d}.npz'

    def missing(self, count: int) -> list[int]:
        """Those of the first ``count`` videos that do not exist yet."""
        return [number for number in range(count)
                if not (self.path(number).exists() and self._codes_path(number).exists())]

    def check_space(self, count: int, num_frames: int, size: int) -> None:
        """Raise if the disk has too little space for the missing ones of ``count`` videos of this shape."""
        missing = self.missing(count)
        if missing:
            check_space([self.path(number) for number in missing], num_frames, size, size)

    def add(self, numbers: Sequence[int], chunks: FrameStream, codes: Iterable[Tensor], encoded: Tensor, *,
            bar: tqdm | None = None) -> None:
        """Write videos and their codes.

        Args:
            numbers (Sequence[int]): Numbers of the videos.
            chunks (FrameStream): Consecutive frames.
            codes (Iterable[Tensor]): Consecutive motion codes, shape (B, t, N); read after the frames.
            encoded (Tensor): Codes of the first frames, shape (B, N).
            bar (tqdm, optional): Progress bar of frames.
        """
        with clear_write_errors(self._settings_file):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self._settings_file, self._settings)
        for number in numbers:  # a video without codes is left from an interruption
            remove(self.path(number))
        write_videos(chunks, [self.path(number) for number in numbers], self.fps, bar=bar)
        motion = torch.cat([piece.float().cpu() for piece in codes], dim=1).numpy()  # (B, T, N)
        for number, row, first in zip(numbers, motion, encoded.float().cpu().numpy()):
            path = self._codes_path(number)
            with clear_write_errors(path), atomic_path(path) as part:
                np.savez(part, motion=row, read=first)

    def codes(self, count: int) -> tuple[Tensor, Tensor]:
        """Motion codes of the first ``count`` videos (B, T, N), and the codes of their first frames (B, N)."""
        loaded = []
        for number in range(count):
            with np.load(self._codes_path(number), allow_pickle=False) as file:
                loaded.append((torch.from_numpy(file['motion']), torch.from_numpy(file['read'])))
        motion, encoded = zip(*loaded)
        return torch.stack(motion), torch.stack(encoded)
