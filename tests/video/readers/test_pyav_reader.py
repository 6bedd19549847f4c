import os
import struct

import av
import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video import VideoWriter
from leokit.video.readers import PyAVReader, base

OPEN_GOP = {'x264-params': 'open-gop=1:bframes=3:b-adapt=0'}
KINDS = {
    'plain.mp4': dict(b_frames=0),
    'b_frames.mp4': dict(),
    'open_gop.mp4': dict(options=OPEN_GOP),
    'one_key_frame.mp4': dict(gop=250),
    'b_frames.mkv': dict(),
    'b_frames.avi': dict(),
    'stream.ts': dict(),
    'moving.gif': dict(codec='gif', pixels='rgb8', b_frames=0),
    'motion_jpeg.mov': dict(codec='mjpeg', pixels='yuvj420p', b_frames=0),
    'raw.h264': dict(),
}
FRAMES = 40


def open_files():
    return len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task'))


@pytest.mark.parametrize('name', KINDS)
def test_every_frame_is_the_requested_one(clips, tmp_path, name):
    path = clips.write(tmp_path / name, clips.frames(FRAMES), **KINDS[name])
    with PyAVReader().open(path) as video:
        assert len(video) == FRAMES
        assert video.fps == pytest.approx(25, rel=0.01)
        in_order = video.read(range(FRAMES))
        assert in_order.dtype == np.uint8 and in_order.shape == (FRAMES, 48, 96, 3)
        assert clips.numbers(in_order) == list(range(FRAMES))
        assert np.array_equal(in_order, clips.decode(path))
        for number in np.random.default_rng(0).permutation(FRAMES):
            assert np.array_equal(video.read([number])[0], in_order[number])


@pytest.mark.parametrize('suffix', ['mp4', 'mkv'])
@pytest.mark.parametrize('options', [{}, OPEN_GOP], ids=['closed', 'open'])
def test_frames_before_the_first_key_frame_do_not_count(clips, tmp_path, suffix, options):
    whole = clips.write(tmp_path / f'whole.{suffix}', clips.frames(FRAMES), options=options)
    path = clips.cut_front(whole, tmp_path / f'cut.{suffix}', 5)
    shown = clips.decode(path)
    assert 0 < len(shown) < FRAMES - 5
    with PyAVReader().open(path) as video:
        assert len(video) == len(shown)
        assert clips.numbers(video.read(range(len(video)))) == clips.numbers(shown)
        for number in np.random.default_rng(0).permutation(len(video)):
            assert np.array_equal(video.read([number])[0], shown[number])


def test_any_order_and_repeats(clips, tmp_path):
    with PyAVReader().open(clips.write(tmp_path / 'a.mp4', clips.frames(30))) as video:
        assert clips.numbers(video.read([17, 3, 3, 29, 0])) == [17, 3, 3, 29, 0]
        assert clips.numbers(video.read(np.array([5, 4]))) == [5, 4]


def test_chunks_are_the_whole_video(clips, tmp_path):
    with PyAVReader().open(clips.write(tmp_path / 'a.mp4', clips.frames(20))) as video:
        pieces = list(video.chunks(8))
        assert [len(piece) for piece in pieces] == [8, 8, 4]
        assert np.array_equal(np.concatenate(pieces), video.read(range(20)))
        assert clips.numbers(next(video.chunks(4, first=7, last=9))) == [7, 8]


@pytest.mark.parametrize('size', [(1, 16, 96), (7, 33, 97)], ids=['one frame', 'odd sides'])
def test_sizes(clips, tmp_path, size):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(*size), pixels='yuv444p')
    with PyAVReader().open(path) as video:
        assert video.read(range(size[0])).shape == (*size, 3)


