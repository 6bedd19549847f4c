"""Build a manifest from a folder of videos: the identity seen in each video, and the split of each identity."""

import os
import re
from pathlib import Path
from typing import Any, Sequence

from leokit.utils import UserError
from leokit.utils.time_limit import time_limit
from leokit.video.splits import DEFAULT_FRACTIONS, split_identities
from leokit.video.video_entry import VideoEntry
from leokit.video.video_index import VideoIndex

MAX_SECONDS_PER_NAME = 5.0


def identity_of(name: str, *, pattern: str | None = None, parents: int = 0) -> str:
    """The identity seen in a video, from the video's name.

    Args:
        name (str): Path below the data folder, without the suffix, with ``/`` between folders.
        pattern (str, optional): A regular expression that is searched in the name; the identity is its group
            ``identity``, else its first group, else the whole match.
        parents (int): Without a pattern: the number of leading folders that are the identity; with 0, each video is
            its own identity.
    """
    if pattern is not None:
        try:
            match = re.search(pattern, name)
        except re.error as error:
            raise UserError(f'the identity pattern {pattern!r} is not a regular expression ({error})') from error
        if match is None:
            raise UserError(f'the identity pattern {pattern!r} does not match the video {name!r}; widen it')
        group = 'identity' if 'identity' in match.re.groupindex else min(1, match.re.groups)
        if not match[group]:
            raise UserError(f'the identity pattern {pattern!r} matches an empty text in the video {name!r}; widen it')
        return match[group]
    folders = name.split('/')[:-1]
    if parents > len(folders):
        raise UserError(f'the video {name!r} lies below {len(folders)} folders, fewer than the {parents} of its '
                        'identity; use a pattern instead')
    return '/'.join(folders[:parents]) or name


def build_manifest(index: VideoIndex, folder: str | Path, *, pattern: str | None = None, parents: int = 0,
                   fractions: Sequence[float] = DEFAULT_FRACTIONS, seed: int = 0) -> list[dict[str, Any]]:
    """Describe the videos of an index for :func:`~leokit.video.manifest.write_manifest`.

    Splits of the index (folders named train, val, test) are kept; without any, identities are divided.

    Args:
        index (VideoIndex): The videos.
        folder (str | Path): Folder of the manifest; the paths of files below it are relative to it.
        pattern (str, optional): See :func:`identity_of`.
        parents (int): See :func:`identity_of`.
        fractions (Sequence[float]): See :func:`~leokit.video.splits.split_identities`.
        seed (int): See :func:`~leokit.video.splits.split_identities`.

    Returns:
        list[dict]: One row per video: ``file``, ``name``, ``identity``, ``split``, ``frames``, ``fps``.
    """
    with time_limit(MAX_SECONDS_PER_NAME * max(1, len(index)), f'the identity pattern {pattern!r} takes too long; '
                    'write it without repetitions of repetitions'):
        identities = [identity_of(video.name, pattern=pattern, parents=parents) for video in index]
    has_splits = {video.split for video in index} != {None}
    splits = {} if has_splits else split_identities(identities, fractions, seed=seed)
    return [_row(video, identity, video.split if has_splits else splits[identity], Path(folder))
            for video, identity in zip(index, identities)]


def _row(video: VideoEntry, identity: str, split: str | None, folder: Path) -> dict[str, Any]:
    path, folder = Path(os.path.abspath(video.path)), Path(os.path.abspath(folder))
    file = path.relative_to(folder) if path.is_relative_to(folder) else path
    return dict(file=file.as_posix(), name=video.name, identity=identity, split=split, frames=video.frames,
                fps=video.fps)
