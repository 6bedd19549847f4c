"""Splits that share no people."""

import cv2
import numpy as np
import pytest
from support.calling import run_command
from support.datasets import edit_manifest

from leokit.data_tools import splitting
from leokit.data_tools.data_items import read_items
from leokit.data_tools.integrity import check_data, shared_identities
from leokit.data_tools.splitting import split_data
from leokit.utils import UserError
from leokit.video import read_manifest, split_of


def test_splits_follow_the_names_of_identities(data, tmp_path):
    rows = split_data(data, tmp_path, fractions=(0.4, 0.3, 0.3), seed=3)
    assert [row['split'] for row in rows] == [split_of(person, (0.4, 0.3, 0.3), seed=3)
                                              for person in ('p1', 'p2', 'p2', 'p3')]
    assert [row['take'] for row in rows] == [0, 1, 2, 3]  # other keys are kept
    assert rows[0]['file'] == 'my data/a.mp4'


def test_joined_identities_share_a_split(data, tmp_path, monkeypatch):
    monkeypatch.setattr(splitting, 'cluster_identities', lambda videos, **options: ['p1', 'p2', 'p2', 'p1'])
    rows = split_data(data, tmp_path, faces=True)
    assert [row['identity'] for row in rows] == ['p1', 'p2', 'p2', 'p1']
    assert rows[3]['original_identity'] == 'p3' and 'original_identity' not in rows[0]
    assert rows[3]['split'] == rows[0]['split'] == split_of('p1')


def test_recordings_seen_twice_share_a_split(data, clips, tmp_path):
    moving = np.roll(clips.frames(60, 64, 96, seed=5), 3, axis=1)
    clips.write(data / 'a.mp4', moving)
    clips.write(data / 'd.mp4', np.stack([cv2.resize(frame, (64, 48)) for frame in moving[10:]]))
    rows = split_data(data, tmp_path, near_duplicates=True)
    assert [row['identity'] for row in rows] == ['p1', 'p2', 'p2', 'p1']
    edit_manifest(data, a=dict(sha256=None), d=dict(sha256=None), b=dict(identity='p4'))
    check = check_data(data, near_duplicates=True)
    assert [(pair['first'], pair['second'], pair['splits']) for pair in check.near_duplicates] == \
        [('a', 'd', ['train', 'test'])]
    assert 'different splits show the same recording' in check.problems()[0]


def test_split_and_merge_commands_write_manifests(data, original, tmp_path, capsys):
    out = tmp_path / 'split.csv'
    run_command('data split', '--videos', data, '--out', out, '--split-fractions', 1, 0, 0)
    printed = capsys.readouterr().out
    assert 'train: 4 videos of 3 identities' in printed and 'no columns for sha256, take' in printed
    assert shared_identities(read_items(out)) == {} and read_manifest(out)[0].path.exists()
    with pytest.raises(UserError, match='--overwrite'):
        run_command('data split', '--videos', data, '--out', out)
    run_command('data merge', data, original, '--out', tmp_path / 'both.json', '--prefixes', 'x', 'y')
    assert '8 videos of 6 identities from 2 datasets' in capsys.readouterr().out


def test_videos_without_a_face_keep_their_identity_and_are_named(data, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(splitting, 'cluster_identities', lambda videos, **options: ['p1', None, 'p2', None])
    monkeypatch.setattr(splitting, 'warn_listed', lambda headline, lines: said.append((headline, lines)))
    assert [row['identity'] for row in split_data(data, tmp_path, faces=True)] == ['p1', 'p2', 'p2', 'p3']
    assert '2 in all' in said[0][0] and said[0][1] == [str(data / 'b.mp4'), str(data / 'd.mp4')]
