import errno
import resource
import signal
import struct

import av
import cv2
import numpy as np
import pytest
import torch
from support.processes import call_in_process

from leokit.utils import UserError
from leokit.video import VideoWriter


def make_frames(count=7, height=48, width=64):
    """Smooth frames that all differ, so that lossy coding keeps them recognizable."""
    y, x = np.mgrid[:height, :width]
    frames = [np.stack([(x * 3 + 9 * i) % 256 // 2 + 40, y * 2 + 30, np.full_like(x, 20 + 12 * i)], -1)
              for i in range(count)]
    return np.stack(frames).astype(np.uint8)


def decode(path):
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
        return np.stack(frames), float(container.streams.video[0].average_rate)


def psnr(a, b):
    return 10 * np.log10(255 ** 2 / np.mean((a.astype(float) - b) ** 2))


def test_mp4_has_every_frame_size_rate_and_pixels(tmp_path):
    frames = make_frames()
    with VideoWriter(tmp_path / 'a.mp4', 12.5) as writer:
        writer.write(frames[:3])
        assert not (tmp_path / 'a.mp4').exists()
        writer.write(torch.from_numpy(frames[3:]))
    decoded, fps = decode(tmp_path / 'a.mp4')
    assert decoded.shape == frames.shape and fps == 12.5 and writer.num_frames == 7
    assert psnr(decoded, frames) > 34
    assert [entry.name for entry in tmp_path.iterdir()] == ['a.mp4']


def test_mp4_is_plain_h264_with_the_requested_key_frames(tmp_path):
    with VideoWriter(tmp_path / 'a.mp4', 25, keyframe_interval=3) as writer:
        writer.write(make_frames())
    with av.open(str(tmp_path / 'a.mp4')) as container:
        context = container.streams.video[0].codec_context
        keys = [i for i, frame in enumerate(container.decode(video=0)) if frame.key_frame]
        assert (context.name, context.pix_fmt) == ('h264', 'yuv420p')
    assert keys[0] == 0 and all(after - before <= 3 for before, after in zip(keys, keys[1:] + [7]))


def test_chroma_may_keep_its_resolution(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3)).astype(np.uint8)
    errors = {}
    for pixel_format in ('yuv420p', 'yuv444p'):
        path = tmp_path / f'{pixel_format}.mp4'
        with VideoWriter(path, 25, crf=0, pixel_format=pixel_format) as writer:
            writer.write(frames)
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.pix_fmt == pixel_format
        errors[pixel_format] = np.abs(decode(path)[0].astype(int) - frames).mean()
    # what is left is the rounding of the color matrix
    assert errors['yuv444p'] < 1.5 and errors['yuv420p'] > 20


def test_unknown_pixel_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match="yuv420p, yuv444p, got 'rgb24'"):
        VideoWriter(tmp_path / 'a.mp4', 25, pixel_format='rgb24')
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize('matrix, code, red', [('bt601', 6, 0.299), ('bt709', 1, 0.2126)])
def test_colors_are_tagged_with_the_matrix_that_encoded_them(tmp_path, matrix, code, red):
    frames = np.zeros((2, 32, 32, 3), np.uint8)
    frames[..., 0] = 200
    with VideoWriter(tmp_path / 'a.mp4', 25, color_matrix=matrix) as writer:
        writer.write(frames)
    with av.open(str(tmp_path / 'a.mp4')) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (code, 1)  # 1 is limited range
        luma = next(container.decode(video=0)).to_ndarray()[0, 0]
    assert luma == pytest.approx(16 + 219 * red * 200 / 255, abs=2)
    with pytest.raises(ValueError, match="bt601, bt709, got 'bt2020'"):
        VideoWriter(tmp_path / 'b.mp4', 25, color_matrix='bt2020')


def test_there_are_no_b_frames(tmp_path):
    rng = np.random.default_rng(0)
    frames = np.clip(make_frames(30) + rng.integers(-9, 9, (30, 48, 64, 3)), 0, 255).astype(np.uint8)
    with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
        writer.write(frames)
    with av.open(str(tmp_path / 'a.mp4')) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    assert len(packets) == 30 and all(packet.pts == packet.dts for packet in packets)


