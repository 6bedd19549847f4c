from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from leokit.utils import UserError
from leokit.video import VideoEntry, VideoFilter
from leokit.video.video_filter import select_videos

ENTRIES = [VideoEntry(f'v{number}', Path(f'v{number}.mp4'), identity=f'p{number // 2}',
                      split='train' if number < 8 else 'test', category='face' if number % 2 else 'body')
           for number in range(12)]


def names(**wanted):
    return [entry.name for entry in select_videos(ENTRIES, VideoFilter(**wanted), 'root')]


@pytest.mark.parametrize('frames', [1, 2, 7, 10, 99, 160])
@pytest.mark.parametrize('cut', [0.1, 0.5, 0.8])
def test_segments_that_touch_share_no_frame(frames, cut):
    first = VideoFilter(segment=(0, cut)).bounds(frames)
    second = VideoFilter(segment=(cut, 1)).bounds(frames)
    assert first[0] == 0 and first[1] == second[0] and second[1] == frames


def test_from_config():
    wanted = VideoFilter.from_config(dict(split='train', segment=[0, 0.8], min_frames=5), min_frames=3)
    assert wanted.split == 'train' and wanted.min_frames == 5
    assert VideoFilter.from_config(dict(min_frames=2), min_frames=9).min_frames == 9
    assert VideoFilter.from_config(None) == VideoFilter()


@pytest.mark.parametrize('config, message', [
    (dict(splits='train'), 'splits'), (dict(segment=(0.5, 0.5)), 'segment'), (dict(segment=(0, 2)), 'segment'),
    (dict(identities='anna'), 'lists'), (dict(min_frames='x'), 'min_frames must be an integer'), (5, 'must be a dict')])
def test_wrong_configs(config, message):
    with pytest.raises(UserError, match=message):
        VideoFilter.from_config(config)


def test_each_filter():
    assert names() == [entry.name for entry in ENTRIES]
    assert names(split='test') == ['v8', 'v9', 'v10', 'v11']
    assert len(names(split=['train', 'test'])) == 12
    assert names(category='face', split='test') == ['v9', 'v11']
    assert names(identities=['p5', 'p0']) == ['v0', 'v1', 'v10', 'v11']
    assert names(exclude_identities=['p0', 'p1', 'p2', 'p3']) == ['v8', 'v9', 'v10', 'v11']


def test_an_excluded_identity_may_be_in_another_split():
    assert names(split='test', exclude_identities=['p0']) == ['v8', 'v9', 'v10', 'v11']


@pytest.mark.parametrize('wanted, message', [
    (dict(split='valid'), 'there are: test, train'), (dict(category='cat'), 'there are: body, face'),
    (dict(identities=['anna']), "'anna'"), (dict(exclude_identities=['anna']), "'anna'"),
    (dict(split='train', identities=['p5']), 'leaves no video')])
def test_missing_labels_are_named(wanted, message):
    with pytest.raises(UserError, match=message):
        names(**wanted)


def test_identities_are_divided_by_name_if_there_are_no_splits():
    entries = [VideoEntry(f'v{number}', Path(f'{number}.mp4'), identity=f'p{number // 3}') for number in range(60)]
    parts = {split: {entry.identity for entry in select_videos(entries, VideoFilter(split=split), 'root')}
             for split in ('train', 'val', 'test')}
    # the fractions that the hashes of p16 and p19 stand for are 0.9749 and 0.9019, of all others below 0.9
    assert parts['test'] == {'p16'} and parts['val'] == {'p19'} and len(parts['train']) == 18
    fewer = [entry for entry in entries if entry.identity != 'p3']
    assert {entry.identity for entry in select_videos(fewer, VideoFilter(split='test'), 'root')} == {'p16'}
    with pytest.raises(UserError, match='none of the 1 identities of root, which has no splits, falls into test'):
        select_videos(entries[:3], VideoFilter(split='test'), 'root')
    assert len(select_videos(entries[:3], VideoFilter(split='train'), 'root')) == 3


def test_an_identity_in_several_splits_is_named():
    entries = [replace(entry, identity='anna') for entry in ENTRIES]
    messages = []
    with mock.patch('leokit.video.video_filter.warn_listed', lambda *parts: messages.append(parts)):
        select_videos(entries, VideoFilter(split='train'), 'root')
        select_videos(ENTRIES, VideoFilter(split='train'), 'root')
    assert len(messages) == 1 and messages[0][1] == ['anna: test, train']
