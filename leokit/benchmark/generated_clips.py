"""Numbered videos in a folder, made once: a test that was broken off goes on where it stopped.

Beside the folder ``<name>`` lie ``<name>_codes`` with the motion of every video, and ``<name>.json`` with the facts
that the videos depend on. A folder that holds videos of other facts is refused.
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
    """Videos 0, 1, 2, ... of one kind.

    Args:
        folder (str | Path): Where they are.
        facts (Mapping): What they depend on: plain values.
        clip_format (str): ``'mp4'``, ``'gif'``, ``'npy'`` or ``'frames'``.
        fps (float): Their rate.

    Raises:
        UserError: If the format is unknown, or the folder holds videos of other facts.
    """

    def __init__(self, folder: str | Path, facts: Mapping[str, Any], *, clip_format: str = 'npy',
                 fps: float = 25.0) -> None:
        if clip_format not in OUTPUT_SUFFIXES:
            raise UserError(f'the clip format {clip_format!r} is unknown; choose one of {", ".join(OUTPUT_SUFFIXES)}')
        self.folder = Path(folder)
        self.suffix = OUTPUT_SUFFIXES[clip_format]
        self.fps = fps
        self._facts = plain_settings({**facts, 'format': clip_format})
        self._facts_file = self.folder.with_name(f'{self.folder.name}.json')
        if self.folder.is_dir() and any(self.folder.iterdir()):
            check_settings(self._facts_file, self._facts, subject=f'{self.folder} holds videos',
                           remedy='remove the folder or choose another --work-dir', upgrade=upgrade_facts)

    def path(self, number: int) -> Path:
        """The video of a number."""
        return self.folder / f'{self.folder.name}_{number:05d}{self.suffix}'

    def _codes(self, number: int) -> Path:
        return self.folder.with_name(f'{self.folder.name}_codes') / f'{number:05d}.npz'

    def missing(self, count: int) -> list[int]:
        """Which of the first ``count`` videos are not there yet."""
        return [number for number in range(count) if not (self.path(number).exists() and self._codes(number).exists())]

    def check_space(self, count: int, num_frames: int, size: int) -> None:
        """Refuse to begin what the disk has no room for.

        Args:
            count (int): Videos that there shall be.
            num_frames (int): Frames of each.
            size (int): Their side.

        Raises:
            UserError: If there is less room than the missing ones need.
        """
        missing = self.missing(count)
        if missing:
            check_space([self.path(number) for number in missing], num_frames, size, size)

    def add(self, numbers: Sequence[int], chunks: FrameStream, codes: Iterable[Tensor], read: Tensor, *,
            bar: tqdm | None = None) -> None:
        """Write videos.

        Args:
            numbers (Sequence[int]): Theirs.
            chunks (FrameStream): Their frames, as they are made.
            codes (Iterable[Tensor]): Their motion, shape (B, t, N) each; asked for after the frames.
            read (Tensor): What the animator reads in the first frames, shape (B, N).
            bar (tqdm, optional): Told how many frames were written.

        Raises:
            UserError: If the disk is full or refuses.
        """
        with clear_write_errors(self._facts_file):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self._facts_file, self._facts)
        for number in numbers:  # a video without its codes is of a test that was broken off
            remove(self.path(number))
        write_videos(chunks, [self.path(number) for number in numbers], self.fps, bar=bar)
        motion = torch.cat([piece.float().cpu() for piece in codes], dim=1).numpy()
        for number, row, first in zip(numbers, motion, read.float().cpu().numpy()):
            with clear_write_errors(self._codes(number)), atomic_path(self._codes(number)) as part:
                np.savez(part, motion=row, read=first)

    def codes(self, count: int) -> tuple[Tensor, Tensor]:
        """The motion of the first ``count`` videos (B, T, N), and what was read in their first frames (B, N)."""
        loaded = []
        for number in range(count):
            with np.load(self._codes(number), allow_pickle=False) as file:
                loaded.append((torch.from_numpy(file['motion']), torch.from_numpy(file['read'])))
        motion, read = zip(*loaded)
        return torch.stack(motion), torch.stack(read)
