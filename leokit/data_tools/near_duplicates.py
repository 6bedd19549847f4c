"""Clips that show the same recording: re-encoded, resized, brightened, trimmed or at another frame rate.

A clip's fingerprint is what it looks like on average, as a 64-bit perceptual hash (Zauner, "Implementation and
Benchmarking of Perceptual Image Hash Functions", 2010: the signs of low DCT coefficients against their median), and how
8x8 parts of it get brighter and darker over time, five times per second. Clips of similar hash are compared by the
correlation of these series at the best shift in time. So two pieces of one recording, which look alike but move
differently, are no duplicates.
"""

from typing import Iterable, NamedTuple, Sequence

import cv2
import numpy as np
from scipy.fft import dctn

from leokit.utils import UserError, progress_bar
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.readers import AutoReader, VideoReader
from leokit.video.readers.base import open_at_rate
from leokit.video.video_entry import Skipped, VideoEntry

SERIES_RATE = 5  # values per second
SERIES_SIDE = 8
HASH_SIDE = 32  # of the mean frame that the hash is computed from
MAX_SECONDS = 60  # of a clip; what follows is not compared
MAX_BITS = 12  # of the 64 that the hashes of duplicates differ in; cropping 3 % on each side changes up to ten
MIN_CORRELATION = 0.8
MIN_OVERLAP = 15  # values of a series that two clips must share, or all of the shorter one
STILL = 0.4  # gray levels: standard deviation below which a series is noise
SAME_STILL = 2.0  # gray levels between the mean frames of still clips that are duplicates
CHUNK_FRAMES = 32
BLOCK = 2048  # hashes compared at a time


class Fingerprint(NamedTuple):
    """What a clip looks like and how it changes.

    Attributes:
        code (int): Perceptual hash, 64 bits.
        mean (np.ndarray): Mean of the series, float32 (8, 8).
        series (np.ndarray): Mean brightness of the parts, five times per second, float32 (n, 8, 8).
    """

    code: int
    mean: np.ndarray
    series: np.ndarray


class Duplicate(NamedTuple):
    """Two clips that show the same, by their position, and the correlation of their motion (1 for still clips)."""

    first: int
    second: int
    correlation: float


def fingerprint(frames: np.ndarray | Iterable[np.ndarray], frame_rate: float) -> Fingerprint:
    """Fingerprint of a clip.

    Args:
        frames (np.ndarray | Iterable[np.ndarray]): uint8 RGB frames (T, H, W, 3), or chunks of them.
        frame_rate (float): Frames per second.
    """
    sums = np.zeros((MAX_SECONDS * SERIES_RATE, HASH_SIDE, HASH_SIDE), np.float32)
    counts = np.zeros(len(sums), np.int64)
    first = 0
    for chunk in [frames] if isinstance(frames, np.ndarray) else frames:
        bins = (np.arange(first, first + len(chunk)) * SERIES_RATE / frame_rate).astype(np.int64)
        first += len(chunk)
        kept = bins < len(sums)
        if not kept.any():
            break
        gray = np.stack([cv2.cvtColor(cv2.resize(frame, (HASH_SIDE, HASH_SIDE), interpolation=cv2.INTER_AREA),
                                      cv2.COLOR_RGB2GRAY) for frame in chunk[kept]])
        np.add.at(sums, bins[kept], gray)
        np.add.at(counts, bins[kept], 1)
    if not counts.any():
        raise ValueError('the clip has no frames')
    means = sums[counts > 0] / counts[counts > 0, None, None]
    step = HASH_SIDE // SERIES_SIDE
    series = means.reshape(-1, SERIES_SIDE, step, SERIES_SIDE, step).mean(axis=(2, 4))
    return Fingerprint(perceptual_hash(means.mean(axis=0)), series.mean(axis=0), series)


def perceptual_hash(image: np.ndarray) -> int:
    """64-bit hash of a gray image, float (32, 32), that survives resizing, compression and changes of brightness."""
    low = dctn(image.astype(np.float64), norm='ortho')[:8, :8].ravel()
    bits = low > np.median(low[1:])  # the first coefficient is the brightness
    bits[0] = False
    return int.from_bytes(np.packbits(bits).tobytes(), 'big')