def test_the_same_frames_give_the_same_file(tmp_path):
    """x264's AVX-512 code, which is not used, gives another file in 3 of 100 times."""
    generator = np.random.default_rng(0)
    scene = generator.integers(0, 255, (4, 4, 3)).astype(np.uint8)
    frames = np.stack([cv2.resize(np.roll(scene, number // 7, 0), (32, 32), interpolation=cv2.INTER_CUBIC)
                       for number in range(40)])
    frames = np.clip(frames + generator.integers(-6, 6, frames.shape), 0, 255).astype(np.uint8)
    files, memory = set(), []
    for _ in range(60):
        memory = [*memory[-9:], generator.bytes(generator.integers(400_000))]  # what is free differs each time
        with VideoWriter(tmp_path / 'a.mp4', 25, threads=1) as writer:
            writer.write(frames)
        files.add((tmp_path / 'a.mp4').read_bytes())
    assert len(files) == 1


def test_odd_sizes_are_padded_by_the_border(tmp_path):
    frames = make_frames(height=33, width=35)
    with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
        writer.write(frames)
    decoded, _ = decode(tmp_path / 'a.mp4')
    assert decoded.shape == (7, 34, 36, 3)
    assert psnr(decoded[:, :33, :35], frames) > 32


def test_gif_keeps_frames_and_nearly_the_pixels(tmp_path):
    frames = make_frames()
    with VideoWriter(tmp_path / 'a.gif', 12.5) as writer:
        writer.write(frames)
    decoded, fps = decode(tmp_path / 'a.gif')
    assert decoded.shape == frames.shape and fps == 12.5
    assert psnr(decoded, frames) > 34


def test_a_folder_keeps_the_pixels_exactly(tmp_path):
    frames = make_frames()
    with VideoWriter(tmp_path / 'frames', 25) as writer:
        writer.write(frames)
    files = sorted((tmp_path / 'frames').iterdir())
    assert [file.name for file in files] == [f'{i:06d}.png' for i in range(7)]
    assert np.array_equal(np.stack([cv2.imread(str(file))[:, :, ::-1] for file in files]), frames)


def test_float_frames_are_written_as_they_are(tmp_path):
    dark = torch.full((2, 3, 8, 8), -0.5)
    dark[1] = 7.0  # beyond the range: clamped
    with VideoWriter(tmp_path / 'frames', 25) as writer:
        writer.write(dark)
    first, second = (cv2.imread(str(tmp_path / 'frames' / f'{i:06d}.png')) for i in range(2))
    assert np.unique(first).tolist() == [64] and np.unique(second).tolist() == [255]


@pytest.mark.parametrize('name', ['a.mp4', 'a.gif', 'frames'])
def test_an_exception_leaves_nothing_and_keeps_the_old_file(tmp_path, name):
    if name != 'frames':
        (tmp_path / name).write_bytes(b'old')
    with pytest.raises(RuntimeError):
        with VideoWriter(tmp_path / name, 25) as writer:
            writer.write(make_frames())
            raise RuntimeError
    assert [entry.name for entry in tmp_path.iterdir()] == ([] if name == 'frames' else [name])
    if name != 'frames':
        assert (tmp_path / name).read_bytes() == b'old'


@pytest.mark.parametrize('name', ['a.mp4', 'a.gif', 'frames', 'new/folder/a.mp4', 'new/frames'])
def test_no_frames_is_an_error_and_no_file(tmp_path, name):
    with pytest.raises(ValueError, match='no frames'):
        with VideoWriter(tmp_path / name, 25):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / 'frames').mkdir()
    (tmp_path / 'frames' / 'precious.png').write_bytes(b'x')
    with pytest.raises(UserError, match='not an empty folder'):
        VideoWriter(tmp_path / 'frames', 25)
    assert (tmp_path / 'frames' / 'precious.png').exists()


def test_an_unknown_suffix_is_refused(tmp_path):
    with pytest.raises(UserError, match='suffix'):
        VideoWriter(tmp_path / 'a.avi2', 25)


@pytest.mark.parametrize('frames', [
    np.zeros((2, 3, 8, 8), np.uint8), np.zeros((2, 8, 8, 3), np.float32), torch.zeros(3, 8, 8),
    torch.zeros(2, 8, 8, 3), torch.full((1, 3, 8, 8), float('nan'))])
def test_other_frames_are_refused(tmp_path, frames):
    writer = VideoWriter(tmp_path / 'a.mp4', 25)
    with pytest.raises(ValueError):
        writer.write(frames)
    writer.abort()


def test_a_change_of_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match='are'):
        with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
            writer.write(make_frames())
            writer.write(make_frames(width=32))


@pytest.mark.parametrize('name', ['a.mp4', 'a.gif', 'a.npy', 'frames'])
@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_is_one_clear_sentence(tmp_path, monkeypatch, name, code):
    writer = VideoWriter(tmp_path / name, 25)

    def refuse(frame):
        raise OSError(code, 'refused')

    monkeypatch.setattr(writer._sink, 'write_all', refuse)
    with pytest.raises(UserError, match='full' if code == errno.ENOSPC else 'refused'):
        with writer:
            writer.write(make_frames())
    assert list(tmp_path.iterdir()) == []


