"""Which videos a folder or a manifest names, arrays of several videos taken apart; nothing is decoded yet."""

import dataclasses
from pathlib import Path

from leokit.utils import UserError
from leokit.video.images import IMAGE_SUFFIXES
from leokit.video.manifest import find_manifest, read_manifest
from leokit.video.readers.array_reader import ITEM_MARK, is_array, open_array
from leokit.video.video_entry import VideoEntry, VideoFilter
from leokit.video.video_filter import select_videos
from leokit.video.video_index import VIDEO_SUFFIXES, scan_folder


def list_videos(source: str | Path, filters: VideoFilter | None = None, *,
                preferred_split: str | None = None) -> tuple[list[VideoEntry], VideoFilter]:
    """The videos of a folder, a manifest or an array file, as training selects them.

    Args:
        source (str | Path): A folder (with or without a manifest in it), a manifest, or a single video file.
        filters (VideoFilter, optional): Which videos, and which part of each; all by default.
        preferred_split (str, optional): Split to take where the filter asks for none and the source has it.

    Returns:
        tuple: The videos, at least one, sorted by name; and the filter that was applied.

    Raises:
        UserError: If the source is missing or empty, or the filter leaves nothing.
    """
    source, filters = Path(source), filters or VideoFilter()
    entries = [entry for entry in _named(source) if entry.path.suffix.lower() not in IMAGE_SUFFIXES]
    if not entries:
        raise UserError(f'there are no videos in {source}; expected files ({", ".join(sorted(VIDEO_SUFFIXES))}), '
                        'folders of pictures, or a manifest that names them')
    if filters.split is None and preferred_split in {entry.split for entry in entries}:
        filters = dataclasses.replace(filters, split=preferred_split)
    selected = select_videos(entries, filters, source)
    return sorted((item for entry in selected for item in _items(entry)), key=lambda entry: entry.name), filters


def _named(source: Path) -> list[VideoEntry]:
    if source.is_dir():
        manifest = find_manifest(source)
        return scan_folder(source) if manifest is None else read_manifest(manifest)
    if source.suffix.lower() in VIDEO_SUFFIXES and source.is_file():
        return [VideoEntry(name=source.stem, path=source, identity=source.stem)]
    if not source.is_file():
        raise UserError(f'{source} does not exist; pass a folder of videos or a manifest (.json, .jsonl, .csv)')
    return read_manifest(source)


def _items(entry: VideoEntry) -> list[VideoEntry]:
    """A file of several videos becomes that many entries."""
    if not is_array(entry.path):
        return [entry]
    try:
        array = open_array(entry.path)
    except UserError:
        return [entry]  # it is named and counted when it is opened
    if array.ndim == 4:
        return [entry]
    digits = len(str(len(array) - 1))
    return [dataclasses.replace(entry, name=f'{entry.name}{ITEM_MARK}{item:0{digits}d}',
                                path=Path(f'{entry.path}{ITEM_MARK}{item}')) for item in range(len(array))]
