"""Frames and their codes; the codes of these tests are (number of the video, number of the frame)."""

import numpy as np
import pytest
import torch

from leokit.datasets import CodeCache, CodeCacheWriter, CodedFrameDataset, SampleKey
from leokit.registry import DATASETS
from leokit.utils import UserError
from leokit.video import VideoIndex

SIZE = 80  # the bars of the frame number need this size
HASH = 'ab' * 32


def write_codes(folder, index, change=None):
    """Write codes of all videos of an index; ``change`` maps video names to another number of codes, or None."""
    with CodeCacheWriter(folder, 2, animator=dict(weights_hash=HASH, config='', checkpoint='')) as writer:
        for number, video in enumerate(index):
            count = (change or {}).get(video.name, video.frames)
            if count is None:
                writer.skip(video.path, 'it is broken')
            elif count:
                codes = np.stack([np.full(count, number), np.arange(count)], axis=1).astype(np.float32)
                writer.add(video.name, codes, identity=video.identity, split=video.split, fps=video.fps)
    return folder


@pytest.fixture(scope='module')
def video_folder(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    for seed, (name, count) in enumerate([('a', 20), ('deep/b', 31), ('deep/c', 12)]):
        clips.write(folder / f'{name}.mp4', clips.frames(count, SIZE, SIZE, seed))
    return folder


@pytest.fixture(scope='module')
def codes(video_folder, tmp_path_factory):
    # in another order than the videos
    return write_codes(tmp_path_factory.mktemp('cache') / 'codes', list(VideoIndex(video_folder))[::-1])


def build(video_folder, codes, size=SIZE, **options):
    return DATASETS.build(dict(type='CodedFrameDataset', data_root=video_folder, size=size, codes_dir=codes, **options))


def check(clips, dataset, item):
    """Check that frame and code match."""
    names = [video.name for video in VideoIndex(dataset.metainfo['data_root'])][::-1]
    sample, (owner, number) = item['data_samples'], item['inputs']['motion'].tolist()
    assert names[int(owner)] == sample['name'] and number == sample['start']
    assert clips.number(item['inputs']['frame'].permute(1, 2, 0).numpy()) == number


@pytest.mark.parametrize('frames', [None, dict(in_memory=True)])
def test_frames_and_codes_match(clips, video_folder, codes, frames):
    dataset = build(video_folder, codes, frames=frames, frames_per_video=4, filters=dict(segment=(0.3, 1.0)))
    assert len(dataset) == 12 and dataset.motion_dim == 2 and dataset.animator_hash == HASH
    for index in range(len(dataset)):
        check(clips, dataset, dataset[index])
        check(clips, dataset, dataset[SampleKey(index, index)])
    item = dataset[0]
    assert item['inputs']['frame'].dtype == torch.uint8 and item['inputs']['frame'].shape == (3, SIZE, SIZE)
    assert item['inputs']['motion'].dtype == torch.float32
    assert set(item['data_samples']) == {'name', 'identity', 'start'}


def test_evaluation_frames_are_fixed_and_evenly_spaced(video_folder, codes):
    dataset = build(video_folder, codes, 16, frames_per_video=4)
    starts = [dataset[index]['data_samples']['start'] for index in range(4)]
    assert starts == [2, 7, 12, 17]  # of 20 frames
    assert build(video_folder, codes, 16)[0]['data_samples']['start'] == 10
    with pytest.raises(IndexError):
        dataset[12]


def test_training_frames_are_a_random_function_of_the_key(video_folder, codes):
    dataset, twin = (build(video_folder, codes, 16, frames=dict(in_memory=True)) for _ in range(2))
    starts = [dataset[SampleKey(0, number)]['data_samples']['start'] for number in range(200)]
    assert set(starts) == set(range(20))
    assert starts[:20] == [twin[SampleKey(0, number)]['data_samples']['start'] for number in range(20)]
    assert [dataset[SampleKey(index, 7)]['data_samples']['name'] for index in range(3)] == [
        video.name for video in dataset.videos]


def test_statistics_are_those_of_the_codes_in_use(video_folder, codes):
    statistics = build(video_folder, codes, 16, filters=dict(segment=(0.0, 0.5))).statistics()
    cache = CodeCache(codes)
    used = np.concatenate([cache.codes[video.offset:video.offset + round(video.length / 2)] for video in cache.videos])
    assert set(statistics) == {'mean', 'std'}
    assert statistics['mean'] == pytest.approx(used.mean(0)) and statistics['std'] == pytest.approx(used.std(0))


def test_codes_of_another_animator_are_refused(video_folder, codes):
    build(video_folder, codes, 16, animator_hash=HASH)
    with pytest.raises(UserError, match='belong to different animators'):
        build(video_folder, codes, 16, animator_hash='cd' * 32)


def test_videos_and_codes_must_be_of_the_same_data(video_folder, tmp_path):
    index = VideoIndex(video_folder)
    name = index.videos[1].name
    shorter = write_codes(tmp_path / 'shorter', index, {name: 5})
    with pytest.raises(UserError, match='31 frames, but 5 codes .*extract the codes again'):
        build(video_folder, shorter, 16)
    with pytest.raises(UserError, match='there are no codes of .*leokit extract'):
        build(video_folder, write_codes(tmp_path / 'fewer', index, {name: 0}), 16)


def test_a_video_that_could_not_be_encoded_is_left_out(video_folder, tmp_path):
    index = VideoIndex(video_folder)
    name = index.videos[1].name
    dataset = build(video_folder, write_codes(tmp_path / 'codes', index, {name: None}), 16)
    assert len(dataset) == 2 and name not in [video.name for video in dataset.videos]
    assert [file for file, _ in dataset.skipped] == [str(index.videos[1].path)]


@pytest.mark.parametrize('options, text', [
    (dict(frames_per_video=0), 'frames_per_video'), (dict(weighting='size'), 'video, length, identity'),
    (dict(filters=dict(identity=1)), 'unknown key')])
def test_bad_options_are_refused(video_folder, codes, options, text):
    with pytest.raises(UserError, match=text):
        build(video_folder, codes, 16, **options)


def test_a_missing_cache_is_reported(video_folder, tmp_path):
    with pytest.raises(UserError, match='is not a code cache'):
        CodedFrameDataset(video_folder, 16, codes_dir=tmp_path / 'nothing')
