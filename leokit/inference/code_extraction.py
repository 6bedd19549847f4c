"""Extraction of motion codes from a folder of videos, for training on codes instead of frames.

Several videos are decoded at the same time in threads or processes, a piece of each in turn. Their frames are packed
into batches of one size, whatever the lengths of the videos, so only the last batch can be smaller.
"""

import logging
from collections import Counter, defaultdict, deque
from contextlib import closing
from typing import Callable, Iterator, NamedTuple, Sequence

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from leokit.datasets.code_cache import CodedVideo
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.datasets.frame_decoder import CHUNK_FRAMES, FrameDecoder
from leokit.inference.chunk_runner import MIN_CHUNKS
from leokit.inference.frame_encoder import frame_encoder
from leokit.models import Animator
from leokit.utils import UserError, progress_bar
from leokit.utils.modules import device_of
from leokit.utils.prefetch import Ended, prefetch_in_turn
from leokit.utils.process_streams import process_in_turn, worth_processes
from leokit.utils.progress import StageRates
from leokit.utils.thread_map import worker_count
from leokit.video.frame_rate import common_rate, format_rates, group_rates, is_same_rate, resampled_count
from leokit.video.readers.damage import DamagedFrameError
from leokit.video.shards import video_bytes
from leokit.video.video_entry import VideoEntry
from leokit.video.video_index import VideoIndex

BATCH_SIZE = 64  # frames; larger batches are not faster
MIN_STRETCH = 2  # frames of an intact stretch of a damaged video; one frame has no motion
CHUNKS_AHEAD = 2  # decoded chunks in the queue of each video


class ExtractionReport(NamedTuple):
    """Counts of an extraction.

    Attributes:
        videos (int): Videos encoded now.
        frames (int): Their frames.
        known (int): Videos whose codes were already present.
        skipped (int): Videos that cannot be used; the writer has their names and the reasons.
    """

    videos: int
    frames: int
    known: int
    skipped: int


def extract_motion_codes(animator: Animator, index: VideoIndex, writer: CodeCacheWriter, *,
                         batch_size: int = BATCH_SIZE, crop: str | None = None, fps: float | None = None,
                         workers: int | None = None, amp: bool = False, show_progress: bool = True) -> ExtractionReport:
    """Encode all frames of all videos that are not in the cache yet.

    Videos are written one by one in the order of the index, so an interrupted extraction can be resumed. A video that
    cannot be decoded is recorded as skipped, with the reason. Of a damaged one, each intact stretch becomes an entry of
    its own after all other videos, ``<name>_from<first frame>``, and what is damaged is recorded.

    Args:
        animator (Animator): A trained animator.
        index (VideoIndex): The videos.
        writer (CodeCacheWriter): Open cache to add to; it stays open.
        batch_size (int): Frames per forward pass.
        crop (str, optional): How frames become square; by default as in the animator's training.
        fps (float, optional): Frame rate of the codes; videos of another rate are resampled by time. By default that of
            the cache, else that of the videos; of several, the rate of most of the material.
        workers (int, optional): Videos decoded at the same time; by default as many as there are cores.
        amp (bool): Encode under bfloat16 autocast; codes lose precision.
        show_progress (bool): Show a bar with the remaining time.

    Returns:
        ExtractionReport: Counts of videos and frames.
    """
    if batch_size < 1:
        raise UserError(f'the batch size must be 1 or more, got {batch_size}')
    for skipped in index.skipped:
        writer.skip(*skipped)
    todo = [video for video in index if video.name not in writer]
    fps = _choose_rate(index, writer, fps)
    _refresh(index, writer)
    decoder = FrameDecoder(animator.size, crop or animator.crop, fps=fps)
    total = sum(num_codes(video, fps) for video in todo)
    animator.eval()
    encode = frame_encoder(animator.encoder, amp=amp, fused=total >= MIN_CHUNKS * batch_size)
    packer = _Packer(encode, batch_size, device_of(animator))
    workers = workers or worker_count()
    counts: Counter[str] = Counter()
    rates = StageRates('read', 'encode')

    def encode_all(items: Sequence[_Item]) -> list[VideoEntry]:
        """Encode videos or stretches; returns the damaged videos."""
        damaged = []
        with closing(_decode(items, decoder, workers)) as pieces:
            while True:
                with rates.waiting():
                    item, piece = next(pieces, (None, None))
                if item is None:
                    return damaged
                if isinstance(piece, UserError):
                    packer.drop(item)
                    if isinstance(piece, DamagedFrameError) and item.stretch is None:
                        damaged.append(item.video)
                    else:
                        writer.skip(item.video.path, str(piece))
                elif piece is None:
                    packer.end(item)
                else:
                    packer.add(item, piece)
                    rates.count += len(piece)
                    bar.set_postfix_str(str(rates), refresh=False)
                    bar.update(len(piece))
                write(packer.finished())

    def write(finished: Iterator[tuple[_Item, np.ndarray]]) -> None:
        for item, codes in finished:
            _write(writer, item, codes, fps)
            counts[item.video.name] += len(codes)

    with progress_bar(total, 'motion codes', show=show_progress) as bar:
        damaged = encode_all([_Item(video) for video in todo])
        encode_all([item for video in damaged for item in _intact_items(video, decoder, writer)])
        write(packer.finished(flush=True))
    return ExtractionReport(len(counts), sum(counts.values()), len(index) - len(todo), len(writer.skipped))


