import fcntl
import os
import shutil
import signal
import time
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.datasets import FrameCache, FrameDecoder, frame_cache as module
from leokit.utils import UserError
from leokit.video import VideoIndex
from leokit.video.video_list import scan_folder

SIZE = 32


def fill(data, folder, chunks, patience):
    """Fill a cache in another process: count the decoded chunks, and sleep ``patience`` seconds after each."""
    stream = FrameDecoder.stream

    def slow_stream(decoder, video):
        for chunk in stream(decoder, video):
            with chunks.get_lock():
                chunks.value += 1
            time.sleep(patience)
            yield chunk

    FrameDecoder.stream = slow_stream
    assert FrameCache(FrameDecoder(SIZE), folder, workers=1).prepare(VideoIndex(data).videos) == []


def start(data, folder, patience):
    context = get_context('fork')
    chunks = context.Value('i', 0)
    process = context.Process(target=fill, args=(data, folder, chunks, patience), daemon=True)
    process.start()
    return process, chunks


def files(folder):
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


@pytest.fixture
def videos(video_folder):
    return VideoIndex(video_folder).videos


@pytest.fixture
def no_decoding(monkeypatch):
    def fail(*arguments):
        raise AssertionError('decoded again')
    return lambda: monkeypatch.setattr(FrameDecoder, 'stream', fail)


def test_cached_frames_equal_decoded_frames(videos, tmp_path, no_decoding):
    cache, decoder = FrameCache(FrameDecoder(SIZE), tmp_path), FrameDecoder(SIZE)
    assert cache.prepare(videos) == []
    for video in videos:
        frames = np.array([video.frames - 1, 0, 5, 5])
        got = cache.read(video, frames)
        assert got.shape == (4, 3, SIZE, SIZE) and got.dtype == torch.uint8
        assert torch.equal(got, decoder.read(video, frames))
    no_decoding()
    assert FrameCache(FrameDecoder(SIZE), tmp_path).prepare(videos) == []


def test_the_files_are_ordinary_arrays(videos, tmp_path):
    cache = FrameCache(FrameDecoder(SIZE), tmp_path)
    cache.prepare(videos[:1])
    array = np.load(next(tmp_path.rglob('*.npy')), mmap_mode='r')
    assert array.shape == (20, 3, SIZE, SIZE) and array.dtype == np.uint8
    assert np.array_equal(array[7], cache.read(videos[0], [7])[0].numpy())


def test_size_crop_and_file_content_are_cached_separately(clips, tmp_path):
    path = clips.write(tmp_path / 'data' / 'a.mp4', clips.frames(5))
    for decoder in (FrameDecoder(SIZE), FrameDecoder(SIZE, 'none'), FrameDecoder(16)):
        FrameCache(decoder, tmp_path / 'cache').prepare(VideoIndex(path).videos)
    assert len(files(tmp_path / 'cache')) == 3
    clips.write(path, clips.frames(9))
    cache = FrameCache(FrameDecoder(SIZE), tmp_path / 'cache')
    video, = VideoIndex(path).videos
    cache.prepare([video])
    assert len(files(tmp_path / 'cache')) == 4 and len(cache.read(video, [8])) == 1


def test_unreadable_videos_are_reported_and_leave_no_files(clips, tmp_path):
    whole = clips.write(tmp_path / 'whole.mp4', clips.frames(60))
    (tmp_path / 'data').mkdir()
    clips.damage(whole, tmp_path / 'data' / 'damaged.mp4')
    shutil.copy(whole, tmp_path / 'data' / 'good.mp4')
    videos = VideoIndex(tmp_path / 'data').videos
    os.remove(shutil.copy(whole, tmp_path / 'data' / 'gone.mp4'))
    gone = scan_folder(tmp_path / 'data')[0].__class__('gone', tmp_path / 'data' / 'gone.mp4', 'gone', frames=60)
    skipped = FrameCache(FrameDecoder(SIZE), tmp_path / 'cache').prepare([*videos, gone])
    assert sorted(os.path.basename(file) for file, _ in skipped) == ['damaged.mp4', 'gone.mp4']
    assert len(files(tmp_path / 'cache')) == 1


