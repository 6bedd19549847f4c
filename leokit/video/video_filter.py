"""Applying a :class:`~leokit.video.video_entry.VideoFilter` to what is known about videos."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Sequence

from mmengine.logging import print_log

from leokit.utils import UserError
from leokit.video.splits import split_identities
from leokit.video.video_entry import VideoEntry, VideoFilter


def select_videos(entries: Sequence[VideoEntry], wanted: VideoFilter, root: str | Path) -> list[VideoEntry]:
    """Select videos by split, category and identity; their length is not looked at.

    If a split is asked for and no video has one, the identities are divided by
    :func:`~leokit.video.splits.split_identities`.

    Args:
        entries (Sequence[VideoEntry]): All videos.
        wanted (VideoFilter): What to keep.
        root (str | Path): What the videos belong to, for messages.

    Returns:
        list[VideoEntry]: At least one video, in the given order.

    Raises:
        UserError: If the filter names an identity that does not exist, or leaves nothing.
    """
    if wanted.split is not None and all(entry.split is None for entry in entries):
        entries = _divide(entries, root)
    people = {entry.identity for entry in entries}
    for identity in [*(wanted.identities or ()), *wanted.exclude_identities]:
        if identity not in people:
            raise UserError(f'no video of {root} shows the identity {identity!r} that the filter names; '
                            'check its spelling in the manifest')
    for key in ('split', 'category'):
        entries = _keep(entries, key, getattr(wanted, key), root)
    if wanted.identities is not None:
        entries = [entry for entry in entries if entry.identity in set(wanted.identities)]
    entries = [entry for entry in entries if entry.identity not in set(wanted.exclude_identities)]
    if not entries:
        raise UserError(f'the filter leaves no video of {root}; loosen identities or exclude_identities')
    return entries


def _divide(entries: Sequence[VideoEntry], root: str | Path) -> list[VideoEntry]:
    try:
        splits = split_identities(entry.identity for entry in entries)
    except UserError as error:
        raise UserError(f'{root} says no splits: {error}') from error
    counts = ', '.join(f'{count} {split}' for split, count in Counter(splits.values()).items())
    print_log(f'{root} says no splits; its identities were divided: {counts}', logger='current')
    return [replace(entry, split=splits[entry.identity]) for entry in entries]


def _keep(entries: Sequence[VideoEntry], key: str, wanted: str | Sequence[str] | None,
          root: str | Path) -> list[VideoEntry]:
    if wanted is None:
        return list(entries)
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    kept = [entry for entry in entries if getattr(entry, key) in wanted]
    if not kept:
        there = sorted({str(getattr(entry, key)) for entry in entries})
        raise UserError(f'no video of {root} has {key} {" or ".join(map(repr, wanted))}; there are: {", ".join(there)}')
    return kept