def test_an_array_holds_the_frames_as_numpy_saves_them(tmp_path):
    frames = make_frames(5)
    with VideoWriter(tmp_path / 'a.npy', 25) as writer:
        writer.write(frames[:2])
        writer.write(frames[2:])
    assert np.array_equal(np.load(tmp_path / 'a.npy', allow_pickle=False), frames)
    np.save(tmp_path / 'numpy.npy', frames)
    assert (tmp_path / 'a.npy').read_bytes() == (tmp_path / 'numpy.npy').read_bytes()


def write_limited(path, frames, pieces, limit):
    """Process target: the message of a video whose file the operating system limits to ``limit`` bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        with VideoWriter(path, 25) as writer:
            for piece in np.array_split(frames, pieces):
                writer.write(piece)
    except UserError as error:
        return str(error)


@pytest.mark.parametrize('name', ['a.mp4', 'a.gif', 'a.npy', 'frames'])
def test_a_full_disk_noticed_by_the_encoder_is_reported(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 255, (40, 128, 128, 3), dtype=np.uint8)
    assert 'disk is full' in call_in_process(write_limited, tmp_path / name, noise, 1, 20000)
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path):
    import tracemalloc
    frames = make_frames(20)
    with VideoWriter(tmp_path / 'a.mp4', 25, threads=1) as writer:
        writer.write(frames)
        tracemalloc.start()
        peaks = []
        for _ in range(2):
            for _ in range(4):
                writer.write(frames)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + frames[0].nbytes


def test_impossible_names_and_rates_are_refused_before_the_work(tmp_path):
    (tmp_path / 'taken.mp4').mkdir()
    with pytest.raises(UserError, match='taken.mp4 is a folder'):
        VideoWriter(tmp_path / 'taken.mp4', 25)
    with pytest.raises(UserError, match="'.' is not a name for a video"):
        VideoWriter('.', 25)
    with pytest.raises(UserError, match='GIF allows 50 at most'):
        VideoWriter(tmp_path / 'a.gif', 60)
    assert [path.name for path in tmp_path.iterdir()] == ['taken.mp4']


@pytest.mark.parametrize('limit', [0, 40, 1000])
@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.gif'])
def test_a_disk_that_is_full_at_the_header_is_reported(tmp_path, name, limit):
    """Muxing again after a header that could not be written crashes FFmpeg: the process would end by SIGSEGV."""
    black = np.zeros((100, 64, 64, 3), np.uint8)
    assert 'disk is full' in call_in_process(write_limited, tmp_path / name, black, 100, limit)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('name', ['a.mp4', 'a.mov'])
def test_the_index_comes_before_the_frames(tmp_path, name):
    """Players start an MP4 file before all of it has arrived if its box moov precedes mdat (ISO 14496-12)."""
    with VideoWriter(tmp_path / name, 25) as writer:
        writer.write(make_frames())
    content, boxes, place = (tmp_path / name).read_bytes(), [], 0
    while place < len(content):
        size, kind = struct.unpack('>I4s', content[place:place + 8])
        boxes.append(kind)
        place += size
    assert place == len(content) and boxes.index(b'moov') < boxes.index(b'mdat')


@pytest.mark.parametrize('fps', [1e308, float('inf'), float('nan'), 1e-9])
def test_rates_that_no_file_can_store_are_refused(tmp_path, fps):
    with pytest.raises(UserError, match='a frame rate must be from 0.001 to 1e'):
        VideoWriter(tmp_path / 'a.mp4', fps)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['a.mp4', 'a.gif', 'a.npy'])
def test_two_writers_of_one_file_do_not_mix(tmp_path, name):
    with VideoWriter(tmp_path / name, 25) as first:
        first.write(make_frames())
        with pytest.raises(UserError, match=f'another process is writing .*{name}'):
            VideoWriter(tmp_path / name, 25)
        first.write(make_frames())
    with VideoWriter(tmp_path / name, 25) as second:  # the lock has gone
        second.write(make_frames())
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_a_killed_process_left_is_replaced(tmp_path):
    (tmp_path / 'a.part.mp4').write_bytes(b'x' * 10**6)
    with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
        writer.write(make_frames())
    assert len(decode(tmp_path / 'a.mp4')[0]) == 7 and (tmp_path / 'a.mp4').stat().st_size < 10**5
    assert [path.name for path in tmp_path.iterdir()] == ['a.mp4']
