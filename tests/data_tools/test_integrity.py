"""Checks of a dataset into which faults are planted."""

import json
import shutil

from support.calling import run_command
from support.datasets import edit_manifest

from leokit.data_tools import integrity
from leokit.data_tools.integrity import check_data, compare_data
from leokit.video import write_manifest


def test_people_in_two_splits_are_found(data):
    check = check_data(data)
    assert check.shared_identities == {'p2': ['test', 'train']}
    assert len(check.problems()) == 1 and 'leokit data split' in check.problems()[0]


def test_missing_changed_broken_and_copied_files_are_named(data):
    edit_manifest(data, b=dict(frames=21), c=dict(identity='p3'))
    (data / 'a.mp4').unlink()
    shutil.copy(data / 'd.mp4', data / 'c.mp4')
    (data / 'd.mp4').write_bytes(b'broken')
    check = check_data(data)
    assert check.missing == [str(data / 'a.mp4')] and check.changed == [str(data / 'c.mp4')]
    assert len(check.unreadable) == 1 and 'd.mp4' in check.unreadable[0]
    assert check.wrong_lengths == [f'{data / "b.mp4"}: 20 instead of 21'] and check.hash == ''
    shutil.copy(data / 'c.mp4', data / 'd.mp4')
    assert check_data(data).copies == ['d of c']


def test_the_hash_depends_on_data_and_labels_alone(data, tmp_path):
    before = check_data(data).hash
    rows = json.loads((data / 'manifest.json').read_text())
    (data / 'manifest.json').unlink()
    write_manifest(data / 'manifest.csv', rows[::-1])  # other order and format, without the hashes
    shutil.move(data, tmp_path / 'moved')
    assert check_data(tmp_path / 'moved').hash == before
    write_manifest(tmp_path / 'moved' / 'manifest.csv', [dict(rows[0], identity='p9'), *rows[1:]])
    assert check_data(tmp_path / 'moved').hash != before


def test_differences_of_two_datasets_are_named(original, data, clips):
    assert compare_data(original, data) == []
    clips.write(data / 'b.mp4', clips.frames(20, 32, 80, seed=9))
    edit_manifest(data, a=dict(split='val'), b=dict(sha256=None), d=dict(name='e'))
    sentences = compare_data(original, data)
    assert [sentence.splitlines()[1].strip() for sentence in sentences] == ['d', 'e', 'a: train and val', 'b']


def test_check_command_fails_if_there_are_problems(data, original, tmp_path, capsys):
    assert run_command('data check', '--videos', data, '--out', tmp_path / 'check.json') == 1
    assert 'p2: test, train' in capsys.readouterr().out
    assert json.loads((tmp_path / 'check.json').read_text())['shared_identities'] == {'p2': ['test', 'train']}
    assert run_command('data check', '--videos', data, '--same-as', original) == 0
    assert 'hold the same data' in capsys.readouterr().out
    edit_manifest(data, c=dict(split='train'))
    run_command('data check', '--videos', data)
    assert '4 videos, no problem found; data hash' in capsys.readouterr().out


def test_faces_in_two_splits_are_found(data, monkeypatch):
    monkeypatch.setattr(integrity, 'cluster_identities', lambda videos, **options: ['p1', 'p2', None, 'p1'])
    assert check_data(data, faces=True).shared_faces == [dict(identities=['p1', 'p3'], splits=['test', 'train'])]
