import numpy as np
import pytest
import torch

from leokit.datasets import FrameDecoder, FrameMemory, frame_memory
from leokit.utils import UserError
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
