"""Copy the sound of one video file to another, without decoding it."""

from pathlib import Path
from typing import Any

import av

from leokit.utils.files import part_path, remove, replace
from leokit.video.ffmpeg_url import local_url
from leokit.video.readers.container import choose_stream, open_container

SOUND_SUFFIXES = ('.mp4', '.mov', '.mkv')


def copy_sound(source: str | Path, target: str | Path) -> str:
    """Add the sound of ``source`` to the video file ``target``, in sync with the first frame and no longer than it.

    Returns:
        str: '' if the sound was copied, or why not; ``target`` then stays as it is.
    """
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in SOUND_SUFFIXES or not source.is_file():
        return 'only video files have sound'
    part = part_path(target)
    try:
        with open_container(source) as sounding:
            if not sounding.streams.audio:
                return f'{source} has none'
            start = _first_frame_time(source)
            with open_container(target) as silent, av.open(local_url(part), 'w') as joined:
                _join(silent, sounding, joined, start)
        replace(part, target)
    except (av.FFmpegError, OSError, ValueError) as error:
        return f'{target.suffix} cannot hold it ({getattr(error, "strerror", None) or error})'
    finally:
        remove(part)
    return ''


def _first_frame_time(path: Path) -> float:
    with open_container(path) as container:
        stream = choose_stream(container, path)
        times = [packet.pts for packet in container.demux(stream) if packet.pts is not None and not packet.is_discard]
        return float(min(times, default=0) * stream.time_base)


def _join(silent: Any, sounding: Any, joined: Any, start: float) -> None:
    """Mux the video of one file and the first sound track of another, whose time begins at ``start`` seconds."""
    video, sound = silent.streams.video[0], sounding.streams.audio[0]
    outputs = {stream: joined.add_stream_from_template(stream) for stream in (video, sound)}
    packets = []
    length = 0.0
    for packet in silent.demux(video):
        if packet.dts is not None:
            length = max(length, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            packets.append((float(packet.dts * packet.time_base), packet))
    shift = round(start / sound.time_base)
    for packet in sounding.demux(sound):
        if packet.dts is None or not -1e-9 <= float(packet.pts * packet.time_base) - start < length:
            continue
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packets.append((float(packet.dts * packet.time_base), packet))
    for _, packet in sorted(packets, key=lambda item: item[0]):
        packet.stream = outputs[packet.stream]
        joined.mux(packet)
