"""Making a manifest out of a folder of videos: who is seen in each, and which split each person belongs to."""

import os
import re
from pathlib import Path
from typing import Any, Sequence

from leokit.utils import UserError
from leokit.video.splits import DEFAULT_FRACTIONS, split_identities
from leokit.video.video_entry import VideoEntry
from leokit.video.video_index import VideoIndex


def identity_of(name: str, *, pattern: str | None = None, parents: int = 0) -> str:
    """Who is seen in a video, from its name.

    Args:
        name (str): Path below the data folder, without the ending, with ``/`` between folders.
        pattern (str, optional): A regular expression that is searched in the name; its group ``identity``, or its
            first group, or all that it matches, is the identity.
        parents (int): Without a pattern: how many folders, from the outside in, make the identity; 0 takes each video
            as its own.

    Returns:
        str: The identity.

    Raises:
        UserError: If the pattern is wrong or does not match, or there are not so many folders.
    """
    if pattern is not None:
        try:
            match = re.search(pattern, name)
        except re.error as error:
            raise UserError(f'the identity pattern {pattern!r} is no regular expression ({error})') from error
        if match is None:
            raise UserError(f'the identity pattern {pattern!r} does not match the video {name!r}; widen it')
        group = 'identity' if 'identity' in match.re.groupindex else min(1, match.re.groups)
        if not match[group]:
            raise UserError(f'the identity pattern {pattern!r} finds nothing in the video {name!r}; widen it')
        return match[group]
    folders = name.split('/')[:-1]
    if parents > len(folders):
        raise UserError(f'the video {name!r} lies below {len(folders)} folders, {parents} were to make its identity; '
                        'use a pattern instead')
    return '/'.join(folders[:parents]) or name


def build_manifest(index: VideoIndex, folder: str | Path, *, pattern: str | None = None, parents: int = 0,
                   fractions: Sequence[float] = DEFAULT_FRACTIONS, seed: int = 0) -> list[dict[str, Any]]:
    """Describe the videos of an index for :func:`~leokit.video.manifest.write_manifest`.

    Splits that the index tells (folders named train, val, test) stay; otherwise people are divided.

    Args:
        index (VideoIndex): The videos.
        folder (str | Path): Where the manifest is to lie; files below it are written relative to it.
        pattern (str, optional): See :func:`identity_of`.
        parents (int): See :func:`identity_of`.
        fractions (Sequence[float]): Shares of train, val and test.
        seed (int): Another seed divides people differently.

    Returns:
        list[dict]: One row per video: ``file``, ``name``, ``identity``, ``split``, ``frames``, ``fps``.

    Raises:
        UserError: If an identity cannot be found, or people cannot be divided.
    """
    people = [identity_of(video.name, pattern=pattern, parents=parents) for video in index]
    told = {video.split for video in index} != {None}
    splits = {} if told else split_identities(people, fractions, seed=seed)
    return [_row(video, identity, video.split if told else splits[identity], Path(folder))
            for video, identity in zip(index, people)]


def _row(video: VideoEntry, identity: str, split: str | None, folder: Path) -> dict[str, Any]:
    path, folder = Path(os.path.abspath(video.path)), Path(os.path.abspath(folder))
    file = path.relative_to(folder) if path.is_relative_to(folder) else path
    return dict(file=file.as_posix(), name=video.name, identity=identity, split=split, frames=video.frames,
                fps=video.fps)
