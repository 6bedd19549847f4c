"""Base class of metadata readers, and the checks that they share."""

import json
import math
from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping

from leokit.preparation.clip_record import ClipRecord, Dropped, Metadata
from leokit.utils import UserError

HUNDREDTHS = 100


class EntryError(ValueError):
    """An entry of the metadata that describes no clip."""


class MetadataReader(ABC):
    """Reads the metadata of a dataset.

    Attributes:
        title (str): Name of the dataset in messages and reports.
        published (dict[str, int]): Counts of the published metadata, for the report.
        crop (str): How clips become square unless the user chooses otherwise: ``'dataset'`` is :attr:`crop_rule`.
        crop_rule (str, optional): Key of :data:`~leokit.preparation.crop_rules.CROP_RULES`.
        fps (float, optional): Frame rate of the dataset; None is that of each video.
        needs_metadata (bool): False if the folders of the videos say all.
    """

    title = ''
    published: Mapping[str, int] = {}
    crop = 'dataset'
    crop_rule: str | None = None
    fps: float | None = None
    needs_metadata = True

    @abstractmethod
    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        """Read the clips.

        Args:
            metadata (Path, optional): The metadata file or folder.
            videos (Path): The folder of the videos, for datasets whose folders say something.

        Raises:
            UserError: If it is not the metadata of this dataset.
        """


def read_entries(entries: Iterable[tuple[str, Any]], parse: Callable[[str, Any], ClipRecord],
                 path: Path) -> Metadata:
    """Parse entries one by one; those that describe no clip are listed, unless they are most of the file.

    Args:
        entries (Iterable): Where each entry stands ('line 2', a key), and the entry.
        parse (Callable): Makes a record of an entry, or raises :class:`EntryError`.
        path (Path): The file, for the message.
    """
    metadata = Metadata()
    for place, entry in entries:
        try:
            metadata.records.append(parse(place, entry))
        except EntryError as error:
            metadata.invalid.append(Dropped(place, '', 'invalid metadata', str(error)))
    if len(metadata.invalid) > len(metadata.records):
        first = metadata.invalid[0]
        raise UserError(f'{len(metadata.invalid)} of the {len(metadata.invalid) + len(metadata.records)} entries of '
                        f'{path} describe no clip; the first, {first.clip}: {first.detail}')
    if not metadata.records:
        raise UserError(f'{path} describes no clip; fetch it again')
    return metadata


def existing_metadata(path: Path | None, title: str, expected: str) -> Path:
    """The metadata path; a :class:`UserError` if there is none."""
    if path is None:
        raise UserError(f'{title} needs --metadata: {expected}')
    if not path.exists():
        raise UserError(f'the metadata {path} does not exist; {title} needs {expected}')
    return path


def read_json(path: Path) -> Any:
    """The content of a JSON file, with exact numbers."""
    def refuse(name: str) -> None:
        raise ValueError(f'{name} is no number')

    if path.is_dir():
        raise UserError(f'{path} is a folder; pass the JSON file in it')
    try:
        return json.loads(path.read_bytes().decode('utf-8-sig'), parse_float=Fraction, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise UserError(f'{path} cannot be read as JSON ({error}); fetch it again') from error
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror or error})') from error


def member(entry: Any, *keys: str) -> Any:
    """The value at nested keys."""
    for key in keys:
        if not isinstance(entry, Mapping) or key not in entry:
            raise EntryError(f'"{".".join(keys)}" is missing')
        entry = entry[key]
    return entry


def text(value: Any, name: str) -> str:
    """A text that is not empty."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise EntryError(f'{name} is {value!r}, but must be a text')
    return str(value).strip()


def number(value: Any, name: str) -> Fraction:
    """A finite number, or a text of one, exactly."""
    try:
        if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError
        return Fraction(value.strip() if isinstance(value, str) else value)
    except (ValueError, TypeError, ZeroDivisionError):
        raise EntryError(f'{name} is {_shown(value)}, but must be a number') from None


def whole_hundredths(seconds: Fraction) -> Fraction:
    """Seconds without what is finer than hundredths, as the scripts of CelebV pass them to ffmpeg."""
    return Fraction(math.floor(seconds * HUNDREDTHS), HUNDREDTHS)


def check_order(start: Fraction, end: Fraction) -> None:
    """Refuse times that contain nothing."""
    if start < 0 or end <= start:
        raise EntryError(f'it starts at {_shown(start)} and ends at {_shown(end)}')


def check_box(left: Fraction, top: Fraction, right: Fraction, bottom: Fraction) -> None:
    """Refuse boxes that contain nothing."""
    if right <= left or bottom <= top:
        raise EntryError(f'its box is empty: left {_shown(left)}, top {_shown(top)}, right {_shown(right)}, '
                         f'bottom {_shown(bottom)}')


def _shown(value: Any) -> str:
    return f'{float(value):g}' if isinstance(value, Fraction) else repr(value)
