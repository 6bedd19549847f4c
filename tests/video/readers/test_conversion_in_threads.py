"""Colors converted in threads are those of one thread."""

import numpy as np
import pytest

from leokit.croppers.pixels import CroppedVideo
from leokit.utils import UserError
from leokit.video import VideoWriter, iterate_frames, open_video
from leokit.video.readers.frame_pixels import FrameConverter
from leokit.video.readers.pyav_reader import GROUP

FRAMES = 23


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / 'video.mp4', 30, keyframe_interval=5) as writer:
        writer.write(rng.integers(0, 256, (FRAMES, 48, 64, 3), dtype=np.uint8))
    return tmp_path / 'video.mp4'


@pytest.mark.parametrize('indices', [range(FRAMES), [3], [9, 2, 2, 22, 0, 9, 10], range(0, FRAMES, 2)])
def test_the_frames_are_those_of_one_thread(path, indices):
    with open_video(path) as plain, open_video(path) as threaded:
        threaded.convert_in_threads(3)
        for _ in range(2):  # a second time, after a jump
            np.testing.assert_array_equal(threaded.read(list(indices)), plain.read(list(indices)))


def test_few_frames_are_in_memory_twice(path, monkeypatch):
    decoded = []
    with open_video(path) as video:
        video.convert_in_threads(1)
        decode = video.decode_file
        monkeypatch.setattr(video, 'decode_file', lambda numbers: (
            decoded.append(frame.pts) or frame for frame in decode(numbers)))
        pixels = video._pixels(range(FRAMES))
        next(pixels)
        assert len(decoded) <= 3 * GROUP < FRAMES  # the first group, which is being handed out, and two more
        assert len(list(pixels)) == FRAMES - 1


def test_resampled_and_cropped_videos_pass_it_on(path, monkeypatch):
    calls = []
    with open_video(path) as video:
        monkeypatch.setattr(video, 'convert_in_threads', calls.append)
        video.at_rate(12).convert_in_threads(2)
        CroppedVideo(video, None, 32).convert_in_threads(3)
    assert calls == [2, 3]


def test_errors_name_the_file_and_the_video_can_be_closed(path, monkeypatch):
    def fail(self, frame, box=None):
        raise UserError('is strange')

    monkeypatch.setattr(FrameConverter, '__call__', fail)
    with open_video(path) as video:
        video.convert_in_threads(2)
        with pytest.raises(UserError, match='video.mp4 is strange'):
            video.read(range(FRAMES))
    with pytest.raises(ValueError, match='has been closed'):
        video.read([0])


def test_frames_for_a_gpu_are_converted_in_threads(path, monkeypatch):
    threads = []
    monkeypatch.setattr('torch.Tensor.pin_memory', lambda self: self)  # needs a GPU
    monkeypatch.setattr('leokit.video.video_input._on_device', lambda chunk, device: chunk)
    monkeypatch.setattr('leokit.video.conversion_threads.worker_count', lambda: 3)
    with open_video(path) as video:
        convert = video.convert_in_threads
        monkeypatch.setattr(video, 'convert_in_threads', lambda count: threads.append(count) or convert(count))
        pinned = np.concatenate(list(iterate_frames(video, 32, chunk_size=8, device='cuda')))
        plain = np.concatenate(list(iterate_frames(path, 32, chunk_size=8)))
    np.testing.assert_array_equal(pinned, plain)
    assert threads == [2]