class _Item(NamedTuple):
    """A video to encode, or an intact stretch of a damaged one with its record in the cache."""

    video: VideoEntry
    stretch: CodedVideo | None = None


def _intact_items(video: VideoEntry, decoder: FrameDecoder, writer: CodeCacheWriter) -> list[_Item]:
    """The intact stretches of a damaged video that have no codes yet; what is damaged is recorded as skipped."""
    intact, damaged = decoder.intact_stretches(video)
    whole = sum(stretch.last - stretch.first for stretch in (*intact, *damaged))
    intact = [stretch for stretch in intact if stretch.last - stretch.first >= MIN_STRETCH]
    ranges = ', '.join(stretch.describe(decoder.fps or video.fps) for stretch in damaged)
    if not intact:
        writer.skip(video.path, f'frames {ranges} are damaged, and no {MIN_STRETCH} in a row are not')
    elif not damaged:  # packets without frames are damaged
        return [_Item(video, CodedVideo(video.name, '', None, 0.0, 0, intact[0].last))]
    else:
        writer.skip(f'{video.path} (in part)', f'frames {ranges} are damaged; the codes of the others are kept')
    items = [_Item(video, CodedVideo(f'{video.name}_from{first}', '', None, 0.0, 0, last - first, part_of=video.name,
                                     first=first, whole=whole, parts=len(intact))) for first, last in intact]
    return [item for item in items if item.stretch.name not in writer]


def _choose_rate(index: VideoIndex, writer: CodeCacheWriter, fps: float | None) -> float | None:
    """The rate of the codes; None if all videos have one, and nothing is to be resampled."""
    coded = group_rates(video.fps for video in writer.videos)
    for known in coded if fps else ():
        if not is_same_rate(known, fps):
            raise UserError(f'the codes in {writer.folder} have {known:.4g} frames per second, not {fps:.4g}; pass '
                            'another --out, or the same rate')
    rates = group_rates(video.fps for video in index)
    if fps is None and len(coded) == 1:
        fps = next(iter(coded))
    elif fps is None and len(rates) > 1:
        fps = common_rate([video.fps for video in index], [video.frames for video in index])
    others = sum(count for rate, count in rates.items() if fps and not is_same_rate(rate, fps))
    if others:
        print_log(f'{others} of {len(index)} videos of {index.root} have another rate than the codes '
                  f'({format_rates(rates)} frames per second) and are resampled to {fps:.4g}; --fps '
                  '(in a config: fps) chooses another', logger='current')
    return fps if others else None


def num_codes(video: VideoEntry, fps: float | None) -> int:
    """Number of frames of a video at the rate of the codes."""
    return resampled_count(video.frames, fps, video.fps) if fps and video.fps else video.frames


def _refresh(index: VideoIndex, writer: CodeCacheWriter) -> None:
    """Take over changed identities and splits: an identity moved to the test split must leave training."""
    coded: dict[str, list[CodedVideo]] = defaultdict(list)
    for entry in writer.videos:
        coded[entry.video].append(entry)
    known = [video for video in index if video.name in coded]
    relabeled = sum(max([writer.relabel(entry.name, identity=video.identity, split=video.split)
                         for entry in coded[video.name]]) for video in known)
    if relabeled:
        print_log(f'{relabeled} videos have another identity or split than when their codes were extracted; the cache '
                  'has the new ones', logger='current')
    changed = [video for video in known
               if num_codes(video, coded[video.name][0].fps) != coded[video.name][0].video_length
               or coded[video.name][0].file_size not in (0, video_bytes(video.path))]
    if changed:
        first = coded[changed[0].name][0]
        print_log(f'{len(changed)} videos are not those that the codes were extracted from ({changed[0].path} had '
                  f'{first.video_length} frames and {first.file_size or "an unknown number of"} bytes, now '
                  f'{num_codes(changed[0], first.fps)} and {video_bytes(changed[0].path)}); if they were replaced, '
                  f'delete {writer.folder} and run this again', logger='current', level=logging.WARNING)


def _write(writer: CodeCacheWriter, item: _Item, codes: np.ndarray, fps: float | None) -> None:
    video = item.video
    if not np.isfinite(codes).all():
        raise UserError(f'the codes of {video.path} are not finite; the checkpoint of the animator is broken, use '
                        'another one')
    writer.add(item.stretch.name if item.stretch else video.name, codes, identity=video.identity, split=video.split,
               fps=fps or video.fps, file_size=video_bytes(video.path), part=item.stretch)


