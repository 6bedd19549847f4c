"""Sound is copied in sync: a click and a flash at one time stay at one time."""

from fractions import Fraction

import av
import numpy as np
import pytest

from leokit.video import VideoWriter
from leokit.video.sound import copy_sound

RATE = 16000


def write_sounding(path, frames, seconds, delay=0.0, codec='aac'):
    """Frames at 25 a second from ``delay`` on, and silence with a click at ``delay`` + 0.5 s."""
    samples = np.zeros((1, int(RATE * seconds)), np.float32)
    click = int(RATE * (delay + 0.5))
    samples[0, click:click + 160] = 0.9
    with av.open(str(path), 'w') as container:
        video, sound = container.add_stream('libx264', rate=25), container.add_stream(codec, rate=RATE, layout='mono')
        video.height, video.width, video.pix_fmt = *frames.shape[1:3], 'yuv420p'
        for number, frame in enumerate(frames):
            image = av.VideoFrame.from_ndarray(frame, format='rgb24')
            image.pts, image.time_base = number + round(25 * delay), Fraction(1, 25)
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        fifo = av.AudioFifo()
        piece = av.AudioFrame.from_ndarray(samples, format='fltp', layout='mono')
        piece.sample_rate, piece.pts, piece.time_base = RATE, 0, Fraction(1, RATE)
        fifo.write(piece)
        while (block := fifo.read(1024, partial=True)) is not None:
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


def click_time(path):
    """Seconds from the first frame to the click, and the length of the sound."""
    with av.open(str(path)) as container:
        first = min(float(frame.pts * frame.time_base) for frame in container.decode(video=0))
    with av.open(str(path)) as container:
        blocks = [(float(frame.pts * frame.time_base), frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    times = np.concatenate([time + np.arange(len(block)) / RATE for time, block in blocks])
    loudness = np.abs(np.concatenate([block for _, block in blocks]))
    return times[np.argmax(loudness > 0.4)] - first, times[-1] - times[0]


@pytest.mark.parametrize('delay', [0.0, 0.4])
@pytest.mark.parametrize('suffix', ['.mp4', '.mkv', '.mov'])
def test_sound_stays_in_sync(clips, tmp_path, suffix, delay):
    frames = clips.frames(50)
    source = write_sounding(tmp_path / f'talk{suffix}', frames, 4.0, delay)
    target = tmp_path / f'out{suffix}'
    with VideoWriter(target, 25) as writer:
        writer.write(frames)
    assert copy_sound(source, target) == ''
    moment, length = click_time(target)
    assert moment == pytest.approx(0.5, abs=0.07)  # an AAC packet lasts 64 ms
    assert length == pytest.approx(2.0, abs=0.13)
    with av.open(str(target)) as container:
        shown = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    assert clips.numbers(shown) == list(range(50))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, target.name])


def test_why_there_is_no_sound(clips, tmp_path):
    silent = clips.write(tmp_path / 'a.mp4', clips.frames(5))
    before = silent.read_bytes()
    assert 'has none' in copy_sound(silent, silent)
    assert 'only video files' in copy_sound(silent, tmp_path / 'a.gif')
    assert 'only video files' in copy_sound(tmp_path, silent)
    assert silent.read_bytes() == before
