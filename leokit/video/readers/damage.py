"""Which frames of a video cannot be trusted, because their data or those of a frame that they refer to are damaged."""

from itertools import groupby
from typing import Any, Iterator, NamedTuple

import av
import numpy as np

from leokit.utils import UserError
from leokit.video.readers.base import ResampledHandle, VideoHandle


MAX_HELD = 16  # frames; H.264 and HEVC reorder no more
B_FRAME = av.video.frame.PictureType.B


class DamagedFrameError(UserError):
    """A frame cannot be decoded, or refers to one that cannot; others of the video may be intact."""


class Stretch(NamedTuple):
    """Consecutive frames of a video.

    Attributes:
        first (int): First frame.
        last (int): End (excluded).
    """

    first: int
    last: int

    def describe(self, fps: float) -> str:
        """The frames and their time."""
        return f'{self.first} to {self.last - 1} ({self.first / fps:.2f} s to {self.last / fps:.2f} s)'


class Damage:
    """The damaged frames of an open video, found by decoding all of it when they are asked for.

    Args:
        video (VideoHandle): The open video.
    """

    def __init__(self, video: VideoHandle) -> None:
        self._video = video
        self._frames: np.ndarray | None = None

    @property
    def is_expected(self) -> bool:
        """bool: Packets are marked as damaged, or damage was searched before."""
        return self._frames is not None or _file(self._video).marked_damaged > 0

    @property
    def frames(self) -> np.ndarray:
        """np.ndarray: bool, shape (T,), True for damaged frames."""
        if self._frames is None:
            self._frames = _file(self._video).find_damage()
            if isinstance(self._video, ResampledHandle):
                self._frames = self._frames[self._video.indices]
            else:
                self._frames = self._frames[_file(self._video).file_indices(np.arange(len(self._video)))]
        return self._frames

    def stretches(self, first: int = 0, last: int | None = None) -> tuple[list[Stretch], list[Stretch]]:
        """Intact and damaged stretches between two frames, ``last`` excluded, in their order."""
        last = len(self._video) if last is None else last
        intact, damaged, start = [], [], first
        for is_damaged, group in groupby(self.frames[first:last].tolist()):
            stretch = Stretch(start, start + len(list(group)))
            (damaged if is_damaged else intact).append(stretch)
            start = stretch.last
        return intact, damaged


def _file(video: VideoHandle) -> VideoHandle:
    return video.video if isinstance(video, ResampledHandle) else video


def is_corrupt(frame: Any) -> bool:
    """Whether the decoder has filled in what it could not decode of a frame."""
    return getattr(frame, 'is_corrupt', False)


def check_references(packets: Any) -> Iterator[tuple[Any, bool]]:
    """Decoded frames, and whether each is damaged or may refer to a damaged one that is shown later.

    B frames may refer to the next frame that is none, so they are held back until it is there. Frames that refer to
    damaged ones shown before are not marked.

    Args:
        packets (PacketDecoder): Iterates over frames in the order of presentation, with ``numbers``.

    Yields:
        tuple[av.VideoFrame, bool]: All frames, in the same order.
    """
    held: list[tuple[Any, float]] = []  # frames and their numbers in the order of decoding
    before = -1.0  # number of the last frame that is no B frame
    problem = None
    try:
        for frame in packets:
            held.append((frame, packets.numbers.pop(frame.pts, -1)))
            if frame.pict_type != B_FRAME or len(held) > MAX_HELD:
                yield from _marked(held, [number for number in packets.lost if number > before])
                before = held[-1][1]
                held.clear()
    except (av.FFmpegError, EOFError, OSError) as error:
        problem = error
    yield from _marked(held, packets.lost)
    if problem is not None:
        raise problem


def _marked(held: list[tuple[Any, float]], lost: list[int]) -> list[tuple[Any, bool]]:
    first_bad = min([*lost, *(number for frame, number in held if is_corrupt(frame))], default=float('inf'))
    return [(frame, is_corrupt(frame) or number > first_bad) for frame, number in held]


def suspect_frames(decoding_order: np.ndarray, keys: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Frames that may refer to damaged data: those decoded from a damaged packet up to the next key frame.

    Frames before that key frame in presentation (open groups of pictures) are among them.

    Args:
        decoding_order (np.ndarray): Presentation times of the packets in the order of decoding, int64 (P,).
        keys (np.ndarray): bool (P,), True for packets of key frames.
        bad (np.ndarray): bool (P,), True for packets that are damaged.

    Returns:
        np.ndarray: bool (P,), in the order of decoding.
    """
    groups = np.cumsum(keys)
    suspect = np.zeros(len(bad), bool)
    for group in np.unique(groups[bad]):
        own = np.flatnonzero(groups == group)
        suspect[own[own >= own[np.argmax(bad[own])]]] = True
        follower = np.flatnonzero(groups == group + 1)
        if len(follower):  # its leading frames refer back
            suspect[follower[decoding_order[follower] < decoding_order[follower[0]]]] = True
    return suspect


def until_next_key(damaged: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Damaged frames with those that are shown after them, up to the next key frame: what a reader refuses.

    Args:
        damaged (np.ndarray): bool (T,), in the order of presentation.
        keys (np.ndarray): bool (T,), True for key frames.
    """
    total, groups = np.cumsum(damaged), np.cumsum(keys)
    starts = np.searchsorted(groups, groups)  # first frame of the group of each frame
    return total > total[starts] - damaged[starts]
