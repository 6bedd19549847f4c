import os

import pytest
import torch

from leokit.datasets import ClipDataset, FramePairDataset, SampleKey, video_dataset
from leokit.utils import UserError


@pytest.fixture
def warnings(monkeypatch):
    said = []
    monkeypatch.setattr(video_dataset, 'print_log', lambda text, **options: said.append(text))
    return said


@pytest.fixture
def folder(clips, tmp_path):
    """Two readable videos and, between them, one whose first frame is readable but later ones are damaged."""
    whole = clips.write(tmp_path / 'data' / 'c.mp4', clips.frames(60), gop=250)
    clips.write(tmp_path / 'data' / 'a.mp4', clips.frames(60, seed=1))
    clips.damage(whole, tmp_path / 'data' / 'b.mp4')
    return tmp_path / 'data'


def test_an_unreadable_video_is_replaced_and_reported_once(folder, warnings):
    dataset = FramePairDataset(folder, 32)
    assert [video.name for video in dataset.videos] == ['a', 'b', 'c']
    names = [dataset[index]['data_samples']['name'] for index in range(3)]
    assert names == ['a', 'c', 'c']  # in evaluation, the next video replaces it
    assert [os.path.basename(file) for file, _ in dataset.skipped] == ['b.mp4']
    sampled = {dataset[SampleKey(number % 3, number)]['data_samples']['name'] for number in range(30)}
    assert sampled >= {'a', 'c'}
    assert len(warnings) == 1 and 'b.mp4' in warnings[0]  # one warning only


def test_a_replaced_sample_is_a_function_of_its_number(folder, warnings):
    first, second = FramePairDataset(folder, 32), FramePairDataset(folder, 32)
    for number in range(6):
        one, two = first[SampleKey(1, number)], second[SampleKey(1, number)]
        assert one['data_samples']['name'] == two['data_samples']['name']
        assert torch.equal(one['inputs']['source'], two['inputs']['source'])


def test_clips_of_an_unreadable_video_are_replaced(folder, warnings):
    dataset = ClipDataset(folder, 32, num_frames=20, clips='all')
    names = [dataset[index]['data_samples']['name'] for index in range(len(dataset))]
    assert names[:3] == ['a'] * 3 and names[6:] == ['c'] * 3 and 'c' in names[3:6]


def test_cache_and_memory_find_unreadable_videos_beforehand(folder, tmp_path):
    for frames in (dict(cache_dir=tmp_path / 'cache'), dict(in_memory=True)):
        dataset = FramePairDataset(folder, 32, frames=frames)
        assert [video.name for video in dataset.videos] == ['a', 'c'] and len(dataset) == 2
        assert [os.path.basename(file) for file, _ in dataset.skipped] == ['b.mp4']


def test_no_readable_video_is_an_error(clips, folder, tmp_path, warnings):
    for name in ('a.mp4', 'c.mp4'):
        (folder / name).unlink()
    with pytest.raises(UserError, match='none of the videos'):
        FramePairDataset(folder, 32, frames=dict(in_memory=True))
    with pytest.raises(UserError, match='in a row.*b.mp4'):
        FramePairDataset(folder, 32)[0]


def test_mmengine_gets_plain_metainfo(folder):
    assert FramePairDataset(folder, 32).metainfo == dict(dataset='FramePairDataset', data_root=str(folder))
