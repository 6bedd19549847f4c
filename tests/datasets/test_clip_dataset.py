import pytest
import torch
from torch.utils.data import default_collate

from leokit.datasets import ClipDataset, SampleKey
from leokit.utils import UserError

SIZE = 32


def starts(dataset):
    return [(item['data_samples']['name'], item['data_samples']['start'])
            for item in (dataset[index] for index in range(len(dataset)))]


def test_items_follow_the_contract(clips, tmp_path):
    clips.write(tmp_path / 'a.mp4', clips.frames(20, 96, 96))
    dataset = ClipDataset(tmp_path, 96, num_frames=4, stride=3)
    for index in (0, SampleKey(0, 3)):
        item = dataset[index]
        video, sample = item['inputs']['video'], item['data_samples']
        assert video.shape == (4, 3, 96, 96) and video.dtype == torch.uint8
        assert clips.numbers(video.permute(0, 2, 3, 1).numpy()) == [sample['start'] + 3 * k for k in range(4)]
        assert (sample['name'], sample['identity'], sample['fps']) == ('a', 'a', pytest.approx(25 / 3))


def test_fixed_clips(video_folder):
    assert starts(ClipDataset(video_folder, SIZE, num_frames=6)) == [('a', 0), ('deep/b ü#日本', 0), ('deep/c', 0)]
    assert starts(ClipDataset(video_folder, SIZE, num_frames=6, clips='center')) == [
        ('a', 7), ('deep/b ü#日本', 12), ('deep/c', 3)]
    assert starts(ClipDataset(video_folder, SIZE, num_frames=6, clips='all')) == [
        *(('a', start) for start in (0, 6, 12)), *(('deep/b ü#日本', start) for start in (0, 6, 12, 18, 24)),
        ('deep/c', 0), ('deep/c', 6)]
    # with stride 2 a clip covers 11 frames, and the next one begins 12 frames later
    assert starts(ClipDataset(video_folder, SIZE, num_frames=6, stride=2, clips='all')) == [
        ('a', 0), ('deep/b ü#日本', 0), ('deep/b ü#日本', 12), ('deep/c', 0)]


def test_a_limited_number_of_clips(video_folder):
    every = starts(ClipDataset(video_folder, SIZE, num_frames=6, clips='all'))
    some = starts(ClipDataset(video_folder, SIZE, num_frames=6, clips='all', max_clips=4))
    assert some == [every[number] for number in (0, 2, 5, 7)]
    assert starts(ClipDataset(video_folder, SIZE, num_frames=6, clips='all', max_clips=99)) == every
    with pytest.raises(UserError, match='max_clips must be at least 1'):
        ClipDataset(video_folder, SIZE, num_frames=6, max_clips=0)


def test_segments_and_short_videos(video_folder):
    dataset = ClipDataset(video_folder, SIZE, num_frames=8, clips='all', filters=dict(segment=(0.5, 1)))
    assert starts(dataset) == [('a', 10), ('deep/b ü#日本', 16)]
    assert [file.split('/')[-1] for file, _ in dataset.skipped] == ['c.mkv']


def test_training_clips_start_anywhere(video_folder):
    dataset = ClipDataset(video_folder, SIZE, num_frames=6, stride=2, filters=dict(identities=['a']))
    sampled = [dataset[SampleKey(0, number)]['data_samples']['start'] for number in range(120)]
    assert set(sampled) == set(range(20 - 11 + 1))
    assert sampled[:5] == [dataset[SampleKey(0, number)]['data_samples']['start'] for number in range(5)]


def test_items_collate(video_folder):
    batch = default_collate(list(ClipDataset(video_folder, SIZE, num_frames=3)))
    assert batch['inputs']['video'].shape == (3, 3, 3, SIZE, SIZE)
    assert batch['data_samples']['start'].tolist() == [0, 0, 0]


@pytest.mark.parametrize('options', [dict(num_frames=0), dict(num_frames=4, stride=0), dict(num_frames=50),
                                     dict(num_frames=4, clips='last')])
def test_wrong_options(video_folder, options):
    with pytest.raises(UserError):
        ClipDataset(video_folder, SIZE, **options)
