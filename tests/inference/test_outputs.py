"""Pixels reach the files as they are; an error leaves no half file; memory does not grow with the length."""

import os
from fractions import Fraction
from pathlib import Path
from threading import Barrier, Event
from time import sleep

import numpy as np
import pytest
import torch

from leokit.inference import FrameStream, VideoGenerator, write_videos
from leokit.models import Animator
from leokit.utils import Prefetcher, UserError, progress_bar
from leokit.utils.pixels import from_uint8
from leokit.video import VideoWriter
from leokit.video.readers import AutoReader
from support.tiny_models import MOTION_DIM, make_motion_diffusion

LONG, SHORT = 10_000, 1_000
GROWTH_ALLOWED = 24 * 2**20  # bytes; 9,000 frames of 64 x 64 are 105 MiB as bytes and 421 MiB as floats


def read(path):
    with AutoReader().open(path) as video:
        return video.read(range(len(video)))


def test_pixels_are_written_unchanged(tmp_path):
    frames = torch.randint(100, 140, (2, 5, 3, 16, 16), dtype=torch.uint8)  # a narrow range must stay narrow
    bar = progress_bar(None, 'test', show=False)
    write_videos(from_uint8(frames).split(2, dim=1), [tmp_path / 'a', tmp_path / 'b'], 10, bar=bar)
    for name, video in zip('ab', frames):
        assert np.array_equal(read(tmp_path / name), video.permute(0, 2, 3, 1).numpy())


def test_an_error_leaves_no_file(tmp_path):
    def chunks():
        yield torch.zeros(2, 3, 3, 16, 16)
        raise RuntimeError('out of luck')

    with pytest.raises(RuntimeError, match='out of luck'):
        write_videos(chunks(), [tmp_path / 'a.mp4', tmp_path / 'b'], 10)
    assert not list(tmp_path.iterdir())


def test_an_error_in_the_last_chunk_leaves_no_file(tmp_path, monkeypatch):
    """Neither the file that could not be written nor the others, which are done before."""
    closed, write, close = Event(), VideoWriter.write, VideoWriter.close

    def failing_write(writer, frames):
        if writer.path.name == 'bad.npy' and writer.num_frames:
            closed.wait(1)  # long enough for the other file to be completed
            raise UserError('the disk is full')
        write(writer, frames)

    def noticed_close(writer):
        close(writer)
        closed.set()

    monkeypatch.setattr('leokit.inference.outputs.worker_count', lambda: 2)
    monkeypatch.setattr('leokit.inference.outputs.VideoWriter.write', failing_write)
    monkeypatch.setattr('leokit.inference.outputs.VideoWriter.close', noticed_close)
    with pytest.raises(UserError, match='the disk is full'):
        write_videos([torch.zeros(2, 4, 3, 16, 16)] * 2, [tmp_path / 'bad.npy', tmp_path / 'good.npy'], 10)
    assert not list(tmp_path.iterdir())


def test_a_slow_file_does_not_hold_up_the_next_chunk_of_the_others(tmp_path, monkeypatch):
    written, second, real = [], Event(), VideoWriter.write

    def write(writer, frames):
        if writer.path.name == 'slow.mp4':
            assert second.wait(60)  # until the other file has its second chunk
        written.append(writer.path.name)
        real(writer, frames)
        if written.count('fast.mp4') == 2:
            second.set()

    monkeypatch.setattr('leokit.inference.outputs.worker_count', lambda: 2)
    monkeypatch.setattr('leokit.inference.outputs.VideoWriter.write', write)
    write_videos([torch.zeros(2, 4, 3, 16, 16)] * 3, [tmp_path / 'slow.mp4', tmp_path / 'fast.mp4'], 10)
    assert written[:2] == ['fast.mp4'] * 2 and written.count('slow.mp4') == written.count('fast.mp4') == 3


