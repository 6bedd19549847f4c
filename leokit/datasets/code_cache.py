"""Motion codes of a data set on disk, as written by :class:`~leokit.datasets.code_cache_writer.CodeCacheWriter`.

A folder with ``codes.npy``, float32 codes of shape (total, N) of all videos one after another, and ``index.json``:
``version``, ``motion_dim``, ``animator`` (``weights_hash``, ``config``, ``checkpoint``), ``videos`` (``name``,
``identity``, ``split``, ``fps``, ``offset``, ``length``) and ``skipped`` (``file``, ``reason``).
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leokit.utils import UserError
from leokit.utils.npy import HEADER_BYTES
from leokit.video.video_entry import Skipped

VERSION = 1
CODES_FILE = 'codes.npy'
INDEX_FILE = 'index.json'
JOURNAL_FILE = 'journal.jsonl'
MAX_WINDOWS = 100_000  # that statistics look at; more would not change them
RESUME = 'run the same command of tools/extract_motion_codes.py again to complete it'


class CodedVideo(NamedTuple):
    """One video of a code cache.

    Attributes:
        name (str): Its name in the data set.
        identity (str): Who is seen.
        split (str, optional): Its split.
        fps (float): Frames per second.
        offset (int): Row of its first code.
        length (int): Number of its codes.
        file_size (int): Bytes of its file when the codes were made; 0 for a frame folder, or if nobody said.
    """

    name: str
    identity: str
    split: str | None
    fps: float
    offset: int
    length: int
    file_size: int = 0


class CodeCache:
    """A finished code cache, opened for reading.

    Args:
        folder (str | Path): The cache's folder.
        animator_hash (str, optional): ``Animator.weights_hash()`` of the animator whose codes are expected; None
            accepts any.

    Attributes:
        codes (np.ndarray): Memory-mapped float32 codes, shape (total, N).
        videos (list[CodedVideo]): What they belong to.
        skipped (list[Skipped]): Videos that could not be encoded.
        animator (dict): ``weights_hash``, ``config``, ``checkpoint`` of the animator that made them.
        motion_dim (int): N.

    Raises:
        UserError: If the folder holds no finished code cache, it is damaged, or another animator made it.
    """

    def __init__(self, folder: str | Path, animator_hash: str | None = None) -> None:
        self.folder = Path(folder)
        index = read_index(self.folder)
        self.motion_dim: int = index['motion_dim']
        self.animator: dict[str, Any] = index['animator']
        self.videos = [CodedVideo(**row) for row in index['videos']]
        self.skipped = [Skipped(**row) for row in index['skipped']]
        check_animator(self.folder, self.animator, animator_hash)
        total = sum(video.length for video in self.videos)
        self.codes = self._map(total)

    @property
    def animator_hash(self) -> str:
        """str: ``weights_hash`` of the animator that made the codes."""
        return self.animator['weights_hash']

    def _map(self, total: int) -> np.ndarray:
        shape = (total, self.motion_dim)
        if total == 0:
            return np.zeros(shape, np.float32)
        path = self.folder / CODES_FILE
        try:
            # Not numpy.load: while more videos are being added, the header may count rows that are not indexed yet.
            return np.memmap(path, np.float32, mode='r', offset=HEADER_BYTES, shape=shape)
        except (OSError, ValueError) as error:
            raise UserError(f'{path} does not hold the {total} codes that {INDEX_FILE} beside it lists ({error}); '
                            'delete the folder and extract the codes again') from error

    def statistics(self, num_frames: int | None = None) -> dict[str, np.ndarray]:
        """Mean and spread of all codes, and of the motion in windows of ``num_frames``; see :func:`code_statistics`.

        Args:
            num_frames (int, optional): Window length T; None leaves the residuals out.

        Returns:
            dict[str, np.ndarray]: float64.
        """
        spans = [(video.offset, video.length) for video in self.videos]
        return code_statistics(self.codes, spans, num_frames)


def code_statistics(codes: np.ndarray, spans: list[tuple[int, int]],
                    num_frames: int | None = None) -> dict[str, np.ndarray]:
    """Statistics of motion codes, accumulated in float64.

    Args:
        codes (np.ndarray): Codes, shape (total, N).
        spans (list[tuple[int, int]]): Offset and length of every video.
        num_frames (int, optional): Window length T of the residuals m_i = α_i - α_1, i = 2..T (LEO, section 3.2),
            over all windows of all videos, or ``MAX_WINDOWS`` evenly spread ones.

    Returns:
        dict[str, np.ndarray]: ``mean`` and ``std`` of the codes, shape (N,); with ``num_frames`` also
        ``residual_mean``, ``residual_std``, shape (N,), and ``residual_std_by_frame``, shape (T - 1, N). The
        residuals' spread is taken about zero (root mean square): no motion is their origin, and nobody centers them.

    Raises:
        ValueError: If there are no codes, or no window of that length.
    """
    rows = [codes[offset:offset + length].astype(np.float64) for offset, length in spans if length]
    if not rows:
        raise ValueError('there are no codes to take statistics of')
    count = sum(len(row) for row in rows)
    mean = sum(row.sum(axis=0) for row in rows) / count
    variance = sum(((row - mean)**2).sum(axis=0) for row in rows) / count
    result = dict(mean=mean, std=np.sqrt(variance))
    if num_frames is None:
        return result
    starts = window_starts(spans, num_frames)
    if len(starts) == 0 or num_frames < 2:
        raise ValueError(f'no video has a window of {num_frames} frames with motion in it')
    starts = starts[np.linspace(0, len(starts) - 1, min(len(starts), MAX_WINDOWS)).astype(np.int64)]
    first = codes[starts].astype(np.float64)
    sums, squares = np.zeros((2, num_frames - 1, codes.shape[1]))
    for lag in range(1, num_frames):
        residual = codes[starts + lag] - first
        sums[lag - 1], squares[lag - 1] = residual.mean(axis=0), (residual**2).mean(axis=0)
    return dict(result, residual_mean=sums.mean(axis=0), residual_std=np.sqrt(squares.mean(axis=0)),
                residual_std_by_frame=np.sqrt(squares))


def window_starts(spans: list[tuple[int, int]], num_frames: int, stride: int = 1) -> np.ndarray:
    """Rows at which a window of ``num_frames`` codes begins that lies within one video.

    Args:
        spans (list[tuple[int, int]]): Offset and length of every video.
        num_frames (int): Window length T.
        stride (int): Step from one window of a video to the next.

    Returns:
        np.ndarray: int64 rows, shape (windows,).
    """
    parts = [np.arange(offset, offset + length - num_frames + 1, stride) for offset, length in spans]
    return np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)


def check_animator(folder: Path, animator: dict[str, Any], animator_hash: str | None) -> None:
    """Refuse codes of another animator.

    Args:
        folder (Path): The cache's folder, for the message.
        animator (dict): What made its codes.
        animator_hash (str, optional): The animator that is expected; None accepts any.

    Raises:
        UserError: If they differ.
    """
    made_by = animator['weights_hash']
    if animator_hash is not None and animator_hash != made_by:
        raise UserError(f'the codes in {folder} were made by another animator ({made_by[:12]}, '
                        f'{animator.get("checkpoint") or "checkpoint unknown"}) than the one in use '
                        f'({animator_hash[:12]}); delete that folder or name another one, '
                        'and extract the codes with tools/extract_motion_codes.py')


def read_index(folder: Path) -> dict[str, Any]:
    """Read and check ``index.json``.

    Args:
        folder (Path): The cache's folder.

    Returns:
        dict: Its content.

    Raises:
        UserError: If there is none, it is damaged or of another version.
    """
    path = folder / INDEX_FILE
    if not path.is_file():
        if (folder / JOURNAL_FILE).is_file():
            raise UserError(f'the code cache {folder} is unfinished; {RESUME}')
        raise UserError(f'{folder} is no code cache (it has no {INDEX_FILE}); make one with '
                        'tools/extract_motion_codes.py CONFIG CHECKPOINT --videos DIR --out DIR')
    try:
        index = json.loads(path.read_text(encoding='utf-8'))
        version = index['version']
        complete = all(key in index for key in ('motion_dim', 'animator', 'videos', 'skipped'))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f'{path} is damaged ({error}); delete {folder} and extract the codes again') from error
    if version != VERSION or not complete:
        raise UserError(f'{path} has version {version}, this leokit reads {VERSION}; extract the codes again')
    return index