def test_a_killed_process_leaves_no_partial_video(clips, tmp_path):
    data = clips.write(tmp_path / 'data' / 'a.mp4', clips.frames(80)).parent
    process, chunks = start(data, tmp_path / 'cache', 60)
    while not chunks.value:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    left = [name for name in files(tmp_path / 'cache') if name.endswith('.npy')]
    assert len(left) == 1 and '.part.' in left[0]
    cache = FrameCache(FrameDecoder(SIZE), tmp_path / 'cache')
    video, = VideoIndex(data).videos
    assert cache.prepare([video]) == []
    assert torch.equal(cache.read(video, [79]), FrameDecoder(SIZE).read(video, [79]))
    assert len(files(tmp_path / 'cache')) == 1  # the partial file is gone


def test_without_locks_partial_files_may_be_of_others(videos, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError('no locks available')
    monkeypatch.setattr(fcntl, 'flock', refuse)
    cache = FrameCache(FrameDecoder(SIZE), tmp_path)
    cache.prepare(videos[:1])
    path, = cache.folder.glob('*.npy')
    other = path.with_name(f'{path.stem}.1.part.npy')
    path.rename(other)
    cache.prepare(videos[:1])
    assert path.exists() and other.exists()


def test_old_partial_files_are_removed(videos, tmp_path):
    cache = FrameCache(FrameDecoder(SIZE), tmp_path)
    cache.folder.mkdir(parents=True)
    old, new = cache.folder / 'x.1.part.npy', cache.folder / 'y.2.part.npy'
    for part, age in ((old, 2 * module.LEFTOVER_SECONDS), (new, 0)):
        part.write_bytes(b'')
        os.utime(part, (time.time() - age,) * 2)
    cache.prepare(videos[:1])
    assert new.exists() and not old.exists()


def test_two_processes_share_the_work(clips, tmp_path):
    for number in range(6):
        clips.write(tmp_path / 'data' / f'{number}.mp4', clips.frames(20))
    runs = [start(tmp_path / 'data', tmp_path / 'cache', 0.05) for _ in range(2)]
    for process, _ in runs:
        process.join()
    assert [process.exitcode for process, _ in runs] == [0, 0]
    shares = [chunks.value for _, chunks in runs]
    assert sum(shares) == 6 and min(shares) >= 1  # every video was decoded once, and both processes decoded some
    assert len(files(tmp_path / 'cache')) == 6


@pytest.mark.parametrize('reason', ['cannot be created', 'GiB are free', 'cannot be written'])
def test_without_room_for_a_cache_frames_are_decoded(videos, tmp_path, monkeypatch, reason):
    said, numbers = [], np.array([0, 3])
    monkeypatch.setattr(module, 'print_log', lambda text, **options: said.append(text))
    folder = tmp_path / 'cache'
    if reason == 'cannot be created':
        folder.write_text('in the way')
    elif reason == 'GiB are free':
        monkeypatch.setattr(module, 'SPARE_BYTES', 1 << 60)
    else:
        def full(*args):
            raise OSError(28, 'No space left on device')
        monkeypatch.setattr(module, 'npy_header', full)
    cache = FrameCache(FrameDecoder(SIZE), folder)
    assert cache.prepare(videos) == [] and len(said) == 1 and reason in said[0]
    for video in videos:
        assert torch.equal(cache.read(video, numbers), FrameDecoder(SIZE).read(video, numbers))
    assert not [name for name in files(tmp_path) if name.endswith('.npy')]


def test_an_image_that_is_overwritten_in_place_is_decoded_again(tmp_path):
    folder = tmp_path / 'data' / 'a'
    folder.mkdir(parents=True)
    for level in (10, 20):
        Image.fromarray(np.full((SIZE, SIZE, 3), level, np.uint8)).save(folder / f'{level}.png')
    times = os.stat(folder)
    caches = []
    for level in (20, 90):
        with open(folder / '20.png', 'r+b') as file:  # the folder itself does not change
            Image.fromarray(np.full((SIZE, SIZE, 3), level, np.uint8)).save(file, format='png')
        assert os.stat(folder).st_mtime_ns == times.st_mtime_ns
        videos = VideoIndex(tmp_path / 'data').videos
        caches.append(FrameCache(FrameDecoder(SIZE), tmp_path / 'cache'))
        assert caches[-1].prepare(videos) == []
        assert caches[-1].read(videos[0], np.array([1])).unique().tolist() == [level]


def test_errors_are_user_errors(videos, tmp_path, monkeypatch):
    cache = FrameCache(FrameDecoder(SIZE), tmp_path / 'cache')
    cache.prepare(videos)
    next(cache.folder.glob('*.npy')).write_bytes(b'short')
    with pytest.raises(UserError, match='delete that file'):
        for video in videos:
            cache.read(video, [3])
