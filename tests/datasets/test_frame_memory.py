import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch

from leokit.datasets import FrameCache, FrameDecoder, FrameMemory, frame_memory
from leokit.utils import UserError, process_streams
from leokit.video import VideoFilter, VideoIndex


def test_frames_in_use_are_kept(video_folder):
    videos = VideoIndex(video_folder, VideoFilter(segment=(0.5, 1))).videos
    memory = FrameMemory(FrameDecoder(32), 32)
    assert memory.prepare(videos) == []
    for video in videos:
        frames = np.array([video.last - 1, video.first])
        assert torch.equal(memory.read(video, frames), FrameDecoder(32).read(video, frames))


def test_reads_are_copies(video_folder):
    videos = VideoIndex(video_folder).videos
    memory = FrameMemory(FrameDecoder(16), 16)
    memory.prepare(videos)
    before = memory.read(videos[0], np.array([0]))
    memory.read(videos[0], np.array([0])).zero_()
    assert torch.equal(memory.read(videos[0], np.array([0])), before)


def test_unreadable_videos_are_reported(clips, tmp_path):
    whole = clips.write(tmp_path / 'data' / 'good.mp4', clips.frames(60))
    clips.damage(whole, tmp_path / 'data' / 'damaged.mp4')
    skipped = FrameMemory(FrameDecoder(16), 16).prepare(VideoIndex(tmp_path / 'data').videos)
    assert len(skipped) == 1 and skipped[0].file.endswith('damaged.mp4')


def test_too_little_memory(video_folder, monkeypatch):
    monkeypatch.setattr(frame_memory, '_free_memory', lambda: 1000)
    with pytest.raises(UserError, match='cache_dir'):
        FrameMemory(FrameDecoder(16), 16).prepare(VideoIndex(video_folder).videos)


LENGTHS = (20, 13, 40, 24, 8, 31)  # 136 frames


@pytest.fixture
def six_videos(clips, tmp_path):
    """Videos of different lengths, more than there are processes; an item of a process is a video."""
    for number, length in enumerate(LENGTHS):
        clips.write(tmp_path / 'six' / f'{number}.mp4', clips.frames(length, seed=number))
    return tmp_path / 'six'


@pytest.fixture
def five_processes(monkeypatch):
    """Few frames are worth processes."""
    monkeypatch.setattr(frame_memory, 'FRAMES_PER_PROCESS', 136 // 5)


class ElsewhereDecoder(FrameDecoder):
    """Decodes in other processes than the one that made it only."""

    def __init__(self, size):
        super().__init__(size)
        self.process = os.getpid()

    def read(self, video, frames, *, out=None):
        assert os.getpid() != self.process
        return super().read(video, frames, out=out)


@pytest.mark.usefixtures('five_processes')
def test_processes_load_the_same_frames(six_videos):
    videos = VideoIndex(six_videos).videos
    memory = FrameMemory(ElsewhereDecoder(32), 32, workers=5)
    assert memory.prepare(videos) == []
    for video, length in zip(videos, LENGTHS):
        frames = np.arange(length)
        assert torch.equal(memory.read(video, frames), FrameDecoder(32).read(video, frames))


@pytest.mark.parametrize('frames_per_process, workers, elsewhere', [(27, 5, True), (28, 5, False), (20, 6, True),
                                                                    (20, 4, False)])
def test_processes_need_frames_and_workers(six_videos, monkeypatch, frames_per_process, workers, elsewhere):
    """5 x 27 = 135 and 5 x 28 = 140 frames; fewer than 5 processes are threads."""
    monkeypatch.setattr(frame_memory, 'FRAMES_PER_PROCESS', frames_per_process)
    memory, videos = FrameMemory(ElsewhereDecoder(16), 16, workers=workers), VideoIndex(six_videos).videos
    if elsewhere:
        assert memory.prepare(videos) == []
    else:
        with pytest.raises(AssertionError):
            memory.prepare(videos)


@pytest.mark.usefixtures('five_processes')
def test_processes_load_from_the_cache(six_videos, tmp_path):
    videos = VideoIndex(six_videos, VideoFilter(segment=(0.05, 1))).videos
    memory = FrameMemory(FrameCache(FrameDecoder(16), tmp_path / 'cache'), 16, workers=5)
    assert memory.prepare(videos) == []
    for video in videos:
        frames = np.array([video.last - 1, video.first])
        assert torch.equal(memory.read(video, frames), FrameDecoder(16).read(video, frames))


@pytest.mark.usefixtures('five_processes')
def test_videos_that_processes_cannot_read_are_reported_in_order(six_videos, clips):
    for name in ('1.mp4', '4.mp4'):
        clips.damage(clips.write(six_videos / 'whole.mp4', clips.frames(60)), six_videos / name)
    (six_videos / 'whole.mp4').unlink()
    videos = VideoIndex(six_videos).videos
    memory = FrameMemory(ElsewhereDecoder(16), 16, workers=5)
    skipped = memory.prepare(videos)
    assert [os.path.basename(video.file) for video in skipped] == ['1.mp4', '4.mp4']
    assert all(video.file in video.reason for video in skipped)
    for video in (videos[0], videos[5]):
        frames = np.arange(video.frames)
        assert torch.equal(memory.read(video, frames), FrameDecoder(16).read(video, frames))


@pytest.mark.usefixtures('five_processes')
@pytest.mark.parametrize('missing', ['/dev/shm', 'a shared block'])
def test_without_shared_memory_threads_load(six_videos, monkeypatch, missing):
    def refuse(*arguments):
        raise OSError(12, 'Cannot allocate memory')

    if missing == '/dev/shm':
        monkeypatch.setattr(process_streams, 'SHARED_MEMORY', '/nowhere')
    else:
        monkeypatch.setattr(process_streams.mmap, 'mmap', refuse)
    monkeypatch.setattr(process_streams, 'process_in_turn', refuse)
    videos = VideoIndex(six_videos).videos
    memory = FrameMemory(FrameDecoder(16), 16, workers=5)
    assert memory.prepare(videos) == []
    for video in videos:
        frames = np.arange(video.frames)
        assert torch.equal(memory.read(video, frames), FrameDecoder(16).read(video, frames))


class SignalingDecoder(ElsewhereDecoder):
    """Sends a signal to its own process, or to the one that made it, before it reads the video ``2``."""

    def __init__(self, number, *, to_own):
        super().__init__(16)
        self.number, self.to_own = number, to_own

    def read(self, video, frames, *, out=None):
        if video.name == '2':
            os.kill(os.getpid() if self.to_own else self.process, self.number)
        return super().read(video, frames, out=out)


@pytest.mark.usefixtures('five_processes')
def test_a_killed_process_ends_loading_in_a_sentence(six_videos):
    videos = VideoIndex(six_videos).videos
    with pytest.raises(UserError, match=r'a worker process has ended, .* \(frames.workers\)'):
        FrameMemory(SignalingDecoder(signal.SIGKILL, to_own=True), 16, workers=5).prepare(videos)
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures('five_processes')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_processes(six_videos, number):
    class Stop(BaseException):
        pass

    def stop(*arguments):
        raise Stop

    previous = signal.signal(number, stop)
    try:
        with pytest.raises(Stop):
            FrameMemory(SignalingDecoder(number, to_own=False), 16, workers=5).prepare(VideoIndex(six_videos).videos)
    finally:
        signal.signal(number, previous)
    assert not multiprocessing.active_children()
