"""Real video files whose frames carry their number, generated on the fly."""

from types import SimpleNamespace

import av
import numpy as np
import pytest

BITS = 10  # of the frame number, encoded as black and white bars


def make_frames(count, height=48, width=96, seed=0):
    """uint8 (count, height, width, 3): noise blocks, a moving square, and the frame number as bars at the top."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(60, 200, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    frames = np.tile(blocks.repeat(16, 0).repeat(16, 1)[:height, :width], (count, 1, 1, 1))
    for number, frame in enumerate(frames):
        for bit in range(BITS):
            frame[:16, 8 * bit:8 * bit + 8] = 255 * (number >> bit & 1)
        left = 3 * number % (width - 16)
        frame[24:40, left:left + 16] = (250, 20, 20)
    return frames


def frame_number(frame):
    return sum(int(frame[4:12, 8 * bit + 2:8 * bit + 6].mean() > 127) << bit for bit in range(BITS))


def frame_numbers(frames):
    return [frame_number(frame) for frame in frames]


def write_video(path, frames, *, b_frames=3, gop=12, codec='libx264', pixels='yuv420p', options=None, mux=None,
                rate=25):
    """Encode frames; ``options`` go to the encoder, ``mux`` to the container."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w', options=mux or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        stream.options = ({'crf': '10'} if codec == 'libx264' else {}) | (options or {})
        stream.codec_context.max_b_frames, stream.codec_context.gop_size = b_frames, gop
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode(None))
    return path


def cut_front(source, target, packets):
    """Copy a file without its first packets, so that it starts in the middle of a GOP."""
    with av.open(str(source)) as old, av.open(str(target), 'w') as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(packet for packet in old.demux(video=0) if packet.dts is not None):
            if number >= packets:
                packet.stream = stream
                new.mux(packet)
    return target


def decode_in_order(path):
    """Frames of plain decoding from the start, uint8 (T, H, W, 3)."""
    kind = av.video.reformatter.Interpolation
    exact = dict(interpolation=kind.BILINEAR | kind.ACCURATE_RND | kind.FULL_CHR_H_INT) if hasattr(
        kind, 'ACCURATE_RND') else {}
    with av.open(str(path)) as container:
        return np.stack([frame.reformat(format='rgb24', **exact).to_ndarray() for frame in container.decode(video=0)])


def write_sound(path):
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('aac', rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format='fltp', layout='mono')
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def flip_bytes(path, target, count=200):
    """Copy a file and damage bytes in the middle."""
    content = bytearray(path.read_bytes())
    for position in np.random.default_rng(0).integers(len(content) // 4, len(content) // 2, count):
        content[position] ^= 0xFF
    target.write_bytes(content)
    return target


@pytest.fixture(scope='session')
def clips():
    """Functions that write and decode test videos."""
    return SimpleNamespace(
        frames=make_frames, number=frame_number, numbers=frame_numbers, write=write_video, cut_front=cut_front,
        decode=decode_in_order, sound=write_sound, damage=flip_bytes)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Probes are cached in a folder of the test's own."""
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path_factory.mktemp('cache')))


@pytest.fixture(scope='session')
def video_folder(tmp_path_factory):
    """Three good videos of different sizes and lengths, one of them with an awkward name."""
    folder = tmp_path_factory.mktemp('videos')
    write_video(folder / 'a.mp4', make_frames(20, seed=1))
    write_video(folder / 'deep' / 'b ü#日本.mp4', make_frames(31, 64, 80, seed=2))
    write_video(folder / 'deep' / 'c.mkv', make_frames(12, 48, 112, seed=3), b_frames=0)
    return folder
