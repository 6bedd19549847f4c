"""Finding videos: in a folder of files and frame folders, or in a manifest."""

import json
import os
from pathlib import Path
from typing import Iterator, NamedTuple

from leokit.datasets import IMAGE_SUFFIXES
from leokit.evaluation.array_reader import ITEM_MARK, open_array
from leokit.utils import UserError

VIDEO_SUFFIXES = frozenset({'.mp4', '.gif', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.npy'})


class Listed(NamedTuple):
    """A video that a folder or a manifest names; nothing has been opened yet."""

    name: str  # path relative to the root, with / between parts
    path: Path
    split: str | None


def list_videos(source: str | Path, split: str | None = None) -> list[Listed]:
    """All videos of a folder or manifest, in order of their names.

    A folder is searched recursively; a folder that holds pictures is one video. A manifest is a JSON list (or a dict
    with a list under ``videos``) of entries with ``file`` (relative to the manifest) and, if wanted, ``split``.

    Args:
        source (str | Path): A folder, or a manifest ending in ``.json``.
        split (str, optional): Take only the entries of this split; needs a manifest.

    Returns:
        list[Listed]: At least one.

    Raises:
        UserError: If the source is missing, empty or cannot give the split.
    """
    source = Path(source)
    if source.is_dir():
        if split is not None:
            raise UserError(f'{source} is a folder, which tells no splits; pass a manifest (.json) to take the split '
                            f'{split!r}, or pass the folder of that split and leave --split out')
        videos = [Listed(path.relative_to(source).as_posix(), path, None) for path in _walk(source)]
    elif source.suffix == '.json':
        videos = _from_manifest(source, split)
    else:
        raise UserError(f'{source} is neither a folder nor a manifest (.json); pass one of them')
    videos = sorted(item for video in videos for item in _items(video))
    if not videos:
        kinds = ', '.join(sorted(VIDEO_SUFFIXES))
        raise UserError(f'there are no videos in {source}; expected files ({kinds}) or folders of pictures')
    return videos


def _walk(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        suffixes = {Path(name).suffix.lower() for name in files if not name.startswith('.')}
        if suffixes & IMAGE_SUFFIXES:
            yield Path(path)
        yield from (Path(path) / name for name in files
                    if Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith('.'))


def _from_manifest(path: Path, split: str | None) -> list[Listed]:
    if not path.is_file():
        raise UserError(f'the manifest {path} does not exist; pass a folder of videos or a JSON manifest')
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f'the manifest {path} is not valid JSON ({error})') from error
    entries = content.get('videos') if isinstance(content, dict) else content
    if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and isinstance(entry.get('file'), str) for entry in entries):
        raise UserError(f'the manifest {path} must be a list of entries with the key file, as in '
                        '[{"file": "a.mp4", "split": "test"}]')
    splits = sorted({str(entry.get('split')) for entry in entries})
    if split is not None:
        entries = [entry for entry in entries if entry.get('split') == split]
        if not entries:
            raise UserError(f'the manifest {path} has no video of split {split!r}; its splits are {", ".join(splits)}')
    entries = [entry for entry in entries if Path(entry['file']).suffix.lower() not in IMAGE_SUFFIXES]
    return [Listed(entry['file'], path.parent / entry['file'], entry.get('split')) for entry in entries]


def _items(video: Listed) -> list[Listed]:
    """A file of several videos becomes that many entries."""
    if video.path.suffix.lower() != '.npy':
        return [video]
    try:
        array = open_array(video.path)
    except UserError:
        return [video]  # it is named and counted when it is opened
    if array.ndim == 4:
        return [video]
    digits = len(str(len(array) - 1))
    return [Listed(f'{video.name}{ITEM_MARK}{item:0{digits}d}', Path(f'{video.path}{ITEM_MARK}{item}'), video.split)
            for item in range(len(array))]
