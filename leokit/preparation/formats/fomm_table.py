"""The tables of the First Order Motion Model: ``taichi-metadata.csv`` and ``vox-metadata.csv``.

Columns ``video_id,start,end,bbox,fps,width,height,partition`` and, for VoxCeleb, ``person_id``. Start (included) and
end (excluded) are frames at ``fps``; the box is ``left-top-right-bottom`` in pixels of a frame of width x height. A
``video_id`` may be followed by ``#`` and the person.
"""

import csv
import io
import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Iterator

from leokit.preparation.clip_record import ClipRecord, ClipTimes, Metadata, MetadataBox, nominal_rate
from leokit.preparation.formats.base import (
    EntryError, MetadataReader, check_box, check_order, existing_metadata, number, read_entries, text)
from leokit.registry import METADATA_READERS
from leokit.utils import UserError
from leokit.video.manifest import SPLIT_NAMES

COLUMNS = ('video_id', 'start', 'end', 'bbox', 'fps', 'width', 'height', 'partition')
TED_ID = re.compile(r'.+#\d+#\d+')


class FOMMTable(MetadataReader):
    """A table of the First Order Motion Model; subclasses name the dataset."""

    crop_rule = 'stated_box'

    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        path = existing_metadata(metadata, self.title, 'the table of the First Order Motion Model, with the columns '
                                                       + ', '.join(COLUMNS))
        rows = list(_rows(path, self.title))
        if rows and all(TED_ID.fullmatch(row['video_id'] or '') and row['start'] == row['end'] for _, row in rows[:20]):
            raise UserError(
                f'{path} is the metadata of TED-talks, which cannot be rebuilt from videos: its boxes lie in an '
                'intermediate square crop of each video, and where that crop was is not in the file')
        return read_entries(rows, _record, path)


@METADATA_READERS.register_module('taichi_hd')
class TaichiHD(FOMMTable):
    """TaichiHD (Siarohin et al., "First Order Motion Model for Image Animation", NeurIPS 2019): square boxes."""

    title = 'TaichiHD'
    published = dict(clips=3334, videos=280)


@METADATA_READERS.register_module('vox')
class Vox(FOMMTable):
    """VoxCeleb with the boxes of the First Order Motion Model, most of them taller than wide: squeezed to a square."""

    title = 'VoxCeleb'
    published = dict(clips=20075, identities=435)
    fps = 25.0


def _rows(path: Path, title: str) -> Iterator[tuple[str, dict[str, str]]]:
    if path.is_dir():
        raise UserError(f'{path} is a folder; {title} needs the CSV file of the First Order Motion Model')
    try:
        content = path.read_bytes().decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise UserError(f'{path} is not a CSV table in UTF-8; fetch it again') from error
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror or error})') from error
    table = csv.DictReader(io.StringIO(content, newline=''), skipinitialspace=True)
    try:
        missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
        if missing:
            raise UserError(f'{path} is not the metadata of {title}: it has no column {", ".join(missing)}')
        for row in table:
            yield f'line {table.line_num}', row
    except csv.Error as error:
        raise UserError(f'{path} is not a CSV table ({error}); fetch it again') from error


def _record(place: str, row: dict[str, Any]) -> ClipRecord:
    if None in row or None in row.values():
        raise EntryError('it has another number of values than the table has columns')
    video, _, person = text(row['video_id'], 'video_id').partition('#')
    person = row.get('person_id', '').strip() or person
    start, end = (number(row[key], key) for key in ('start', 'end'))
    check_order(start, end)
    split = SPLIT_NAMES.get(text(row['partition'], 'partition').lower())
    if split is None:
        raise EntryError(f'partition is {row["partition"]!r}, but must be train, val or test')
    rate = number(row['fps'], 'fps')
    if rate <= 0 or start.denominator != 1 or end.denominator != 1:
        raise EntryError(f'start, end and fps are {row["start"]}, {row["end"]}, {row["fps"]}, but must be frames and '
                         'a rate')
    name = f'{person}#' * bool(person) + f'{video}#{int(start):06d}#{int(end):06d}'
    return ClipRecord(name, video, ClipTimes(start, end, nominal_rate(rate)), _box(row), person or video, split)


def _box(row: dict[str, str]) -> MetadataBox:
    sides = row['bbox'].strip().split('-')
    if len(sides) != 4:
        raise EntryError(f'bbox is {row["bbox"]!r}, but must be left-top-right-bottom')
    left, top, right, bottom = (number(side, 'bbox') for side in sides)
    check_box(left, top, right, bottom)
    width, height = (number(row[key], key) for key in ('width', 'height'))
    if min(width, height) < 1 or Fraction(width).denominator != 1 or Fraction(height).denominator != 1:
        raise EntryError(f'width and height are {row["width"]} and {row["height"]}')
    return MetadataBox(left, top, right, bottom, (int(width), int(height)))
