"""A video of a dataset, and videos that were left out."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Sequence

from mmengine.logging import print_log

MAX_LISTED = 20  # videos that a warning lists by name


@dataclass(frozen=True)
class VideoEntry:
    """A video of a dataset.

    Attributes:
        name (str): Unique within the dataset; used by batches, code caches and error messages.
        path (Path): File or frame folder.
        identity (str): Who is seen; the video's name where that is not known.
        split (str, optional): ``train``, ``val``, ``test`` or another label of the manifest.
        category (str, optional): From the manifest.
        frames (int): Frames in the file; 0 before it has been probed.
        fps (float): Frames per second; 0 before the video has been probed.
        first (int): First frame in use.
        last (int): End of the frames in use (excluded).
        sha256 (str, optional): Hash of the content that the manifest states.
    """

    name: str
    path: Path
    identity: str
    split: str | None = None
    category: str | None = None
    frames: int = 0
    fps: float = 0.0
    first: int = 0
    last: int = 0
    sha256: str | None = None

    @property
    def length(self) -> int:
        """int: Number of frames in use."""
        return self.last - self.first


class Skipped(NamedTuple):
    """A video that was left out, and why."""

    file: str
    reason: str

    def __str__(self) -> str:
        """One line that names the file once."""
        return self.reason if self.file in self.reason else f'{self.file}: {self.reason}'


def warn_skipped(skipped: Sequence[Skipped], root: str | Path) -> None:
    """Log one warning that counts and names the videos of ``root`` that were left out, if there are any."""
    if skipped:
        warn_listed(f'skipped videos of {root}, {len(skipped)} in all', [str(video) for video in skipped])


def warn_listed(headline: str, lines: Sequence[str]) -> None:
    """Log a warning with a headline and the first ``MAX_LISTED`` of some lines."""
    listed = list(lines[:MAX_LISTED])
    if len(lines) > MAX_LISTED:
        listed.append(f'... and {len(lines) - MAX_LISTED} more')
    print_log('\n  '.join([f'{headline}:', *listed]), logger='current', level=logging.WARNING)
