"""Making training clips out of raw videos: square, of one size, not too long, quick to seek in."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import numpy as np

from leokit.utils import UserError, progress_bar
from leokit.utils.settings_file import lock_settings
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.manifest import read_manifest, write_manifest
from leokit.video.readers import AutoReader, VideoReader
from leokit.video.resize import check_crop, fit_frames
from leokit.video.video_entry import Skipped, VideoEntry
from leokit.video.video_index import VideoIndex
from leokit.video.video_writer import VideoWriter

CHUNK_FRAMES = 32  # decoded at a time
SETTINGS_FILE = 'preparation.json'
MANIFEST_FILE = 'manifest.json'


@dataclass(frozen=True)
class Preparation:
    """How clips are made.

    Attributes:
        size (int): Their side; even, as H.264 wants it.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.
        max_frames (int, optional): Longer videos are cut into pieces of this length; None leaves them whole.
        min_frames (int): Shorter videos, and shorter pieces at the end of a video, are dropped.
        crf (int): H.264 quality, 0 lossless to 51.
        keyframe_interval (int): Frames from one key frame to the next; small makes random access fast.
    """

    size: int
    crop: str = 'center'
    max_frames: int | None = None
    min_frames: int = 2
    crf: int = 18
    keyframe_interval: int = 12

    def __post_init__(self) -> None:
        check_crop(self.crop)
        if self.size < 2 or self.size % 2 or self.min_frames < 1 or self.keyframe_interval < 1:
            raise UserError('size must be even and positive, min_frames and keyframe_interval at least 1, got '
                            f'{self.size}, {self.min_frames}, {self.keyframe_interval}')
        if self.max_frames is not None and self.max_frames < self.min_frames:
            raise UserError(f'max_frames ({self.max_frames}) must not be less than min_frames ({self.min_frames})')

    def pieces(self, frames: int) -> list[tuple[int, int]]:
        """First frame and end (excluded) of the clips out of a video of ``frames`` frames."""
        step = self.max_frames or max(frames, 1)
        cuts = [*range(0, frames, step), frames]
        return [(first, last) for first, last in pairwise(cuts) if last - first >= self.min_frames]


class Report(NamedTuple):
    """What :func:`prepare_videos` did.

    Attributes:
        clips (int): Clips that are there now.
        made (int): Those of them that were made in this run.
        skipped (list[Skipped]): Videos that cannot be used, or not to their end.
    """

    clips: int
    made: int
    skipped: list[Skipped]


def prepare_videos(index: VideoIndex, target: str | Path, settings: Preparation, *, reader: VideoReader | None = None,
                   workers: int | None = None) -> Report:
    """Cut, crop and resize videos to H.264 clips, several at a time, and write a manifest of them.

    Clips keep the identity and split of their video. A clip is there completely or not at all, and a clip that is
    there is not made again, so an interrupted preparation goes on where it stopped.

    Args:
        index (VideoIndex): The raw videos.
        target (str | Path): Folder of the clips and of ``manifest.json``.
        settings (Preparation): How clips are made.
        reader (VideoReader, optional): How to open videos; ``AutoReader()`` by default.
        workers (int, optional): Videos at a time; all cores by default.

    Returns:
        Report: What was done.

    Raises:
        UserError: If the folder holds clips made with other settings, the disk is full, or no clip could be made.
    """
    target = Path(target)
    inside = next((video.path for video in index if Path(video.path).resolve().is_relative_to(target.resolve())), None)
    if inside is not None:
        raise UserError(f'{inside} is a raw video and lies in {target}, where the clips would go; name another folder')
    lock_settings(target / SETTINGS_FILE, asdict(settings), subject=f'{target} holds clips',
                  remedy='pass another folder, or delete this one')
    reader = reader or AutoReader()

    def convert(video: VideoEntry) -> tuple[list[dict[str, Any]], int, str]:
        rows, made = [], 0
        try:
            for row, new in _convert(video, target, settings, reader):
                rows.append(row)
                made += new
        except _UnreadableError as error:
            return rows, made, str(error)
        return rows, made, ''

    rows, made, skipped = [], 0, list(index.skipped)
    with progress_bar(len(index), 'preparing videos', unit='video') as bar:
        for video, (clips, new, problem) in zip(index, thread_map(convert, index, workers or worker_count())):
            rows += clips
            made += new
            if problem:
                skipped.append(Skipped(str(video.path), problem))
            elif not clips:
                skipped.append(Skipped(str(video.path), f'{video.frames} frames, {settings.min_frames} needed'))
            bar.update()
    if not rows:
        raise UserError(f'no clip could be made; the first problem: {skipped[0]}')
    write_manifest(target / MANIFEST_FILE, _keep_labels(target / MANIFEST_FILE, rows))
    return Report(len(rows), made, skipped)


def _keep_labels(manifest: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows; where the raw videos have no split, identity and split stay what somebody made of them in the clips."""
    known = {video.path.resolve(): video for video in read_manifest(manifest)} if manifest.is_file() else {}
    kept = []
    for row in rows:
        video = known.get((manifest.parent / row['file']).resolve())
        if video is not None and row.get('split') is None:
            row = dict(row, identity=video.identity, split=video.split)
        kept.append(row)
    return kept


class _UnreadableError(Exception):
    """Frames of the source cannot be decoded; what goes wrong in writing is another matter."""


def _convert(video: VideoEntry, target: Path, settings: Preparation,
             reader: VideoReader) -> Iterator[tuple[dict[str, Any], bool]]:
    """Make the clips of one video; yields manifest rows, and whether each clip is new."""
    pieces = settings.pieces(video.frames)
    digits = max(2, len(str(len(pieces) - 1)))
    for number, (first, last) in enumerate(pieces):
        name = video.name if settings.max_frames is None else f'{video.name}_{number:0{digits}d}'
        path = target / f'{name}.mp4'
        new = not path.exists()
        if new:
            path.parent.mkdir(parents=True, exist_ok=True)
            with VideoWriter(path, video.fps, crf=settings.crf, keyframe_interval=settings.keyframe_interval,
                             threads=1) as writer:
                for chunk in _decode(video, first, last, reader):
                    writer.write(fit_frames(chunk, settings.size, crop=settings.crop))
        yield dict(file=f'{name}.mp4', name=name, identity=video.identity, split=video.split, frames=last - first,
                   fps=video.fps, source=str(video.path), first_frame=first), new


def _decode(video: VideoEntry, first: int, last: int, reader: VideoReader) -> Iterator[np.ndarray]:
    try:
        with reader.open(video.path) as opened:
            yield from opened.chunks(CHUNK_FRAMES, first, last)
    except UserError as error:
        raise _UnreadableError(str(error)) from error
