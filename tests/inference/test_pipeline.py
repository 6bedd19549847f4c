"""Reading, computing and writing overlap, in bounded memory; an error in one of them ends the others."""

import os
import threading
import time

import numpy as np
import pytest
import torch

from leokit.inference import FrameStream, compile_for, write_videos
from leokit.inference.compilation import MIN_COMPILED_FRAMES
from leokit.inference.host_copy import HostCopy
from leokit.inference.outputs import writer_pool
from leokit.utils import UserError
from leokit.utils.pixels import to_uint8
from leokit.video import VideoWriter, iterate_frames
from leokit.video.h264 import check_encoder
from leokit.video.video_sinks import FolderSink
from leokit.video.yuv420 import rgb_to_yuv420

WAIT = 0.03  # seconds of a stage for a chunk


@pytest.fixture
def slow_writing(monkeypatch):
    """Writing that takes a known time and runs in parallel to everything else."""
    written = []
    monkeypatch.setattr(VideoWriter, 'write', lambda self, frames: time.sleep(WAIT) or written.append(len(frames)) or
                        setattr(self, 'num_frames', self.num_frames + len(frames)))
    monkeypatch.setattr(VideoWriter, 'close', VideoWriter.abort)
    return written


def slow_chunks(count, made=None):
    for number in range(count):
        time.sleep(WAIT)
        if made is not None:
            made.append(number)
        yield torch.zeros(1, 2, 3, 8, 8)


def test_computing_and_writing_take_as_long_as_the_slower_one(slow_writing, tmp_path):
    start = time.perf_counter()
    write_videos(slow_chunks(20), [tmp_path / 'a.mp4'], 25)
    taken = time.perf_counter() - start
    assert sum(slow_writing) == 40
    assert taken < 1.6 * 20 * WAIT  # one after the other: 2


def test_chunks_wait_in_bounded_number(monkeypatch, tmp_path):
    made, most = [], []
    monkeypatch.setattr(VideoWriter, 'write', lambda self, frames: time.sleep(WAIT / 3) or most.append(len(made)) or
                        setattr(self, 'num_frames', self.num_frames + len(frames)))
    monkeypatch.setattr(VideoWriter, 'close', VideoWriter.abort)

    def fast():
        for number in range(30):
            made.append(number)
            yield torch.zeros(1, 2, 3, 8, 8)

    write_videos(fast(), [tmp_path / 'a.mp4'], 25)
    assert max(count - number for number, count in enumerate(most)) <= 6  # being made, waiting, being written


@pytest.mark.parametrize('stage', ['compute', 'write'])
def test_an_error_ends_all_stages_and_leaves_no_file(monkeypatch, tmp_path, stage):
    before = threading.active_count()
    made = []

    def chunks():
        for number in range(1000):
            if stage == 'compute' and number == 3:
                raise RuntimeError('broken')
            made.append(number)
            yield torch.zeros(2, 2, 3, 16, 16)

    if stage == 'write':
        whole = VideoWriter.write
        monkeypatch.setattr(VideoWriter, 'write', lambda self, frames: (_ for _ in ()).throw(RuntimeError('broken'))
                            if self.num_frames >= 6 else whole(self, frames))
    with pytest.raises(RuntimeError, match='broken'):
        write_videos(chunks(), [tmp_path / 'a.mp4', tmp_path / 'b.mp4'], 25)
    assert not list(tmp_path.iterdir()) and len(made) < 20
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_several_files_are_written_at_the_same_time(slow_writing, tmp_path, monkeypatch):
    monkeypatch.setattr('leokit.inference.outputs.worker_count', lambda: 8)
    chunks = [torch.zeros(4, 2, 3, 8, 8)] * 5
    start = time.perf_counter()
    write_videos(chunks, [tmp_path / f'{k}.mp4' for k in range(4)], 25)
    assert time.perf_counter() - start < 0.6 * 4 * 5 * WAIT
    assert len(slow_writing) == 20


def test_colors_converted_in_threads_are_those_of_one_thread(clips, tmp_path, monkeypatch):
    frames = clips.frames(40, 47, 95)  # odd sizes are padded
    decoded = []
    for workers in (0, 3):
        monkeypatch.setattr('leokit.video.video_sinks.converter_count', lambda threads, workers=workers: workers)
        with VideoWriter(tmp_path / f'{workers}.mp4', 25, threads=1) as writer:
            writer.write(frames[:33])
            writer.write(frames[33:])
        decoded.append(clips.decode(tmp_path / f'{workers}.mp4'))
    assert np.array_equal(*decoded) and clips.numbers(decoded[1]) == list(range(40))


def test_images_written_in_threads_keep_their_numbers(clips, tmp_path):
    frames = clips.frames(20)
    sink = FolderSink(tmp_path / 'frames')
    sink.write_all(frames[:15])
    sink.write(frames[15])
    sink.write_all(frames[16:])
    names = sorted(path.name for path in (tmp_path / 'frames').iterdir())
    assert names == [f'{number:06d}.png' for number in range(20)]
    pixels = torch.cat(list(iterate_frames(tmp_path / 'frames', 48, chunk_size=7)))
    assert pixels.shape == (20, 3, 48, 48)


