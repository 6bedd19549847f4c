"""CelebV-HQ and CelebV-Text: ``celebvhq_info.json``, ``celebvtext_info.json``.

Both map the name of a clip to ``ytb_id``, ``duration`` in seconds and ``bbox``: fractions of the frame in CelebV-HQ,
pixels of a frame of unknown size in CelebV-Text. Names consist of the id and a number, and ids contain ``_``, so the
id is never taken from the name. There are no identities; the nearest thing is the video.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any, Mapping

from leokit.preparation.clip_record import ClipRecord, ClipTimes, Metadata, MetadataBox
from leokit.preparation.formats.base import (
    EntryError, MetadataReader, check_box, check_order, existing_metadata, member, number, read_entries, read_json,
    text, whole_hundredths)
from leokit.registry import METADATA_READERS
from leokit.utils import UserError

SIDES = ('left', 'top', 'right', 'bottom')
TEXT_SETS = ('clips', 'clips_set1', 'clips_set2')


@METADATA_READERS.register_module('celebv_hq')
class CelebVHQ(MetadataReader):
    """CelebV-HQ (Zhu et al., ECCV 2022)."""

    title = 'CelebV-HQ'
    published = dict(clips=35666)
    crop_rule = 'celebv_hq'

    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        path = existing_metadata(metadata, self.title, 'celebvhq_info.json')
        content = read_json(path)
        clips = content.get('clips') if isinstance(content, Mapping) else None
        if not isinstance(clips, Mapping):
            raise UserError(f'{path} is not the metadata of CelebV-HQ: it has no map "clips"')
        return read_entries(clips.items(), _fraction_record, path)


@METADATA_READERS.register_module('celebv_text')
class CelebVText(MetadataReader):
    """CelebV-Text (Yu et al., CVPR 2023).

    The second set of the file repeats clips of the first under the same names; those are counted as duplicates.
    """

    title = 'CelebV-Text'
    published = dict(clips=70000)
    crop_rule = 'stated_box'

    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        path = existing_metadata(metadata, self.title, 'celebvtext_info.json')
        content = read_json(path)
        sets = [content[key] for key in TEXT_SETS if isinstance(content, Mapping) and key in content]
        if not sets and isinstance(content, Mapping) and content and all(
                isinstance(value, Mapping) and 'ytb_id' in value for value in content.values()):
            sets = [content]  # clips without a map around them, as some copies have them
        if not sets or not all(isinstance(clips, Mapping) for clips in sets):
            raise UserError(f'{path} is not the metadata of CelebV-Text: it has no map {" or ".join(TEXT_SETS)}')
        entries = [(name, clip) for clips in sets for name, clip in clips.items()]
        result = read_entries(entries, _pixel_record, path)
        result.notes.append('boxes are in pixels of a frame whose size the metadata does not state; each was checked '
                            'to lie in the frame of the file, which a larger file than that of the authors also passes')
        return result


def _fraction_record(name: str, clip: Any) -> ClipRecord:
    box = [number(member(clip, 'bbox', side), side) for side in SIDES]
    check_box(*box)
    if max(box) > 2 or min(box) < -1:
        raise EntryError(f'its box {[f"{float(side):g}" for side in box]} is not in fractions of the frame')
    return _record(name, clip, MetadataBox(*box, (1, 1)))


def _pixel_record(name: str, clip: Any) -> ClipRecord:
    box = [number(member(clip, 'bbox', side), side) for side in SIDES]
    check_box(*box)
    fractions = max(box) <= 2
    return _record(name.removesuffix('.mp4'), clip, MetadataBox(*box, (1, 1) if fractions else None))


def _record(name: str, clip: Any, box: MetadataBox) -> ClipRecord:
    video = text(member(clip, 'ytb_id'), 'ytb_id')
    duration = member(clip, 'duration')
    start, end = (_seconds(duration, key) for key in ('start', 'end'))
    check_order(start, end)
    return ClipRecord(name, video, ClipTimes(start, end), box, video)


def _seconds(duration: Any, key: str) -> Fraction:
    """Seconds, also under the names ``start_frame`` and ``end_frame`` of some files, whose values are seconds too."""
    field = next((f'{key}_{unit}' for unit in ('sec', 'frame') if isinstance(duration, Mapping)
                  and f'{key}_{unit}' in duration), f'{key}_sec')
    return whole_hundredths(number(member(duration, field), f'duration.{field}'))
