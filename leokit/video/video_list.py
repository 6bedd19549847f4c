"""List the videos of a folder, a manifest or a file; they are not opened."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Iterable

from mmengine.logging import print_log

from leokit.utils import UserError
from leokit.utils.files import local_path
from leokit.video.images import IMAGE_SUFFIXES
from leokit.video.manifest import SPLIT_NAMES, MANIFEST_NAMES, find_manifest, read_manifest
from leokit.video.readers import frame_files
from leokit.video.readers.array_reader import ITEM_MARK, is_array, open_array
from leokit.video.video_entry import VideoEntry, warn_listed

# Endings of files that FFmpeg opens as videos, and of arrays.
VIDEO_SUFFIXES = frozenset({
    '.3g2', '.3gp', '.amv', '.apng', '.asf', '.avi', '.divx', '.dv', '.f4v', '.flv', '.gif', '.h264', '.h265', '.264',
    '.265', '.hevc', '.ivf', '.m1v', '.m2t', '.m2ts', '.m2v', '.m4v', '.mjpeg', '.mjpg', '.mk3d', '.mkv', '.mov',
    '.mp4', '.mpe', '.mpeg', '.mpg', '.mts', '.mxf', '.nut', '.obu', '.ogv', '.qt', '.rm', '.rmvb', '.ts', '.vob',
    '.webm', '.wmv', '.y4m', '.npy', '.npz'})


def find_videos(source: str | Path, manifest: str | Path | None = 'auto') -> list[VideoEntry]:
    """List the videos of a folder, a manifest or a single video file.

    A folder with a ``manifest.json`` (``.jsonl``, ``.csv``) is read through it; any other folder is searched by
    :func:`scan_folder`.

    Args:
        source (str | Path): A folder, a manifest, or a video file.
        manifest (str | Path, optional): The manifest of the folder; ``'auto'`` looks for one in it, None ignores it.

    Returns:
        list[VideoEntry]: At least one video, in the order of the manifest or sorted by name.
    """
    source = local_path(source)
    if not source.exists():
        raise UserError(f'{source} does not exist; pass a folder of videos or a manifest (.json, .jsonl, .csv) (in a '
                        'config: data_root)')
    if source.is_file() and source.suffix.lower() in VIDEO_SUFFIXES:
        return [VideoEntry(name=source.stem, path=source, identity=source.stem)]
    if source.is_file():
        manifest = source
    elif manifest == 'auto':
        manifest = find_manifest(source)
    entries = scan_folder(source) if manifest is None else read_manifest(manifest)
    if not entries:
        raise UserError(f'there are no videos in {source}; expected files ({", ".join(sorted(VIDEO_SUFFIXES))}), '
                        'folders of images, or a manifest that names them')
    return entries


def scan_folder(root: str | Path) -> list[VideoEntry]:
    """List all video files and frame folders below a folder.

    Links are followed. Hidden files and folders are ignored, and so are unfinished files of an interrupted process
    (``clip.part.mp4``). Each video is its own identity; first-level folders named train, val or test are splits.
    Files next to videos that are no videos are counted in the log; folders that cannot be read and names that are not
    UTF-8 are left out with a warning.

    Args:
        root (str | Path): The folder; it is a video itself if it holds images.

    Returns:
        list[VideoEntry]: Sorted by name. The name is the path below ``root`` without the suffix, unless two videos
        differ by the suffix alone.
    """
    root = Path(root)
    if root.resolve() == Path(root.resolve().anchor):
        raise UserError(f'{root} is the whole file system; pass the folder of the videos')
    paths, seen, others = [], set(), Counter()
    unreadable: list[OSError] = []
    misnamed: list[str] = []
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=unreadable.append):
        location = os.path.realpath(folder)
        if location in seen:  # a circle of links
            subfolders.clear()
            continue
        seen.add(location)
        misnamed += [os.path.join(folder, name) for name in (*subfolders, *files) if not _is_utf8(name)]
        subfolders[:], files = filter(_is_utf8, subfolders), list(filter(_is_utf8, files))
        subfolders[:] = sorted(name for name in subfolders if not (name.startswith('.') or name.endswith('.part')))
        files = [Path(folder, name) for name in files
                 if not name.startswith('.') and not Path(name).stem.endswith('.part')]
        videos = [file for file in files if is_video_file(file)]
        paths += videos
        if not videos and frame_files(folder):
            paths.append(Path(folder))
            files = [file for file in files if file.suffix.lower() not in IMAGE_SUFFIXES]
        others.update(file.suffix.lower() or 'no ending' for file in files
                      if not is_video_file(file) and file.name not in MANIFEST_NAMES)
    if unreadable and not paths:
        raise UserError(f'{unreadable[0].filename} cannot be read ({unreadable[0].strerror}); change its permissions '
                        'or choose another folder')
    if unreadable:
        warn_listed(f'folders of {root} that cannot be read, {len(unreadable)} in all',
                    [f'{error.filename} ({error.strerror})' for error in unreadable])
    if misnamed:  # as a name in manifests, caches and logs they could not be written
        warn_listed(f'skipped names of {root} that are not UTF-8, {len(misnamed)} in all',
                    [os.fsencode(name).decode('utf-8', 'backslashreplace') for name in misnamed])
    if others:
        print_log(f'{sum(others.values())} files of {root} are no videos by their ending and were left out: '
                  + ', '.join(f'{count} {suffix}' for suffix, count in others.most_common()), logger='current')
    stems = Counter(_stem(path, root) for path in paths)
    entries = []
    for path in paths:
        stem = _stem(path, root)
        name = stem if stems[stem] == 1 else path.relative_to(root).as_posix()
        split = SPLIT_NAMES.get(path.relative_to(root).parts[0].lower()) if path != root else None
        entries.append(VideoEntry(name=name, path=path, identity=name, split=split))
    return sorted(entries, key=lambda entry: entry.name)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8 reach Python as surrogates
        return False
    return True


def is_video_file(path: Path) -> bool:
    """True if a file is listed as a video, by its ending; animated WebP is, so that reading it can be refused."""
    suffix = path.suffix.lower()
    return suffix in VIDEO_SUFFIXES or (suffix == '.webp' and is_animated_webp(path))


def is_animated_webp(path: Path) -> bool:
    """True if the header of a WebP file announces an animation."""
    try:
        with path.open('rb') as file:
            head = file.read(21)
    except OSError:
        return False
    return head[8:16] == b'WEBPVP8X' and len(head) == 21 and bool(head[20] & 2)


def split_arrays(entries: Iterable[VideoEntry]) -> list[VideoEntry]:
    """Replace each array file of several videos by one entry per video; only the headers of arrays are read."""
    return [item for entry in entries for item in _items(entry)]


def _items(entry: VideoEntry) -> list[VideoEntry]:
    if not is_array(entry.path):
        return [entry]
    try:
        array = open_array(entry.path)
    except UserError:
        return [entry]  # reported when it is opened
    if array.ndim == 4 or not len(array):  # without a video: reported when it is opened
        return [entry]
    digits = len(str(len(array) - 1))
    return [replace(entry, name=f'{entry.name}{ITEM_MARK}{item:0{digits}d}',
                    path=Path(f'{entry.path}{ITEM_MARK}{item}')) for item in range(len(array))]


def _stem(path: Path, root: Path) -> str:
    if path == root:
        return path.resolve().name
    below = path.relative_to(root)
    return (below if path.suffix.lower() not in VIDEO_SUFFIXES else below.with_suffix('')).as_posix()