def test_copies_to_the_host_round_and_find_nan():
    frames = torch.rand(2, 3, 3, 5, 4) * 2.2 - 1.1
    assert np.array_equal(HostCopy(frames).wait(), to_uint8(frames).permute(0, 1, 3, 4, 2).numpy())
    assert np.array_equal(HostCopy(to_uint8(frames)).wait(), HostCopy(frames).wait())
    frames[0, 0, 0, 0, 0] = float('nan')
    with pytest.raises(UserError, match='frames with NaN'):
        HostCopy(frames).wait()


def test_converted_chunks_are_written_as_rgb_ones(clips, tmp_path):
    frames = torch.from_numpy(clips.frames(20, 48, 96)).permute(0, 3, 1, 2)
    videos = torch.stack([frames, frames.flip(0)])  # (2, 20, 3, 48, 96)
    paths = [[tmp_path / f'{kind}_{k}.mp4' for k in range(2)] for kind in ('rgb', 'yuv')]
    write_videos(videos.split(8, dim=1), paths[0], 25)
    with writer_pool(paths[1], 25) as pool:
        for chunk in videos.split(8, dim=1):
            pool.write(rgb_to_yuv420(chunk).numpy())
    for rgb, yuv, numbers in zip(*paths, (range(20), range(19, -1, -1))):
        assert clips.numbers(clips.decode(yuv)) == list(numbers)
        assert np.abs(clips.decode(rgb).astype(int) - clips.decode(yuv)).mean() < 0.5


@pytest.mark.gpu
@pytest.mark.parametrize('size', [(48, 96), (47, 95)])
def test_files_from_a_gpu_are_those_of_a_cpu(clips, tmp_path, size):
    frames = torch.from_numpy(clips.frames(20, *size)).permute(0, 3, 1, 2)[None] / 127.5 - 1
    write_videos(frames.split(8, dim=1), [tmp_path / 'cpu.mp4'], 25)
    write_videos(frames.cuda().split(8, dim=1), [tmp_path / 'gpu.mp4'], 25)
    write_videos(frames.cuda().split(8, dim=1), [tmp_path / 'gpu.npy'], 25)
    cpu, gpu = clips.decode(tmp_path / 'cpu.mp4'), clips.decode(tmp_path / 'gpu.mp4')
    assert clips.numbers(gpu) == list(range(20)) and np.abs(cpu.astype(int) - gpu).mean() < 0.5
    assert np.array_equal(np.load(tmp_path / 'gpu.npy'), clips.frames(20, *size))  # bytes stay bytes
    planes = HostCopy(frames.cuda(), 'bt601').wait()
    assert planes.shape[2:] == ((72, 96) if size == (48, 96) else (*size, 3))


@pytest.mark.gpu
def test_copies_from_a_gpu_are_those_of_a_cpu():
    frames = torch.rand(2, 3, 3, 5, 4) * 2.2 - 1.1
    copies = [HostCopy(frames.cuda() * 1) for _ in range(5)]
    assert all(np.array_equal(copy.wait(), HostCopy(frames).wait()) for copy in copies)
    frames[0, 0, 0, 0, 0] = float('nan')
    with pytest.raises(UserError, match='frames with NaN'):
        HostCopy(frames.cuda()).wait()


def test_encoders_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(UserError, match="unknown H.264 encoder 'x265'; choose one of libx264"):
        check_encoder('x265')
    if torch.cuda.is_available():
        pytest.skip('this machine may have the hardware')
    with pytest.raises(UserError, match='h264_nvenc cannot be used here .*; use libx264'):
        VideoWriter(tmp_path / 'a.mp4', 25, encoder='h264_nvenc')
    assert not list(tmp_path.iterdir())


def test_only_long_videos_are_compiled(animator, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(type(animator), 'compile_parts', lambda self: calls.append(1))
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path))
    for name in ('TORCHINDUCTOR_CACHE_DIR', 'TORCHINDUCTOR_FX_GRAPH_CACHE'):
        monkeypatch.setenv(name, 'any')  # restored at the end, also if it was not set
        monkeypatch.delenv(name)
    assert not compile_for(animator, MIN_COMPILED_FRAMES - 1) and not compile_for(animator, None) and not calls
    assert 'TORCHINDUCTOR_CACHE_DIR' not in os.environ
    assert compile_for(animator, MIN_COMPILED_FRAMES) and len(calls) == 1
    assert os.environ['TORCHINDUCTOR_CACHE_DIR'] == str(tmp_path / 'compiled')


def test_a_stream_of_unknown_size_is_written(tmp_path):
    write_videos(FrameStream(slow_chunks(2), None, 8, 25), [tmp_path / 'a.npy'])
    assert np.load(tmp_path / 'a.npy').shape == (4, 8, 8, 3)
