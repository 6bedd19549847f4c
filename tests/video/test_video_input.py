"""Videos of any kind become the same tensors."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.utils import Prefetcher, UserError
from leokit.utils.pixels import from_uint8
from leokit.video import (
    FramesHandle, count_frames, iterate_frames, open_video, read_first_frame, read_images, read_last_frame)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def test_frames_in_memory(pixels):
    frames = np.stack([np.roll(pixels, shift, 0) for shift in range(5)])
    tensor = torch.from_numpy(frames.transpose(0, 3, 1, 2).copy())
    for video in (frames, tensor, from_uint8(tensor), FramesHandle(frames)):
        chunks = list(iterate_frames(video, 32, chunk_size=2))
        assert [len(chunk) for chunk in chunks] == [2, 2, 1]
        assert torch.equal(torch.cat(chunks), tensor)
    assert torch.equal(torch.cat(list(iterate_frames(frames, 32, chunk_size=2, first=1, last=4))), tensor[1:4])
    assert torch.equal(read_first_frame(frames, 32), from_uint8(tensor[:1]))
    assert torch.equal(read_last_frame(frames, 32), from_uint8(tensor[-1:]))
    assert count_frames(frames) == count_frames(tensor) == 5


def test_frame_folder(pixels, tmp_path):
    for number in range(3):
        Image.fromarray(np.roll(pixels, number, 0)).save(tmp_path / f'{number:03d}.png')
    frames = torch.cat(list(iterate_frames(tmp_path, 32, chunk_size=2)))
    assert torch.equal(frames[2], torch.from_numpy(np.roll(pixels, 2, 0).transpose(2, 0, 1).copy()))


def test_an_open_video_stays_open(pixels):
    class Handle(FramesHandle):
        closed = False

        def close(self):
            self.closed = True

    handle = Handle(pixels[None])
    read_first_frame(handle, 32)
    read_last_frame(handle, 32)
    count_frames(handle)
    assert open_video(handle) is handle and not handle.closed


@pytest.mark.parametrize('video, message', [
    ('nowhere.mp4', 'does not exist'),
    (np.zeros((0, 8, 8, 3), np.uint8), 'at least one frame'),
    (torch.zeros(0, 3, 8, 8), 'at least one frame'),
    (np.zeros((4, 8, 8, 3), np.float32), 'float32'),
    (7, 'is not a video'),
])
def test_bad_videos_are_one_sentence(video, message):
    with pytest.raises(UserError, match=message):
        read_first_frame(video, 32)


def test_a_file_that_is_not_a_video(tmp_path):
    path = tmp_path / 'clip.mp4'
    path.write_bytes(b'not a video at all')
    with pytest.raises(UserError, match='clip.mp4'):
        read_first_frame(path, 32)


def test_files_in_memory(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(12))
    wanted = torch.cat(list(iterate_frames(path, 48, chunk_size=5)))
    content = path.read_bytes()
    with path.open('rb') as file:
        for video in (content, bytearray(content), io.BytesIO(content), file):
            assert torch.equal(torch.cat(list(iterate_frames(video, 48, chunk_size=5))), wanted)
    with open_video(content) as video:
        assert clips.numbers(video.read([11, 2, 7])) == [11, 2, 7]
    with pytest.raises(UserError, match='given bytes is not a readable video'):
        open_video(b'no video' * 100)


def test_frames_one_by_one(pixels):
    frames = [np.roll(pixels, shift, 0) for shift in range(5)]
    wanted = torch.from_numpy(np.stack(frames).transpose(0, 3, 1, 2).copy())
    kinds = dict(arrays=frames, images=[Image.fromarray(frame) for frame in frames], tensors=list(wanted),
                 floats=list(from_uint8(wanted)))
    for kind in kinds.values():
        for video in (kind, iter(kind), (frame for frame in kind)):
            chunks = list(iterate_frames(video, 32, chunk_size=2))
            assert [len(chunk) for chunk in chunks] == [2, 2, 1]
            assert torch.equal(torch.cat(chunks), wanted)
    assert count_frames(frames) == 5 and torch.equal(read_last_frame(iter(frames), 32), from_uint8(wanted[-1:]))
    for wrong, sentence in ([], 'no frames'), ([frames[0], frames[0][:8]], 'different sizes'), ([7], 'frame 0'):
        with pytest.raises(UserError, match=sentence):
            open_video(wrong)


def test_a_camera_is_not_read_ahead(pixels):
    def camera():
        for number in range(10**9):
            taken.append(number)
            yield pixels

    taken = []
    chunks = iterate_frames(camera(), 32, chunk_size=3)
    assert len(next(chunks)) == 3 and len(next(chunks)) == 3
    assert len(taken) <= 6


def test_pixels_between_0_and_1_are_noticed_once(pixels, monkeypatch):
    messages = []
    monkeypatch.setattr('leokit.video.video_input.print_log', lambda message, **_: messages.append(message))
    monkeypatch.setattr('leokit.video.video_input._warned', set())
    unit = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / 255
    FramesHandle(2 * unit - 1)
    assert messages == []
    FramesHandle(unit)
    read_images(unit[0], 32)
    assert len(messages) == 1 and '2 * pixels - 1' in messages[0]


@pytest.mark.parametrize('device, size, depth', [
    ('cpu', 16, 2), ('cuda', 16, 64), ('cuda', 256, 10), ('cuda', 1024, 2)])
def test_more_is_read_ahead_for_a_gpu_within_its_memory(pixels, monkeypatch, device, size, depth):
    depths = []

    class Recorded(Prefetcher):
        def __init__(self, source, depth=2):
            depths.append(depth)
            super().__init__(source, depth)

    monkeypatch.setattr('leokit.video.video_input.Prefetcher', Recorded)
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda self: self)
    monkeypatch.setattr('leokit.video.video_input._on_device', lambda chunk, device: chunk)
    frames = list(iterate_frames(np.stack([pixels, pixels]), size, chunk_size=32, device=device))
    assert depths == [depth] and frames[0].shape == (2, 3, size, size)  # a chunk of 256 x 256 has 6 MiB of 64
