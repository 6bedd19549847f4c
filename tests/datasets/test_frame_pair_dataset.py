from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from leokit.datasets import DeterministicSampler, FramePairDataset, SampleKey
from leokit.registry import DATASETS
from leokit.utils import UserError
from leokit.video import write_manifest

SIZE = 48  # the bars of the frame number need this height


def samples(dataset, count):
    return [dataset[SampleKey(number % len(dataset), number)]['data_samples'] for number in range(count)]


def gaps(dataset, count=300):
    return np.array([abs(int(sample['frames'][0] - sample['frames'][1])) for sample in samples(dataset, count)])


@pytest.fixture
def one_video(clips, tmp_path):
    clips.write(tmp_path / 'one' / 'a.mp4', clips.frames(40, 48, 48))
    return tmp_path / 'one'


def test_items_follow_the_contract(video_folder):
    dataset = DATASETS.build(dict(type='FramePairDataset', data_root=str(video_folder), size=SIZE, _scope_='leokit'))
    for index in (0, SampleKey(0, 5)):
        item = dataset[index]
        assert {key: (value.dtype, tuple(value.shape)) for key, value in item['inputs'].items()} == {
            'source': (torch.uint8, (3, SIZE, SIZE)), 'driving': (torch.uint8, (3, SIZE, SIZE))}
        assert item['data_samples']['name'] == item['data_samples']['identity'] == 'a'
        assert item['data_samples']['frames'].dtype == torch.int64 and item['data_samples']['frames'].shape == (2,)


def test_frames_match_their_numbers(clips, tmp_path):
    clips.write(tmp_path / 'a.mp4', clips.frames(40, 96, 96))
    dataset = FramePairDataset(tmp_path, 96)
    for number in range(10):
        item = dataset[SampleKey(0, number)]
        shown = [clips.number(item['inputs'][key].permute(1, 2, 0).numpy()) for key in ('source', 'driving')]
        assert shown == item['data_samples']['frames'].tolist()


def test_evaluation_pairs_are_fixed_and_evenly_spaced(video_folder):
    dataset = FramePairDataset(video_folder, SIZE, pairs_per_video=3)
    assert len(dataset) == 9
    pairs = [dataset[index]['data_samples']['frames'].tolist() for index in range(9)]
    assert pairs[:3] == [[0, 6], [0, 13], [0, 19]]
    assert pairs[6:] == [[0, 4], [0, 7], [0, 11]]
    assert FramePairDataset(video_folder, SIZE)[1]['data_samples']['frames'].tolist() == [0, 30]
    with pytest.raises(IndexError):
        dataset[9]


def test_a_segment_bounds_all_pairs(video_folder):
    dataset = FramePairDataset(video_folder, SIZE, filters=dict(segment=(0.5, 1)))
    assert dataset[0]['data_samples']['frames'].tolist() == [10, 19]
    for number in range(60):
        sample = dataset[SampleKey(0, number)]['data_samples']
        assert sample['frames'].min() >= 10 and sample['frames'].max() <= 19


def test_a_sample_is_a_function_of_number_and_seed(video_folder):
    first, again = (FramePairDataset(video_folder, SIZE, seed=4) for _ in range(2))
    other = FramePairDataset(video_folder, SIZE, seed=5)
    for number in range(5):
        one, two = (dataset[SampleKey(1, number)]['inputs']['source'] for dataset in (first, again))
        assert torch.equal(one, two)
    assert [x['frames'].tolist() for x in samples(first, 20)] != [x['frames'].tolist() for x in samples(other, 20)]


def test_pairs_are_uniformly_distributed(one_video):
    dataset = FramePairDataset(one_video, 16, frames=dict(in_memory=True))
    pairs = [sample['frames'].tolist() for sample in samples(dataset, 1500)]
    assert all(source != driving for source, driving in pairs)
    counts = np.bincount(np.ravel(pairs), minlength=40)
    assert counts.min() > 40 and counts.max() < 110  # expected: 75
    assert 0.4 < np.mean([source < driving for source, driving in pairs]) < 0.6
    assert np.mean([abs(source - driving) for source, driving in pairs]) == pytest.approx(41 / 3, rel=0.1)


def test_far_pairs_can_be_preferred(one_video):
    far, near = (FramePairDataset(one_video, 16, frames=dict(in_memory=True), distance_power=power) for power in (3, 0))
    assert gaps(far).mean() > 1.5 * gaps(near).mean()
    both = gaps(FramePairDataset(one_video, 16, frames=dict(in_memory=True), distance_power=-1), 600)
    # probability of distance d: (40 - d) / d, so distances 1 and 2 are much more frequent than others
    assert (both <= 2).mean() == pytest.approx(0.46, abs=0.08) and (both >= 16).mean() > 0.05
    apart = gaps(FramePairDataset(one_video, 16, frames=dict(in_memory=True), min_gap=30))
    assert apart.min() == 30 and apart.max() > 34
    assert (gaps(FramePairDataset(one_video, 16, frames=dict(in_memory=True), min_gap=500), 20) == 39).all()


def test_weighting_by_identity_and_video(clips, tmp_path):
    rows = []
    for number in range(5):
        clips.write(tmp_path / f'{number}.mp4', clips.frames(6))
        rows.append(dict(file=f'{number}.mp4', identity='often' if number < 4 else 'once'))
    write_manifest(tmp_path / 'manifest.json', rows)
    memory = dict(in_memory=True)
    identities = Counter(sample['identity'] for sample in samples(
        FramePairDataset(tmp_path, 16, weighting='identity', frames=memory), 400))
    assert identities['once'] == pytest.approx(200, abs=50)
    by_video = Counter(sample['name'] for sample in samples(FramePairDataset(tmp_path, 16, frames=memory), 50))
    assert set(by_video.values()) == {10}


def test_shares_of_categories(clips, tmp_path):
    for number in range(5):
        clips.write(tmp_path / f'{number}.mp4', clips.frames(6))
    write_manifest(tmp_path / 'manifest.json', [
        dict(file=f'{number}.mp4', category='real' if number else 'drawn') for number in range(5)])
    dataset = FramePairDataset(tmp_path, 16, category_shares=dict(drawn=0.5), frames=dict(in_memory=True))
    names = Counter(sample['name'] for sample in samples(dataset, 400))
    assert names['0'] == pytest.approx(200, abs=50)
    assert len(names) == 5


def test_in_a_data_loader(video_folder, tmp_path):
    dataset = FramePairDataset(video_folder, SIZE, frames=dict(cache_dir=tmp_path))
    loader = DataLoader(dataset, batch_size=4, sampler=DeterministicSampler(dataset, 0), num_workers=2)
    batch = next(iter(loader))
    assert batch['inputs']['source'].shape == (4, 3, SIZE, SIZE) and batch['inputs']['source'].dtype == torch.uint8
    assert batch['data_samples']['frames'].shape == (4, 2) and len(batch['data_samples']['name']) == 4
    single = [dataset[key] for key in islice(DeterministicSampler(dataset, 0), 4)]
    assert torch.equal(batch['inputs']['driving'], torch.stack([item['inputs']['driving'] for item in single]))


@pytest.mark.parametrize('options', [
    dict(pairs_per_video=0), dict(min_gap=0), dict(weighting='size'),
    dict(filters=dict(split=['val', 'test'])), dict(filters=dict(min_frames=100))])
def test_wrong_options(one_video, options):
    with pytest.raises(UserError):
        FramePairDataset(one_video, SIZE, **options)
