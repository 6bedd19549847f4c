"""What a data set knows about one video, and which videos a config selects."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, Sequence

from leokit.utils import UserError


class Skipped(NamedTuple):
    """A video that was left out.

    Attributes:
        file (str): Its path.
        reason (str): Why.
    """

    file: str
    reason: str

    def __str__(self) -> str:
        """One line that names the file once."""
        return self.reason if self.file in self.reason else f'{self.file}: {self.reason}'


@dataclass(frozen=True)
class VideoEntry:
    """One video of a data set.

    Attributes:
        name (str): Unique within the data set; what batches, code caches and errors call it.
        path (Path): File or frame folder.
        identity (str): Who is seen; the name where nobody said.
        split (str, optional): ``train``, ``val``, ``test`` or whatever the manifest says.
        category (str, optional): From the manifest.
        frames (int): Frames in the file; 0 before it has been probed.
        fps (float): Frames per second; 0 before the video has been probed.
        first (int): First frame in use.
        last (int): End of the frames in use (excluded).
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

    @property
    def length(self) -> int:
        """int: Number of frames in use."""
        return self.last - self.first


@dataclass(frozen=True)
class VideoFilter:
    """Which videos, and which part of each, a data set uses.

    Attributes:
        split (str | Sequence[str], optional): Splits to keep; None keeps all.
        category (str | Sequence[str], optional): Categories to keep; None keeps all.
        identities (Sequence[str], optional): Identities to keep; None keeps all.
        exclude_identities (Sequence[str]): Identities to leave out.
        segment (tuple[float, float]): The part of every video to use, as fractions of its length. ``(0, 0.8)`` and
            ``(0.8, 1)`` have no frame in common.
        min_frames (int): Shorter videos are skipped (counted after ``segment``).
    """

    split: str | Sequence[str] | None = None
    category: str | Sequence[str] | None = None
    identities: Sequence[str] | None = None
    exclude_identities: Sequence[str] = ()
    segment: tuple[float, float] = (0.0, 1.0)
    min_frames: int = 1

    def __post_init__(self) -> None:
        try:
            low, high = self.segment
            right = 0 <= low < high <= 1
        except (TypeError, ValueError):  # not two of them, or no numbers
            right = False
        if not right:
            raise UserError(f'segment must be two fractions with 0 <= low < high <= 1, got {self.segment!r}')
        if isinstance(self.identities, str) or isinstance(self.exclude_identities, str):
            raise UserError('identities and exclude_identities must be lists of names')

    @classmethod
    def from_config(cls, config: dict[str, Any] | None, *, min_frames: int = 1) -> 'VideoFilter':
        """Make a filter from the ``filters`` of a config.

        Args:
            config (dict, optional): Values by attribute name.
            min_frames (int): What the data set needs; the larger of this and the config's holds.

        Returns:
            VideoFilter: The filter.

        Raises:
            UserError: If a key is unknown or a value is out of range.
        """
        config = dict(config or {})
        known = [field.name for field in fields(cls)]
        for key in config:
            if key not in known:
                raise UserError(f'unknown key {key!r} in filters; the keys are {", ".join(known)}')
        config['min_frames'] = max(min_frames, config.get('min_frames', 1))
        return cls(**config)

    def bounds(self, frames: int) -> tuple[int, int]:
        """First frame in use and end of the frames in use (excluded) of a video of ``frames`` frames."""
        low, high = self.segment
        return round(low * frames), round(high * frames)

