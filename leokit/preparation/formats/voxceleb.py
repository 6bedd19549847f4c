"""The annotations of VoxCeleb: ``txt/<person>/<video>/<utterance>.txt``, with a box for each frame at 25 per second.

After a header, rows of frame, x, y, width and height: in pixels of the video at a height of 360 (VoxCeleb1), or in
fractions of the frame (VoxCeleb2).
"""

from fractions import Fraction
from pathlib import Path
from typing import Iterator

from leokit.preparation.clip_record import ClipRecord, ClipTimes, Metadata, MetadataBox
from leokit.preparation.formats.base import EntryError, MetadataReader, existing_metadata, number, read_entries
from leokit.registry import METADATA_READERS
from leokit.utils import UserError

FRAME_RATE = Fraction(25)
HEIGHT = 360  # of the frames that the boxes of VoxCeleb1 refer to
MAX_FRACTION = 2  # boxes of VoxCeleb2 may reach a little beyond the frame; those of VoxCeleb1 are hundreds wide


@METADATA_READERS.register_module('voxceleb')
class VoxCeleb(MetadataReader):
    """VoxCeleb1 and 2 (Nagrani et al., 2017; Chung et al., 2018) by their own annotations: one clip an utterance.

    The box is the one around all boxes of the utterance, with the margin of FOMM's preprocessing.
    """

    title = 'VoxCeleb (annotations)'
    crop_rule = 'voxceleb'
    fps = float(FRAME_RATE)

    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        path = existing_metadata(metadata, self.title, 'the folder txt with <person>/<video>/<utterance>.txt')
        if not path.is_dir():
            raise UserError(f'{path} is no folder; {self.title} needs the folder txt of the annotations (for the table '
                            'of the First Order Motion Model use vox)')
        files = sorted(path.glob('*/*/*.txt'))
        if not files:
            raise UserError(f'{path} holds no <person>/<video>/<utterance>.txt; pass the folder txt of the annotations')
        return read_entries(((file.relative_to(path).as_posix(), file) for file in files), _record, path)


def _record(place: str, file: Path) -> ClipRecord:
    person, video, _ = place.split('/')
    rows = list(_rows(file))
    if not rows:
        raise EntryError('it has no rows of frame, x, y, width and height')
    frames = [row[0] for row in rows]
    if any(frame.denominator != 1 for frame in frames) or any(b - a != 1 for a, b in zip(frames, frames[1:])):
        raise EntryError('its frames are not consecutive whole numbers')
    if any(min(width, height) <= 0 for *_, width, height in rows):
        raise EntryError('a box has no area')
    left, top = min(row[1] for row in rows), min(row[2] for row in rows)
    right, bottom = max(row[1] + row[3] for row in rows), max(row[2] + row[4] for row in rows)
    reference = (1, 1) if max(right, bottom) <= MAX_FRACTION else (0, HEIGHT)
    start, end = frames[0], frames[-1] + 1
    name = f'{person}#{video}#{int(start):06d}#{int(end):06d}'
    return ClipRecord(name, video, ClipTimes(start, end, FRAME_RATE), MetadataBox(left, top, right, bottom, reference),
                      person)


def _rows(file: Path) -> Iterator[tuple[Fraction, ...]]:
    """Frame, x, y, width, height of each row after the line that names the columns."""
    try:
        lines = file.read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError as error:
        raise EntryError(f'it cannot be read ({error.strerror or error})') from error
    start = next((index for index, line in enumerate(lines) if line.split()[:1] == ['FRAME']), len(lines))
    for line in lines[start + 1:]:
        values = line.split()
        if not values:
            continue
        if len(values) != 5:
            raise EntryError(f'the row {line.strip()!r} has not five values')
        yield tuple(number(value, 'a row') for value in values)