def test_rotation_tags_are_applied(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(5))
    upright = clips.decode(path)
    content = bytearray(path.read_bytes())
    start = content.index(b'tkhd') + 4 + 40  # the display matrix: rotate by 90 degrees clockwise
    content[start:start + 36] = struct.pack('>9i', 0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(content)
    with PyAVReader().open(path) as video:
        assert np.array_equal(video.read(range(5)), np.rot90(upright, -1, axes=(1, 2)))


def test_threads_change_nothing(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(30))
    with PyAVReader(threads=2).open(path) as many, PyAVReader().open(path) as one:
        assert np.array_equal(many.read([20, 3]), one.read([20, 3]))


def test_decoder_threads_do_not_log_through_python(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(5))
    av.logging.set_level(av.logging.ERROR)  # as torchvision does
    with PyAVReader(threads=2).open(path):
        assert av.logging.get_level() is None


def test_no_files_or_threads_leak(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(30))
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(path.read_bytes()[:2000])
    reader = PyAVReader()
    with reader.open(path) as video:
        video.read([3])
    before = open_files()
    for _ in range(20):
        with reader.open(path) as video:
            video.read([3, 20])
        with pytest.raises(UserError):
            reader.open(broken)
    assert open_files() == before


def test_an_overwritten_file_is_indexed_again(clips, tmp_path):
    reader = PyAVReader()
    path = clips.write(tmp_path / 'a.mp4', clips.frames(10))
    with reader.open(path) as video:
        assert len(video) == 10
    clips.write(path, clips.frames(25))
    with reader.open(path) as video:
        assert len(video) == 25 and clips.number(video.read([24])[0]) == 24


def test_broken_files_are_named(clips, tmp_path):
    whole = clips.write(tmp_path / 'whole.mp4', clips.frames(30))
    fast = clips.write(tmp_path / 'fast.mp4', clips.frames(30), mux={'movflags': 'faststart'})
    cases = {'missing.mp4': None, 'empty.mp4': b'', 'text.mp4': b'no video' * 100,
             'no_index.mp4': whole.read_bytes()[:-3000], 'cut_off.mp4': fast.read_bytes()[:-3000]}
    for name, content in cases.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            PyAVReader().open(tmp_path / name)
    with pytest.raises(UserError, match='of the 30 frames'):
        PyAVReader().open(tmp_path / 'cut_off.mp4')
    with pytest.raises(UserError, match='no video stream'):
        PyAVReader().open(clips.sound(tmp_path / 'sound.mp4'))
    with pytest.raises(UserError, match='is a folder'):
        PyAVReader().open(tmp_path)


def test_a_damaged_frame_is_an_error_and_the_handle_survives(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(60))
    with PyAVReader().open(clips.damage(path, tmp_path / 'damaged.mp4')) as video:
        with pytest.raises(UserError, match='damaged.mp4'):
            video.read(range(60))
        assert clips.number(video.read([0])[0]) == 0


def test_misuse(clips, tmp_path):
    video = PyAVReader().open(clips.write(tmp_path / 'a.mp4', clips.frames(5)))
    for wrong in ([5], [-1], [], [[0]]):
        with pytest.raises(ValueError):
            video.read(wrong)
    video.close()
    video.close()
    with pytest.raises(ValueError, match='closed'):
        video.read([0])
    with pytest.raises(ValueError):
        PyAVReader(threads=0)


@pytest.mark.parametrize('name', ['a.mkv', 'a.ts', 'a.flv'])
def test_the_rest_of_a_truncated_stream_can_be_read(clips, tmp_path, name):
    whole = clips.write(tmp_path / f'whole_{name}', clips.frames(60))
    content = whole.read_bytes()
    (tmp_path / name).write_bytes(content[:len(content) * 6 // 10])
    with PyAVReader().open(tmp_path / name) as video, PyAVReader().open(whole) as original:
        assert 20 < len(video) < 60
        left = video.read(range(len(video)))
        assert np.array_equal(left[:-3], original.read(range(len(video) - 3)))
        assert (np.diff(clips.numbers(left)) > 0).all()  # B frames at the cut may be missing


def test_tags_in_another_encoding_do_no_harm(clips, tmp_path):
    path = tmp_path / 'a.mkv'
    with av.open(str(path), 'w') as container:
        container.metadata['title'] = 'XXXXtitle'
        stream = container.add_stream('libx264', rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 96, 'yuv420p'
        for frame in clips.frames(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b'XXXX', b'\xff\xfe\xe9\xe8'))
    with PyAVReader().open(path) as video:
        assert clips.numbers(video.read(range(3))) == [0, 1, 2]


def test_colors_do_not_drift(tmp_path):
    """FFmpeg's shortcut takes 1.2 gray levels at every reading."""
    height = width = 64
    across, down = np.meshgrid(np.linspace(60, 200, width), np.linspace(40, 220, height))
    first = frames = np.stack([np.stack([across, down, 255 - across], -1).round().astype(np.uint8)] * 2)
    for number in range(4):
        with VideoWriter(tmp_path / f'{number}.mp4', 25) as writer:
            writer.write(frames)
        with PyAVReader().open(tmp_path / f'{number}.mp4') as video:
            frames = video.read(range(2))
    np.testing.assert_allclose(frames.mean((0, 1, 2)), first.mean((0, 1, 2)), atol=0.5)


def write_gif_header(path, width, height):
    """A GIF of one frame and few bytes; the pixels are one color."""
    path.write_bytes(b'GIF89a' + struct.pack('<HHBBB', width, height, 0x80, 0, 0) + bytes(6)
                     + b',' + struct.pack('<HHHHB', 0, 0, width, height, 0) + b'\x02\x02\x44\x01\x00;')


def test_a_small_file_of_many_pixels_is_refused(tmp_path):
    write_gif_header(tmp_path / 'a.gif', 16000, 16000)
    with pytest.raises(UserError, match='16000x16000 pixels'):
        PyAVReader().open(tmp_path / 'a.gif')


def test_chunks_are_bounded_by_bytes(clips, tmp_path, monkeypatch):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(9, 64, 96))
    with PyAVReader().open(path) as video:
        assert video.frame_bytes == 64 * 96 * 3
        assert [len(chunk) for chunk in video.chunks(32)] == [9]
        monkeypatch.setattr(base, 'MAX_CHUNK_BYTES', 2 * 64 * 96 * 3 + 1)
        assert [len(chunk) for chunk in video.chunks(32)] == [2, 2, 2, 2, 1]
        monkeypatch.setattr(base, 'MAX_CHUNK_BYTES', 1)
        assert clips.numbers(np.concatenate(list(video.chunks(32)))) == list(range(9))
