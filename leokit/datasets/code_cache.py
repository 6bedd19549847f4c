"""Motion codes of a dataset on disk, as written by :class:`~leokit.datasets.code_cache_writer.CodeCacheWriter`.

The folder holds ``codes.npy``, the concatenated float32 codes (total, N) of all videos, and ``index.json`` with
``version``, ``motion_dim``, ``animator`` (``weights_hash``, ``config``, ``checkpoint``), ``videos`` (``name``,
``identity``, ``split``, ``fps``, ``offset``, ``length``, ``file_size``, and ``part_of``, ``first``, ``whole`` and
``parts`` of the stretches of damaged videos), ``checksums`` (CRC-32 of the rows of each video; not in caches of older
versions) and ``skipped`` (``file``, ``reason``).
"""

import json
import zlib
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np

from leokit.utils import UserError
from leokit.utils.npy import HEADER_BYTES
from leokit.utils.same_animator import CodeOrigin, check_same_animator
from leokit.video.video_entry import Skipped

VERSION = 1
CODES_FILE = 'codes.npy'
INDEX_FILE = 'index.json'
JOURNAL_FILE = 'journal.jsonl'
MAX_WINDOWS = 100_000  # number of windows that statistics are computed from
RESUME = 'run the same `leokit extract` command again to complete it'


class CodedVideo(NamedTuple):
    """One video of a code cache.

    Attributes:
        name (str): Name of the video in the dataset.
        identity (str): Identity of the person.
        split (str, optional): Split of the dataset.
        fps (float): Frame rate.
        offset (int): Row of the first code.
        length (int): Number of codes.
        file_size (int): Size of the video file in bytes at extraction time; 0 for a frame folder or if unknown.
        part_of (str): Name of the video that this is an intact stretch of; empty for a whole video.
        first (int): First frame of the stretch in that video, at the rate of the codes.
        whole (int): Frames of that video.
        parts (int): Number of its stretches.
    """

    name: str
    identity: str
    split: str | None
    fps: float
    offset: int
    length: int
    file_size: int = 0
    part_of: str = ''
    first: int = 0
    whole: int = 0
    parts: int = 1

    @property
    def video(self) -> str:
        """str: Name of the video, also of a stretch."""
        return self.part_of or self.name

    @property
    def video_length(self) -> int:
        """int: Frames of the video, also of a stretch."""
        return self.whole or self.length

    def bounds(self, bounds_of: Callable[[int], tuple[int, int]]) -> tuple[int, int]:
        """First code and end (excluded) of the part in use.

        Args:
            bounds_of (Callable): Gives first frame and end in use of a whole video, by its length.
        """
        first, last = bounds_of(self.video_length)
        return min(max(first - self.first, 0), self.length), min(max(last - self.first, 0), self.length)


class CodeCache:
    """A finished code cache, opened for reading.

    Args:
        folder (str | Path): Folder of the cache.
        animator_hash (str, optional): Expected ``Animator.weights_hash()``. Default: any animator.

    Attributes:
        codes (np.ndarray): Memory-mapped float32 codes, shape (total, N).
        videos (list[CodedVideo]): Videos of the codes, in the order of the rows.
        skipped (list[Skipped]): Videos that could not be encoded.
        animator (dict): ``weights_hash``, ``config`` and ``checkpoint`` of the animator that extracted the codes.
        motion_dim (int): Dimension N of the codes.
    """

    def __init__(self, folder: str | Path, animator_hash: str | None = None) -> None:
        self.folder = Path(folder)
        index = read_index(self.folder)
        self.motion_dim: int = index['motion_dim']
        self.animator: dict[str, Any] = index['animator']
        self.videos: list[CodedVideo] = index['videos']
        self.skipped = [Skipped(**row) for row in index['skipped']]
        check_cache_animator(self.folder, self.animator, animator_hash)
        total = sum(video.length for video in self.videos)
        self.codes = self._map(total)
        self._check_contents(index.get('checksums'))

    @property
    def animator_hash(self) -> str:
        """str: ``weights_hash`` of the animator that extracted the codes."""
        return self.animator['weights_hash']

    def _map(self, total: int) -> np.ndarray:
        shape = (total, self.motion_dim)
        if total == 0:
            return np.zeros(shape, np.float32)
        path = self.folder / CODES_FILE
        try:
            # Not numpy.load: while videos are being added, the header may count rows that are not in the index yet.
            return np.memmap(path, np.float32, mode='r', offset=HEADER_BYTES, shape=shape)
        except (OSError, ValueError) as error:
            raise UserError(f'{path} does not hold the {total} codes that {INDEX_FILE} lists ({error}); '
                            'delete the folder and extract the codes again') from error

    def _check_contents(self, checksums: list[int] | None) -> None:
        for video, checksum in zip(self.videos, checksums or ()):
            if zlib.crc32(self.codes[video.offset:video.offset + video.length]) != checksum:
                raise UserError(f'the codes of {video.name} in {self.folder / CODES_FILE} are damaged (wrong '
                                'checksum); delete the folder and extract the codes again')

    def statistics(self, num_frames: int | None = None) -> dict[str, np.ndarray]:
        """Statistics of all codes; see :func:`code_statistics`."""
        spans = [(video.offset, video.length) for video in self.videos]
        return code_statistics(self.codes, spans, num_frames)


