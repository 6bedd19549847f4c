"""The sound of a video file: copied packet by packet into the file that is being written, in sync with its picture.

Time 0 is the first frame of the picture that the sound belongs to, of a file without picture its first sample. Times
are exact, since packets keep theirs; the picture may have any frame rate. Sound that lasts longer than the picture ends
with it, to the nearest packet (half of about 20 ms); shorter sound leaves the rest silent. A codec that the file format
cannot hold is encoded as AAC; then the sound ends exactly with the picture.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from leokit.utils import UserError
from leokit.utils.files import part_path, remove, replace
from leokit.video.ffmpeg_url import local_url
from leokit.video.h264 import container_options
from leokit.video.readers.array_reader import is_array
from leokit.video.readers.container import choose_stream, open_container
from leokit.video.sound_encoder import SoundEncoder

SOUND_SUFFIXES = ('.mp4', '.mov', '.mkv')
COPIED = ('aac', 'mp3', 'ac3', 'eac3', 'alac')  # codecs that players expect in all of these files
ALSO_COPIED = {'.mkv': ('opus', 'vorbis', 'flac'), '.mp4': ('opus',)}
REORDERED = 32  # packets; frames are stored at most this far from their place


class SoundMuxer:
    """Adds the first sound track of a file to a container that is being written.

    Args:
        source (str | Path): The file with the sound.
        container (av.container.OutputContainer): A container to which nothing has been written yet.
        suffix (str): Its format, one of ``SOUND_SUFFIXES``.
    """

    def __init__(self, source: str | Path, container: Any, suffix: str) -> None:
        self._container = container
        self._input = open_container(Path(source))
        try:
            stream = self._input.streams.audio[0]
            self._start = start_time(Path(source), stream)
            self._time_base = stream.time_base
            self._before_start = suffix != '.mkv'  # other formats can hide the first part of a packet
            name = stream.codec_context.codec.canonical_name
            copied = name in (*COPIED, *ALSO_COPIED.get(suffix, ())) and name in container.supported_codecs
            self._encoder = None if copied else SoundEncoder(stream, container)
            self._stream = container.add_stream_from_template(stream) if copied else None
            self._packets = self._read(stream) if copied else None
            self._next: Any = None
        except BaseException:
            self._input.close()
            raise

    def write_until(self, seconds: Fraction) -> None:
        """Write the sound that begins before a time."""
        if self._encoder is not None:
            self._encoder.write_until(self._input, self._start, seconds)
            return
        while (packet := self._peek()) is not None and self._time(packet) < seconds:
            self._next = None
            self._mux(packet)

    def finish(self, seconds: Fraction) -> None:
        """Write the rest of the sound of a picture that ends at a time."""
        if self._encoder is not None:
            self._encoder.write_until(self._input, self._start, seconds)
            self._encoder.finish()
            return
        while (packet := self._peek()) is not None:
            half = Fraction(packet.duration or 0) * self._time_base / 2
            if self._time(packet) + half >= seconds:
                break
            self._next = None
            self._mux(packet)

    def close(self) -> None:
        """Close the file with the sound."""
        self._input.close()

    def _read(self, stream: Any) -> Iterator[Any]:
        for packet in self._input.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue
            # a packet is decoded with the help of the one before it
            before = 2 * Fraction(packet.duration or 0) * self._time_base if self._before_start else 0
            if self._time(packet) + before > 0 or self._time(packet) == 0:
                yield packet

    def _peek(self) -> Any:
        if self._next is None:
            self._next = next(self._packets, None)
        return self._next

    def _time(self, packet: Any) -> Fraction:
        return packet.pts * self._time_base - self._start

    def _mux(self, packet: Any) -> None:
        shift = round(self._start / self._time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = self._stream
        self._container.mux(packet)


def sound_problem(source: str | Path, target: str | Path) -> str:
    """Why ``target`` cannot have the sound of ``source``; '' if it can."""
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in SOUND_SUFFIXES or not source.is_file() or is_array(source):
        return 'only video files have sound'
    try:
        with open_container(source) as container:
            if not container.streams.audio:
                return f'{source} has none'
            if container.streams.audio[0].codec_context is None:
                return f'{source} has sound of a kind that this build of FFmpeg cannot read'
            if not any(packet.size for packet in container.demux(container.streams.audio[0])):
                return f'the sound of {source} is empty'
    except (av.FFmpegError, OSError) as error:
        return f'{source} cannot be read ({getattr(error, "strerror", None) or error})'
    return ''


def check_sound_file(path: str | Path) -> None:
    """Raise a :class:`UserError` for a file without sound that was named as the one with the sound."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f'{path} {"is a folder" if path.is_dir() else "does not exist"}; name a file with sound')
    problem = sound_problem(path, 'a.mp4')
    if problem:
        raise UserError(f'no sound can be taken from {path}: {problem}; name another file, or write none')


def sound_length(source: str | Path) -> float | None:
    """Seconds from the first frame of a file's picture to the end of its sound; None if the file does not say."""
    with open_container(Path(source)) as container:
        stream = container.streams.audio[0]
        if stream.duration is None:
            return None
        end = ((stream.start_time or 0) + stream.duration) * stream.time_base
        return float(end - start_time(Path(source), stream))


def start_time(path: Path, stream: Any) -> Fraction:
    """Time of the first shown frame of a file's picture in seconds; of its sound, if it has no picture."""
    with open_container(path) as container:
        if not container.streams.video:
            return Fraction(stream.start_time or 0) * stream.time_base
        try:
            video = choose_stream(container, path)
        except UserError:  # a cover picture
            return Fraction(stream.start_time or 0) * stream.time_base
        times = []
        for packet in container.demux(video):
            if packet.pts is not None and not packet.is_discard:
                times.append(packet.pts)
            if len(times) > REORDERED:
                break
        return Fraction(min(times, default=0)) * video.time_base


def copy_sound(source: str | Path, target: str | Path) -> str:
    """Add the sound of ``source`` to the video file ``target``; see the module.

    Returns:
        str: '' if the sound was copied, or why not; ``target`` then stays as it is.
    """
    source, target = Path(source), Path(target)
    problem = sound_problem(source, target)
    if problem:
        return problem
    part = part_path(target)
    try:
        with open_container(target) as silent, av.open(
                local_url(part), 'w', options=container_options(part)) as joined:
            video = silent.streams.video[0]
            picture = joined.add_stream_from_template(video)
            sound = SoundMuxer(source, joined, target.suffix.lower())
            try:
                end = Fraction(0)
                for packet in silent.demux(video):
                    if packet.dts is not None:
                        end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
                        packet.stream = picture
                        joined.mux(packet)
                        sound.write_until(end - Fraction(1, 2))
                sound.finish(end)
            finally:
                sound.close()
        replace(part, target)
    except (av.FFmpegError, OSError, ValueError) as error:
        return f'{target.suffix} cannot hold it ({getattr(error, "strerror", None) or error})'
    finally:
        remove(part)
    return ''