def fingerprint_videos(videos: Sequence[VideoEntry], *, reader: VideoReader | None = None,
                       workers: int | None = None) -> tuple[list[Fingerprint | None], list[Skipped]]:
    """Decode all videos, several at a time, with a progress bar.

    Returns:
        tuple: A fingerprint for each video, None for those that cannot be read; and these, with reasons.
    """
    reader = reader or AutoReader()

    def work(video: VideoEntry) -> Fingerprint | str:
        try:
            with open_at_rate(reader, video.path, video.fps, None) as opened:
                last = min(len(opened), round(MAX_SECONDS * opened.fps))
                return fingerprint(opened.chunks(CHUNK_FRAMES, 0, last), opened.fps)
        except UserError as error:
            return str(error)
    found, skipped = [], []
    with progress_bar(len(videos), 'looking for near duplicates', unit='video') as bar:
        for video, result in zip(videos, thread_map(work, videos, workers or worker_count(), ahead=64)):
            bar.update()
            found.append(None if isinstance(result, str) else result)
            if isinstance(result, str):
                skipped.append(Skipped(str(video.path), result))
    return found, skipped


def find_near_duplicates(fingerprints: Sequence[Fingerprint | None]) -> list[Duplicate]:
    """All pairs of clips that show the same recording; positions that are None have no pairs."""
    known = [number for number, item in enumerate(fingerprints) if item is not None]
    codes = np.array([fingerprints[number].code for number in known], np.uint64)
    found = []
    for row, column in _similar(codes):
        first, second = known[row], known[column]
        correlation = motion_correlation(fingerprints[first], fingerprints[second])
        if correlation >= MIN_CORRELATION:
            found.append(Duplicate(first, second, round(correlation, 3)))
    return found


def motion_correlation(first: Fingerprint, second: Fingerprint) -> float:
    """Correlation of the changes of brightness of two clips at the best shift in time."""
    short, long = sorted((first.series, second.series), key=len)
    between = (long[1:] + long[:-1]) / 2  # for shifts by half an interval
    return max(_best_shift(short, long), _best_shift(short, between) if len(between) else -1.0)


def _best_shift(short: np.ndarray, long: np.ndarray) -> float:
    overlap, best = min(len(short), len(long), MIN_OVERLAP), -1.0
    for shift in range(overlap - len(short), len(long) - overlap + 1):
        start, end = max(shift, 0), min(shift + len(short), len(long))
        best = max(best, _correlation(short[start - shift:end - shift], long[start:end]))
    return best


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    means = first.mean(axis=0), second.mean(axis=0)
    first, second = first - means[0], second - means[1]
    spread = np.sqrt(np.square(first).mean()), np.sqrt(np.square(second).mean())
    if max(spread) < STILL:
        offset = means[0] - means[1]
        return 1.0 if np.abs(offset - offset.mean()).mean() < SAME_STILL else 0.0
    return float((first * second).mean() / (max(spread[0], STILL) * max(spread[1], STILL)))


def _similar(codes: np.ndarray) -> Iterable[tuple[int, int]]:
    """Pairs of positions, the smaller first, whose codes differ in few bits."""
    for start in range(0, len(codes), BLOCK):
        part = codes[start:start + BLOCK]
        for other in range(start, len(codes), BLOCK):
            bits = _count_bits(part[:, None] ^ codes[None, other:other + BLOCK])
            for row, column in np.argwhere(bits <= MAX_BITS):
                if start + row < other + column:
                    yield int(start + row), int(other + column)


def _count_bits(values: np.ndarray) -> np.ndarray:
    if hasattr(np, 'bitwise_count'):  # NumPy 2
        return np.bitwise_count(values)
    table = np.array([bin(byte).count('1') for byte in range(256)], np.uint8)
    return table[np.ascontiguousarray(values).view(np.uint8).reshape(*values.shape, 8)].sum(axis=-1)
