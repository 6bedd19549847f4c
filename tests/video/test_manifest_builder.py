import pytest

from leokit.utils import UserError
from leokit.video import VideoFilter, VideoIndex, write_manifest
from leokit.video.manifest_builder import build_manifest, identity_of


def test_identity_from_a_pattern_or_the_folders():
    name = 'id07/talks/id07_clip3'
    assert identity_of(name) == name
    assert identity_of(name, parents=1) == 'id07' and identity_of(name, parents=2) == 'id07/talks'
    assert identity_of(name, pattern=r'id\d+') == 'id07'
    assert identity_of(name, pattern=r'(\w+)_clip') == 'id07'
    assert identity_of(name, pattern=r'(clip)(?P<identity>\d)') == '3'


@pytest.mark.parametrize('options, message', [
    (dict(pattern='['), 'not a regular expression'), (dict(pattern='xyz'), 'does not match'),
    (dict(pattern='(x)?clip'), 'matches an empty text'), (dict(parents=3), 'below 1 folders')])
def test_problems_are_named(options, message):
    with pytest.raises(UserError, match=message):
        identity_of('a/clip', **options)


def test_a_manifest_round_trip(clips, tmp_path):
    for person in range(4):
        for take in range(2):
            clips.write(tmp_path / f'person{person}' / f'take{take}.mp4', clips.frames(3 + take))
    rows = build_manifest(VideoIndex(tmp_path), tmp_path, parents=1, fractions=(0.5, 0.25, 0.25), seed=2)
    assert rows[1]['file'] == 'person0/take1.mp4' and rows[1]['frames'] == 4 and rows[1]['fps'] == 25.0
    write_manifest(tmp_path / 'manifest.json', rows)
    parts = {split: VideoIndex(tmp_path, VideoFilter(split=split)).videos for split in ('train', 'val', 'test')}
    identities = {split: {video.identity for video in videos} for split, videos in parts.items()}
    assert {split: len(videos) for split, videos in parts.items()} == dict(train=4, val=2, test=2)
    assert not identities['train'] & identities['val'] and not identities['val'] & identities['test']


def test_split_folders_are_kept_and_files_elsewhere_are_absolute(clips, tmp_path):
    for split in ('train', 'test'):
        clips.write(tmp_path / 'data' / split / 'a.mp4', clips.frames(3))
    rows = build_manifest(VideoIndex(tmp_path / 'data'), tmp_path / 'elsewhere')
    assert {(row['split'], row['file']) for row in rows} == {
        (split, str(tmp_path / 'data' / split / 'a.mp4')) for split in ('train', 'test')}
