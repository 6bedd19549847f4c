"""Index of the frames of a video stream: their presentation times, and the key frame from which each is decoded.

A container lists packets in decoding order, while frame numbers follow presentation order. The index maps one to the
other by reading packet headers, without decoding. It omits what no decoder can show: frames before the first key frame
(a file cut out of a longer one), frames that the container's edit list hides, and packets marked as damaged.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Iterator

import av
import numpy as np

from leokit.video.frame_rate import measured_rate

# Containers with exact presentation times and seek points. In others (ts, mpg, avi, raw streams) times are guessed.
TIMED_FORMATS = ('mov', 'mp4', 'matroska', 'webm', 'flv', 'gif')
# Containers whose header states the number of frames, so that a cut file is known as such.
COUNTED_FORMATS = ('mp4', 'mov')
MAX_RAGGED_FRAMES = 16  # B frames between two reference frames at most
# Formats of untimed containers whose decoded frames carry true presentation times nevertheless.
CLOCKED_FORMATS = (*TIMED_FORMATS, 'mpegts')
# Codecs with packets that decode to no visible frame, so that counting packets does not count frames.
HIDDEN_FRAME_CODECS = ('vp8',)


@dataclass(frozen=True)
class StreamIndex:
    """The frames of a stream in order of presentation.

    Attributes:
        times (np.ndarray): Presentation times in units of the stream's time base, increasing, shape (frames,).
            Frame numbers if ``countable_only``.
        keys (np.ndarray): Frame number of every key frame, increasing; the first is 0.
        packets (int): Number of packets in the container, including hidden and undecodable ones.
        plain (bool): Every packet is one visible frame, the first packet is a key frame, and no frame refers to one
            across the key frame that precedes it in the file: seeking is exact in any decoder.
        countable_only (bool): The file has no seek points that determine a frame; its frames were counted by decoding
            them, and are found by counting from the start.
        damaged (int): Number of packets that are marked as damaged or do not decode; they are left out.
        clock (np.ndarray, optional): Presentation times of the frames like ``times``; None if the file has none that
            can be trusted.
    """

    times: np.ndarray
    keys: np.ndarray
    packets: int
    plain: bool
    countable_only: bool = False
    damaged: int = 0
    clock: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.times)

    def rate(self, stream: object) -> Fraction:
        """Frame rate of the stream; see :func:`~leokit.video.frame_rate.measured_rate`."""
        stated = (stream.average_rate, stream.guessed_rate)
        if self.clock is None:  # the header is all there is
            return measured_rate(np.zeros(1), Fraction(1), [next((rate for rate in stated if rate), None)])
        return measured_rate(self.clock, stream.time_base, stated)

    def key_before(self, frame: int) -> int:
        """int: The key frame from which ``frame`` is decoded."""
        return int(self.keys[np.searchsorted(self.keys, frame, side='right') - 1])


def build_index(container: object, stream: object) -> StreamIndex | None:
    """Index a video stream by its packets; the container's position changes.

    Args:
        container (av.container.InputContainer): An open file.
        stream (av.video.stream.VideoStream): One of its video streams.

    Returns:
        StreamIndex | None: The index, which may be empty; None if the packets do not determine the frames, so that
        frames have to be counted (:func:`index_by_decoding`).
    """
    timed = any(name in TIMED_FORMATS for name in container.format.name.split(','))
    if not timed or stream.codec_context.name in HIDDEN_FRAME_CODECS:
        return None
    times, keys, packets, damaged, plain = [], [], 0, 0, True
    first_key = newest_key = None
    seekable, reordered, newest = True, False, None
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        packets += 1
        damaged += packet.is_corrupt
        if packet.pts is None:
            return None
        reordered |= newest is not None and packet.pts < newest
        newest = packet.pts
        if packet.is_keyframe and not packet.is_corrupt:
            # An edit list of several pieces goes back in the file: two key frames may have one time.
            seekable &= newest_key is None or packet.pts > newest_key
            newest_key = packet.pts
            first_key = newest_key if first_key is None else first_key
        undecodable = first_key is None or packet.pts < first_key or packet.is_corrupt
        if undecodable or packet.is_discard:
            plain = False
            continue
        plain &= packet.pts >= newest_key
        times.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)
    order = np.sort(np.asarray(times, dtype=np.int64))
    if (np.diff(order) == 0).any():
        return None
    key_frames = np.searchsorted(order, np.sort(np.asarray(keys, dtype=np.int64)))
    if len(order) and (len(key_frames) == 0 or key_frames[0] > 0):
        key_frames = np.concatenate([[0], key_frames])  # the key frame itself is hidden by the edit list
    if not seekable:
        key_frames = key_frames[:1]
    uncounted = not any(name in COUNTED_FORMATS for name in container.format.name.split(','))
    clock = _without_ragged_end(order) if reordered and uncounted else order
    return StreamIndex(order, key_frames, packets, plain, damaged=damaged, clock=clock)


def _without_ragged_end(times: np.ndarray) -> np.ndarray:
    """Presentation times without gaps at the end: B frames next to a cut are missing, which is no variable rate."""
    intervals = np.diff(times)
    body, end = intervals[:-MAX_RAGGED_FRAMES], intervals[-MAX_RAGGED_FRAMES:]
    if len(body) < MAX_RAGGED_FRAMES or len(end) == 0:
        return times
    usual = int(np.ceil(np.median(body)))
    if body.max() > usual + 1 or end.max() > MAX_RAGGED_FRAMES * usual:
        return times
    return times[0] + np.concatenate([[0], np.cumsum([*body, *np.minimum(end, usual)])])


class PacketDecoder:
    """Decodes a stream from the container's position in presentation order, skipping packets marked as damaged.

    Args:
        container (av.container.InputContainer): An open file.
        stream (av.video.stream.VideoStream): One of its video streams.
        decoder (av.CodecContext, optional): Decodes instead of the stream's own.
        tolerant (bool): Skip packets that do not decode, too, instead of raising.
        keep_order (bool): Keep :attr:`order`.
        keep_numbers (bool): Keep :attr:`numbers` and :attr:`lost`.

    Attributes:
        damaged (int): Number of packets skipped.
        numbers (dict[int, int]): By presentation time, the number of a packet in the order of decoding. Who uses it
            removes what has been decoded.
        lost (list[int]): Numbers of the packets that did not decode.
    """

    def __init__(self, container: object, stream: object, *, decoder: object | None = None,
                 tolerant: bool = False, keep_order: bool = False, keep_numbers: bool = False) -> None:
        self._packets = container.demux(stream)
        self._decoder = decoder or stream.codec_context
        self._tolerant = tolerant
        self._order: list[list[int]] | None = [] if keep_order else None  # presentation time, key frame, skipped
        self._keep_numbers = keep_numbers
        self.damaged = 0
        self.numbers: dict[int, int] = {}
        self.lost: list[int] = []

    @property
    def order(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Presentation times of the packets so far, -1 for none; which are of key frames; which were skipped."""
        rows = np.array(self._order or np.zeros((0, 3)), np.int64)
        return rows[:, 0], rows[:, 1].astype(bool), rows[:, 2].astype(bool)

    def __iter__(self) -> Iterator[Any]:
        for number, packet in enumerate(self._packets):
            if self._keep_numbers and packet.size and packet.pts is not None:
                self.numbers[packet.pts] = number
            if self._order is not None and packet.size:
                self._order.append([-1 if packet.pts is None else packet.pts, packet.is_keyframe, packet.is_corrupt])
            if packet.is_corrupt:
                self.damaged += 1
                continue
            try:
                frames = self._decoder.decode(packet if packet.size else None)
            except (av.FFmpegError, EOFError):
                if not self._tolerant or packet.size == 0:
                    raise
                self.damaged += 1
                self.lost += [number] * self._keep_numbers
                if self._order is not None:
                    self._order[-1][2] = True
                continue
            yield from frames


def index_by_decoding(container: object, stream: object, decoder: object | None = None) -> StreamIndex:
    """Index a video stream by decoding all of it; the container must be at its start."""
    packets = PacketDecoder(container, stream, decoder=decoder, tolerant=True)
    times = [frame.pts for frame in packets]
    count = len(times)
    clocked = any(name in CLOCKED_FORMATS for name in container.format.name.split(','))
    clocked = clocked and None not in times and bool((np.diff(times) > 0).all())
    return StreamIndex(np.arange(count), np.zeros(min(count, 1), dtype=np.int64), count, plain=False,
                       countable_only=True, damaged=packets.damaged,
                       clock=np.asarray(times, dtype=np.int64) if clocked and count else None)
