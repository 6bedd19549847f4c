"""Index of the frames of a video stream: their presentation times, and the key frame from which each is decoded.

A container lists packets in decoding order, while frame numbers follow presentation order. The index maps one to the
other by reading packet headers, without decoding. It omits what no decoder can show: frames before the first key frame
(a file cut out of a longer one), frames that the container's edit list hides, and packets marked as damaged.
"""

from dataclasses import dataclass
from typing import Any, Iterator

import numpy as np

# Containers with exact presentation times and seek points. In others (ts, mpg, avi, raw streams) times are guessed.
TIMED_FORMATS = ('mov', 'mp4', 'matroska', 'webm', 'flv', 'gif')
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
        countable_only (bool): The file has no reliable presentation times; its frames were counted by decoding them,
            and are found by counting from the start.
    """

    times: np.ndarray
    keys: np.ndarray
    packets: int
    plain: bool
    countable_only: bool = False

    def __len__(self) -> int:
        return len(self.times)

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
    times, keys, packets, plain = [], [], 0, True
    first_key = newest_key = None
    for packet in container.demux(stream):
        if packet.size == 0:
            continue
        packets += 1
        if packet.pts is None:
            return None
        if packet.is_keyframe and not packet.is_corrupt:
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
    return StreamIndex(order, key_frames, packets, plain)


def decode_frames(container: object, stream: object) -> Iterator[Any]:
    """Decode a stream from the container's position in presentation order, skipping packets marked as damaged."""
    for packet in container.demux(stream):
        if not packet.is_corrupt:
            yield from packet.decode()


def index_by_decoding(container: object, stream: object) -> StreamIndex:
    """Index a video stream by decoding all of it; the container must be at its start."""
    count = sum(1 for _ in decode_frames(container, stream))
    return StreamIndex(np.arange(count), np.zeros(min(count, 1), dtype=np.int64), count, plain=False,
                       countable_only=True)
