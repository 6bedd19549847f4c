"""Videos with sound, and what their sound is: a click at half a second, found to the sample."""

import json
import subprocess
import wave
from fractions import Fraction

import av
import numpy as np

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


def probe(path):
    """Streams by kind, as ffprobe reports them."""
    command = ['ffprobe', '-v', 'error', '-show_streams', '-of', 'json', str(path)]
    streams = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)['streams']
    return {stream['codec_type']: stream for stream in streams}


def write_wave(path, seconds, rate=44100):
    """Silence with a click at 0.5 s, 16 bits."""
    samples = np.zeros(int(seconds * rate), np.int16)
    samples[rate // 2:rate // 2 + 400] = 30000
    with wave.open(str(path), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path
