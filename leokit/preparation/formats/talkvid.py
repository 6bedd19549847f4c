"""TalkVid: a JSON list with the speaker, the address of the video and times in seconds.

``start-frame`` and ``end-frame`` count from another start than the times do, so the times are used. There are no
boxes.
"""

import re
from pathlib import Path
from typing import Any

from leokit.preparation.clip_record import ClipRecord, ClipTimes, Metadata
from leokit.preparation.formats.base import (
    EntryError, MetadataReader, check_order, existing_metadata, member, number, read_entries, read_json, text)
from leokit.registry import METADATA_READERS
from leokit.utils import UserError

ADDRESS_ID = re.compile(r'(?:[?&]v=|youtu\.be/|/embed/|/shorts/)([\w-]{11})')


@METADATA_READERS.register_module('talkvid')
class TalkVid(MetadataReader):
    """TalkVid (Chen et al., 2025)."""

    title = 'TalkVid'
    published = dict(identities=7729)
    crop = 'celebv_hq'

    def read(self, metadata: Path | None, videos: Path) -> Metadata:
        path = existing_metadata(metadata, self.title, 'its JSON list of clips')
        content = read_json(path)
        if not isinstance(content, list):
            raise UserError(f'{path} is not the metadata of TalkVid: it is no list')
        return read_entries(((f'entry {number}', clip) for number, clip in enumerate(content, start=1)), _record, path)


def _record(place: str, clip: Any) -> ClipRecord:
    name, person = text(member(clip, 'id'), 'id'), text(member(clip, 'info', 'Person ID'), 'Person ID')
    address = text(member(clip, 'info', 'Video Link'), 'Video Link')
    found = ADDRESS_ID.search(address)
    if found is None:
        raise EntryError(f'its Video Link {address!r} holds no id of a video')
    start, end = (number(member(clip, key), key) for key in ('start-time', 'end-time'))
    check_order(start, end)
    return ClipRecord(name, found[1], ClipTimes(start, end), None, person)
