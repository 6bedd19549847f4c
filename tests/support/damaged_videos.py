"""H.264 files of the program ffmpeg, with packets overwritten at places that ffprobe names."""

import json
import shutil
import subprocess
from typing import NamedTuple

import av
import numpy as np
import pytest

FRAMES, GROUP, RATE = 120, 24, 25  # a key frame every 24 frames

needs_ffmpeg = pytest.mark.skipif(not shutil.which('ffmpeg') or not shutil.which('ffprobe'),
                                  reason='the programs ffmpeg and ffprobe are not installed')


class DamagedVideo(NamedTuple):
    """A damaged file, the whole one, and the frames that plain decoding shows otherwise, or not at all."""

    path: object
    whole: object
    changed: list


def decode(path):
    """Gray frames by frame number, by plain decoding that carries on after errors."""
    frames = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        interval = 1 / (RATE * stream.time_base)
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    frames[round((frame.pts - (stream.start_time or 0)) / interval)] = frame.to_ndarray(format='gray')
            except av.FFmpegError:
                continue
    return frames


def make_damaged(folder, name, packets, *, b_frames=0, frames=FRAMES):
    """Write ``name`` with random bytes in place of packets, by their number in the order of decoding."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder.parent / f'whole_{name}'
    subprocess.run(['ffmpeg', '-y', '-v', 'error', '-f', 'lavfi', '-i', f'testsrc2=size=160x120:rate={RATE}',
                    '-frames:v', str(frames), '-c:v', 'libx264', '-g', str(GROUP), '-keyint_min', str(GROUP),
                    '-sc_threshold', '0', '-bf', str(b_frames), '-pix_fmt', 'yuv420p', str(whole)], check=True)
    probe = subprocess.run(['ffprobe', '-v', 'error', '-select_streams', 'v', '-show_packets', '-of', 'json',
                            str(whole)], check=True, capture_output=True)
    places = json.loads(probe.stdout)['packets']
    content, random = bytearray(whole.read_bytes()), np.random.default_rng(0)
    for number in packets:
        start, size = int(places[number]['pos']) + 8, int(places[number]['size']) - 8
        content[start:start + size] = random.integers(0, 256, size, np.uint8).tobytes()
    path = folder / name
    path.write_bytes(content)
    right, shown = decode(whole), decode(path)
    changed = [number for number in range(frames)
               if number not in shown or not np.array_equal(shown[number], right[number])]
    return DamagedVideo(path, whole, changed)