def test_files_are_completed_at_the_same_time(tmp_path, monkeypatch):
    both, real = Barrier(2), VideoWriter.close

    def close(writer):
        if not writer._closed:
            both.wait(60)  # breaks unless another file is closed meanwhile
        real(writer)

    monkeypatch.setattr('leokit.inference.outputs.worker_count', lambda: 2)
    monkeypatch.setattr('leokit.inference.outputs.VideoWriter.close', close)
    write_videos([torch.zeros(2, 4, 3, 16, 16)], [tmp_path / 'a.mp4', tmp_path / 'b.mp4'], 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.mp4', 'b.mp4']


def test_more_files_than_threads(tmp_path, monkeypatch):
    monkeypatch.setattr('leokit.inference.outputs.worker_count', lambda: 3)
    frames = torch.randint(0, 256, (7, 6, 3, 16, 16), dtype=torch.uint8)
    write_videos(from_uint8(frames).split(2, dim=1), [tmp_path / f'{k}.npy' for k in range(7)], 10)
    for number, video in enumerate(frames):
        assert np.array_equal(np.load(tmp_path / f'{number}.npy'), video.permute(0, 2, 3, 1).numpy())


# chunks in bytes; those that wait, two handed to the writers, one drawn
@pytest.mark.parametrize('waiting, drawn', [(0, 4), (6, 9)])
def test_chunks_that_wait_are_bounded_by_bytes(tmp_path, monkeypatch, waiting, drawn):
    count, enough = 0, Event()

    def chunks():
        nonlocal count
        for _ in range(20):
            count += 1
            if count == drawn:
                enough.set()
            yield torch.zeros(2, 16, 3, 16, 16)

    def write(writer, frames):
        assert enough.wait(60)  # a first chunk that is written for as long as the queue is not full
        sleep(0.05)
        assert count == drawn
        raise UserError('enough')

    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('leokit.inference.outputs.WAITING_BYTES', waiting * 2 * 16 * 3 * 16 * 16)
    monkeypatch.setattr('leokit.inference.outputs.VideoWriter.write', write)
    with pytest.raises(UserError, match='enough'):
        write_videos(FrameStream(chunks(), 320, 16, 25), [tmp_path / 'a.mp4', tmp_path / 'b.mp4'])


def test_small_chunks_that_wait_are_bounded_by_their_number(tmp_path, monkeypatch):
    depths = []

    class Recorded(Prefetcher):
        def __init__(self, source, depth):
            depths.append(depth)
            super().__init__(source, depth)

    monkeypatch.setattr('leokit.inference.outputs.Prefetcher', Recorded)
    for gpu, size in ((True, 16), (True, 512), (False, 16)):
        monkeypatch.setattr('torch.cuda.is_available', lambda gpu=gpu: gpu)
        write_videos(FrameStream(numbered(4), 4, size, 25), [tmp_path / f'{size}.npy'])
    assert depths == [64, 5, 1]  # a chunk of 512 x 512 has 24 MiB, of which 5 fit into 128


def test_one_path_per_row(tmp_path):
    with pytest.raises(ValueError, match='2 videos and 1 paths'):
        write_videos([torch.zeros(2, 3, 3, 16, 16)], [tmp_path / 'a.mp4'], 10)
    assert not list(tmp_path.iterdir())


def test_disk_space_is_checked_before_generation(tmp_path):
    def chunks():
        raise AssertionError('begun')
        yield

    for name in ('a.mp4', 'a.gif', 'a.npy', 'a'):
        with pytest.raises(UserError, match=f'{name} of 1000000000000 frames .* GB left'):
            write_videos(FrameStream(chunks(), 10**12, 64), [tmp_path / 'new' / name], 25)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_memory_is_flat_in_the_number_of_frames(tmp_path):
    torch.manual_seed(0)
    animator = Animator(64, 32, motion_dim=MOTION_DIM, max_channels=16)
    generator = VideoGenerator(animator, make_motion_diffusion(animator.weights_hash(), num_frames=64))
    memory = []

    def watched():
        for chunk in generator.generate(torch.zeros(3, 64, 64), LONG):
            yield chunk
            memory.extend([resident_bytes()] * chunk.shape[1])

    write_videos(watched(), [tmp_path / 'long.mp4'], 25)
    assert len(memory) == LONG
    assert max(memory) - max(memory[:SHORT]) < GROWTH_ALLOWED
    with AutoReader().open(tmp_path / 'long.mp4') as video:
        assert len(video) == LONG


def resident_bytes():
    return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def numbered(count, chunk=4):
    """Frames whose gray level is their number: -1 + k / 100."""
    frames = (-1 + torch.arange(count) / 100).view(1, count, 1, 1, 1).expand(1, count, 3, 16, 16)
    return frames.split(chunk, dim=1)


def numbers(frames):
    return [round(float(value) / 1.275) for value in frames.mean((1, 2, 3))]  # a step of 0.01 is 1.275 gray levels


@pytest.mark.parametrize('count, source, target, shown', [  # as ffmpeg -vf fps=TARGET shows them
    (6, 60, 30, [0, 2, 4]), (3, 10, 30, [0, 0, 0, 1, 1, 1, 2, 2, 2]),
    (12, 30, 25, [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]), (10, 25, 30, [0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9])])
@pytest.mark.parametrize('chunk', [1, 4, 100])
def test_another_rate_resamples_a_stream(tmp_path, count, source, target, shown, chunk):
    write_videos(FrameStream(numbered(count, chunk), count, 16, source), [tmp_path / 'a.npy'], target)
    assert numbers(np.load(tmp_path / 'a.npy')) == shown


def test_a_stream_keeps_its_rate(tmp_path):
    write_videos(FrameStream(numbered(9), 9, 16, 30000 / 1001), [tmp_path / 'a.mp4'])
    with AutoReader().open(tmp_path / 'a.mp4') as video:
        assert len(video) == 9 and Fraction(video.fps).limit_denominator(1001) == Fraction(30000, 1001)
    with pytest.raises(UserError, match='frame rate of .*b.mp4 is unknown'):
        write_videos(FrameStream(numbered(9), 9, 16), [tmp_path / 'b.mp4'])


def test_a_stream_is_read_once(tmp_path):
    stream = FrameStream(numbered(9), 9, 16, 25)
    next(stream)
    with pytest.raises(UserError, match='4 of the 9 frames'):
        write_videos(stream, [tmp_path / 'a.mp4'])
    assert sum(chunk.shape[1] for chunk in stream) == 5  # the rest
    with pytest.raises(UserError, match='all 9 frames'):
        list(stream)
    assert not list(tmp_path.iterdir())


def test_a_stream_of_unknown_length(tmp_path):
    write_videos(FrameStream(numbered(9), None, 16, 25), [tmp_path / 'a.npy'])
    assert numbers(np.load(tmp_path / 'a.npy')) == list(range(9))