def code_statistics(codes: np.ndarray, spans: list[tuple[int, int]],
                    num_frames: int | None = None) -> dict[str, np.ndarray]:
    """Statistics of motion codes, accumulated in float64.

    Args:
        codes (np.ndarray): Codes, shape (total, N).
        spans (list[tuple[int, int]]): Offset and length of every video.
        num_frames (int, optional): Window length T of the residuals m_i = α_i - α_1, i = 2..T (LEO, section 3.2),
            computed from all windows of all videos or from ``MAX_WINDOWS`` evenly spaced ones. None omits them.

    Returns:
        dict[str, np.ndarray]: float64. ``mean`` and ``std`` of the codes, shape (N,); with ``num_frames`` also
        ``residual_mean``, ``residual_std``, shape (N,), and ``residual_std_by_frame``, shape (T - 1, N). The residual
        std is the root mean square (about zero): zero is "no motion", and residuals are scaled without centering.
    """
    rows = [codes[offset:offset + length].astype(np.float64) for offset, length in spans if length]
    if not rows:
        raise ValueError('there are no codes to compute statistics of')
    count = sum(len(row) for row in rows)
    # Two passes: the difference of the mean square and the squared mean would lose small variances.
    mean = sum(row.sum(axis=0) for row in rows) / count
    variance = sum(((row - mean)**2).sum(axis=0) for row in rows) / count
    result = dict(mean=mean, std=np.sqrt(variance))
    if num_frames is None:
        return result
    starts = window_starts(spans, num_frames)
    if len(starts) == 0 or num_frames < 2:
        raise ValueError(f'no video has a window of {num_frames} frames with motion in it')
    starts = starts[np.linspace(0, len(starts) - 1, min(len(starts), MAX_WINDOWS)).astype(np.int64)]
    first = codes[starts].astype(np.float64)  # (windows, N)
    sums, squares = np.zeros((2, num_frames - 1, codes.shape[1]))
    for lag in range(1, num_frames):  # frame by frame: all windows at once would need T times the memory
        residual = codes[starts + lag] - first
        sums[lag - 1], squares[lag - 1] = residual.mean(axis=0), (residual**2).mean(axis=0)
    return dict(result, residual_mean=sums.mean(axis=0), residual_std=np.sqrt(squares.mean(axis=0)),
                residual_std_by_frame=np.sqrt(squares))


def window_starts(spans: list[tuple[int, int]], num_frames: int, stride: int = 1) -> np.ndarray:
    """First rows of all windows of ``num_frames`` codes that lie within one video, int64, shape (windows,).

    Args:
        spans (list[tuple[int, int]]): Offset and length of every video.
        num_frames (int): Window length T.
        stride (int): Distance of consecutive windows of a video.
    """
    parts = [np.arange(offset, offset + length - num_frames + 1, stride) for offset, length in spans]
    return np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)


def check_cache_animator(folder: Path, animator: dict[str, Any], animator_hash: str | None) -> None:
    """Raise a :class:`UserError` if the codes in ``folder`` are of another animator than the expected one, if any."""
    checkpoint = animator.get('checkpoint') or 'an unknown checkpoint'
    check_same_animator(CodeOrigin(f'the codes in {folder} (of {checkpoint})', animator['weights_hash']),
                        CodeOrigin('the animator in use', animator_hash),
                        remedy='delete that folder or choose another one, and extract the codes with `leokit extract`')


def read_index(folder: Path) -> dict[str, Any]:
    """Read and check ``index.json``; ``videos`` are :class:`CodedVideo`.

    Raises:
        UserError: If it is missing, damaged, contradicts itself or is of another version.
    """
    path = folder / INDEX_FILE
    if not path.is_file():
        if (folder / JOURNAL_FILE).is_file():
            raise UserError(f'the code cache {folder} is unfinished; {RESUME}')
        raise UserError(f'{folder} is not a code cache (it has no {INDEX_FILE}); create one with '
                        '`leokit extract CONFIG CHECKPOINT --videos DIR --out DIR`')
    try:
        index = json.loads(path.read_text(encoding='utf-8'))
        version = index['version']
        complete = all(key in index for key in ('motion_dim', 'animator', 'videos', 'skipped'))
        if version == VERSION and complete:
            index['videos'] = [CodedVideo(**row) for row in index['videos']]
            _check_index(index)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f'{path} is damaged ({error}); delete {folder} and extract the codes again') from error
    if version != VERSION or not complete:
        raise UserError(f'{path} has version {version}, this leokit reads version {VERSION}; extract the codes again')
    return index


def _check_index(index: dict[str, Any]) -> None:
    """Raise a :class:`ValueError` or :class:`TypeError` unless the videos lie one after another, each named once."""
    if type(index['motion_dim']) is not int or index['motion_dim'] < 1:
        raise ValueError(f'motion_dim is {index["motion_dim"]!r}')
    if not isinstance(index['animator']['weights_hash'], str):
        raise TypeError('the weights_hash of the animator is not a text')
    if 'checksums' in index and len(index['checksums']) != len(index['videos']):
        raise ValueError(f'it has {len(index["checksums"])} checksums of {len(index["videos"])} videos')
    end, names = 0, set()
    for video in index['videos']:
        if type(video.length) is not int or video.length < 1 or video.offset != end:
            raise ValueError(f'the codes of {video.name} lie at {video.offset!r}, with a length of {video.length!r}, '
                             f'where row {end} is next')
        if video.name in names:
            raise ValueError(f'there are two videos named {video.name}')
        names.add(video.name)
        end += video.length
