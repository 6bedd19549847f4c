"""Find the videos of a dataset among the files that a person has, whatever program named them.

A file belongs to an id if its name is the id, ends in ``[id]`` (yt-dlp) or in ``-id`` (youtube-dl), or if it lies in a
folder named by the id. Files that are named like a clip of the metadata are clips that somebody else has cut.
"""

import re
from collections import defaultdict
from pathlib import Path
from typing import Iterable, NamedTuple

from leokit.preparation.clip_record import ClipRecord
from leokit.utils import UserError
from leokit.video.video_list import find_videos

BRACKETS = re.compile(r'\[([^\[\]]+)\]$')
ID_LENGTH = 11  # of a YouTube video


class FoundVideos(NamedTuple):
    """Result of :func:`find_source_videos`.

    Attributes:
        videos (dict[str, Path]): The video of each id that was found.
        clips (dict[str, Path]): Clips that are already cut, by the name of their record; only of missing videos.
        missing (dict[str, int]): Ids without a file, and how many clips they would have given.
        notes (list[str]): Ids with several files.
    """

    videos: dict[str, Path]
    clips: dict[str, Path]
    missing: dict[str, int]
    notes: list[str]


def find_source_videos(folder: Path, records: Iterable[ClipRecord]) -> FoundVideos:
    """Look up the videos of records in a folder with all its subfolders; a manifest in it is not used."""
    if not folder.is_dir():
        raise UserError(f'{folder} is no folder; pass the folder of the videos')
    records = list(records)
    names = _names([entry.path for entry in find_videos(folder, manifest=None)], folder)
    videos: dict[str, Path] = {}
    clips: dict[str, Path] = {}
    missing: dict[str, int] = defaultdict(int)
    notes: dict[str, str] = {}
    for record in records:
        if record.path is not None:
            if record.path.exists():
                videos[record.video] = record.path
            else:
                missing[record.video] += 1
            continue
        files = next((found for level in names if (found := level.get(record.video))), [])
        if len(files) > 1:
            files = sorted(files, key=lambda path: (-path.stat().st_size, str(path)))
            notes[record.video] = (f'{record.video} has {len(files)} files, and the largest was used: '
                                   + ', '.join(str(path.relative_to(folder)) for path in files))
        if files:
            videos[record.video] = files[0]
        elif record.name in names[0]:
            clips[record.name] = names[0][record.name][0]
        else:
            missing[record.video] += 1
    return FoundVideos(videos, clips, dict(missing), list(notes.values()))


def _names(paths: Iterable[Path], folder: Path) -> list[dict[str, list[Path]]]:
    """Files by the names that they may stand for, the most certain kind of name first."""
    exact, bracketed, appended, parents = (defaultdict(list) for _ in range(4))
    for path in paths:
        stem = path.name if path.is_dir() else path.stem
        exact[stem].append(path)
        if brackets := BRACKETS.search(stem):
            bracketed[brackets[1]].append(path)
        if len(stem) > ID_LENGTH and stem[-ID_LENGTH - 1] == '-':
            appended[stem[-ID_LENGTH:]].append(path)
        if path.parent != folder:
            parents[path.parent.name].append(path)
    return [exact, bracketed, appended, parents]
