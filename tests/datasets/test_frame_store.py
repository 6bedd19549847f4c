import pickle

import numpy as np
import pytest
import torch

from leokit.datasets import FrameCache, FrameDecoder, FrameMemory
from leokit.datasets.frame_store import build_frame_store
from leokit.utils import UserError
from leokit.video import VideoIndex
from leokit.video.readers import DecordReader


def test_the_config_selects_the_store(tmp_path):
    assert isinstance(build_frame_store(32)[0], FrameDecoder)
    assert isinstance(build_frame_store(32, dict(cache_dir=None))[0], FrameDecoder)
    store, reader = build_frame_store(32, dict(cache_dir=tmp_path, reader=dict(type='DecordReader'), crop='none'))
    assert isinstance(store, FrameCache) and isinstance(reader, DecordReader) and store.decoder.crop == 'none'
    memory, _ = build_frame_store(32, dict(cache_dir=tmp_path, in_memory=True))
    assert isinstance(memory, FrameMemory) and isinstance(memory.source, FrameCache)


def test_all_stores_give_the_same_frames(video_folder, tmp_path):
    videos = VideoIndex(video_folder).videos
    frames = np.array([7, 2])
    results = []
    for config in ({}, dict(cache_dir=tmp_path), dict(in_memory=True), dict(cache_dir=tmp_path, in_memory=True)):
        store, _ = build_frame_store(24, config)
        assert store.prepare(videos) == []
        results.append(torch.stack([store.read(video, frames) for video in videos]))
    assert all(torch.equal(result, results[0]) for result in results)


def test_stores_can_be_pickled(video_folder, tmp_path):
    videos = VideoIndex(video_folder).videos
    for config in ({}, dict(reader=dict(type='DecordReader')), dict(cache_dir=tmp_path), dict(in_memory=True)):
        store, _ = build_frame_store(16, config)
        store.prepare(videos[:2])
        before = store.read(videos[0], np.array([3]))
        assert torch.equal(pickle.loads(pickle.dumps(store)).read(videos[0], np.array([3])), before)


def test_unknown_keys_are_reported():
    with pytest.raises(UserError, match="'cache'"):
        build_frame_store(32, dict(cache='/tmp'))