def _decode(items: Sequence[_Item], decoder: FrameDecoder,
            workers: int) -> Iterator[tuple[_Item, np.ndarray | UserError | None]]:
    """Decode videos or stretches, ``workers`` of them at a time, a chunk of each in turn.

    Yields an item with a chunk (t, 3, S, S) of its frames, and finally with None or with the error that ended it.
    """
    def stream(number: int) -> Iterator[np.ndarray]:
        item = items[number]
        if item.stretch is None:
            return decoder.stream(item.video)
        return decoder.stream(item.video, item.stretch.first, item.stretch.first + item.stretch.length)

    with closing(decode_in_turn(stream, len(items), workers, decoder.size)) as pieces:
        for number, piece in pieces:
            if not isinstance(piece, Ended):
                yield items[number], piece
            elif piece.error is None or isinstance(piece.error, UserError):
                yield items[number], piece.error
            else:
                raise piece.error


def decode_in_turn(stream: Callable[[int], Iterator[np.ndarray]], count: int, workers: int,
                   size: int) -> Iterator[tuple[int, np.ndarray | Ended]]:
    """Chunks of several videos, one of each in turn, decoded in threads, or in processes where these are faster.

    Args:
        stream (Callable): Opens the chunks (t, 3, S, S) of a video from its number.
        count (int): Number of videos.
        workers (int): Videos at the same time.
        size (int): Resolution S.

    Yields:
        tuple: Number of a video, and its next chunk or :class:`~leokit.utils.prefetch.Ended`.
    """
    if worth_processes(count, workers, CHUNK_FRAMES * 3 * size**2, CHUNKS_AHEAD):
        return process_in_turn(stream, count, workers, CHUNKS_AHEAD)
    return prefetch_in_turn(map(stream, range(count)), workers, CHUNKS_AHEAD)


class _Job:
    """A video that is being encoded."""

    def __init__(self, item: _Item) -> None:
        self.item = item
        self.codes: list[Tensor] = []  # (t, N) each
        self.waiting = 0  # number of frames that are not encoded yet
        self.ended = False


class _Packer:
    """Packs the frames of several videos into batches of one size and assigns the codes to their videos."""

    def __init__(self, encode: Callable[[Tensor], Tensor], batch_size: int, device: torch.device) -> None:
        self._to_codes = encode  # from uint8 frames (B, 3, S, S) on the device
        self._device = device
        self._pin = device.type == 'cuda'  # pinned memory is copied asynchronously
        self._batch_size = batch_size
        self._jobs: deque[_Job] = deque()
        self._frames: deque[tuple[_Job, Tensor]] = deque()  # not encoded yet, uint8 (t, 3, S, S) each

    def add(self, item: _Item, frames: np.ndarray) -> None:
        """Add the next frames of a video, and encode full batches."""
        job = self._job_of(item)
        if job is None:
            job = _Job(item)
            self._jobs.append(job)
        job.waiting += len(frames)
        self._frames.append((job, torch.from_numpy(frames)))
        while sum(len(piece) for _, piece in self._frames) >= self._batch_size:
            self._encode()

    def end(self, item: _Item) -> None:
        """Mark a video as complete, if any of its frames were added."""
        job = self._job_of(item)
        if job is not None:
            job.ended = True

    def drop(self, item: _Item) -> None:
        """Discard a video, if any of its frames were added."""
        job = self._job_of(item)
        if job is not None:
            self._jobs.remove(job)
            self._frames = deque((owner, piece) for owner, piece in self._frames if owner is not job)

    def finished(self, flush: bool = False) -> Iterator[tuple[_Item, np.ndarray]]:
        """Yield the videos that are completely encoded, with codes (length, N), in the order in which they began.

        ``flush`` encodes the last batch.
        """
        while flush and self._frames:
            self._encode()
        while self._jobs and self._jobs[0].ended and not self._jobs[0].waiting:
            job = self._jobs.popleft()
            yield job.item, torch.cat(job.codes).cpu().numpy()

    def _job_of(self, item: _Item) -> _Job | None:
        return next((job for job in self._jobs if job.item is item), None)

    def _encode(self) -> None:
        """Encode the next batch, or a smaller one of all frames left."""
        owners, pieces, room = [], [], self._batch_size
        while room and self._frames:
            job, piece = self._frames.popleft()
            if len(piece) > room:
                self._frames.appendleft((job, piece[room:]))
                piece = piece[:room]
            owners.append(job)
            pieces.append(piece)
            room -= len(piece)
        batch = torch.cat(pieces)
        if self._pin:
            batch = batch.pin_memory()
        codes = self._to_codes(batch.to(self._device, non_blocking=True))
        # codes stay on the device until their video is complete, so that nothing waits for the device here
        for job, piece, part in zip(owners, pieces, codes.split([len(piece) for piece in pieces])):
            job.codes.append(part)
            job.waiting -= len(piece)
