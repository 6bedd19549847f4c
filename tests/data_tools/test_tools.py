"""Statistics, checks, splits, merging and cards of small datasets whose numbers are known."""

import json
import shutil

import cv2
import numpy as np
import pytest
from support.calling import run_command

from leokit.data_tools import integrity, splitting
from leokit.data_tools.data_items import read_items
from leokit.data_tools.identity_clusters import cluster, cluster_identities
from leokit.data_tools.integrity import check_data, compare_data, shared_identities
from leokit.data_tools.merging import merge_data
from leokit.data_tools.splitting import split_data
from leokit.data_tools.statistics import data_statistics, distribution
from leokit.datasets import CodeCacheWriter
from leokit.utils import UserError
from leokit.utils.hashing import file_sha256
from leokit.video import read_manifest, split_of, write_manifest

LENGTHS = (10, 20, 20, 50)


@pytest.fixture(scope='module')
def original(tmp_path_factory, clips):
    """Four videos of three people, of 10, 20, 20 and 50 frames at 25 frames per second; b and c are one person."""
    folder = tmp_path_factory.mktemp('original')
    for name, length, seed in zip('abcd', LENGTHS, range(4)):
        clips.write(folder / f'{name}.mp4', clips.frames(length, 32, 96 if name == 'd' else 80, seed=seed), gop=5)
    rows = [dict(file=f'{name}.mp4', name=name, identity=person, split=split, take=number,
                 sha256=file_sha256(folder / f'{name}.mp4'))
            for number, (name, person, split) in enumerate(
                zip('abcd', ('p1', 'p2', 'p2', 'p3'), ('train', 'train', 'test', 'test')))]
    write_manifest(folder / 'manifest.json', rows)
    return folder


@pytest.fixture
def data(original, tmp_path):
    shutil.copytree(original, tmp_path / 'my data')
    return tmp_path / 'my data'


def edit(folder, **changes):
    """Change keys of all rows of a manifest: name of the video -> values."""
    rows = json.loads((folder / 'manifest.json').read_text())
    write_manifest(folder / 'manifest.json', [{**row, **changes.get(row['name'], {})} for row in rows])


def test_statistics_are_those_of_the_files(data):
    result = data_statistics(data)
    assert (result['videos'], result['identities'], result['frames']) == (4, 3, 100)
    assert result['hours'] == pytest.approx(100 / 25 / 3600)
    assert result['sizes'] == {'80x32': 3, '96x32': 1} and result['frame_rates'] == {'25': 4}
    assert result['splits']['train']['frames'] == 30 and result['splits']['test']['identities'] == 2
    seconds = result['length_seconds']
    assert [seconds[key] for key in ('min', 'median', 'mean', 'max')] == pytest.approx([0.4, 0.8, 1.0, 2.0])
    assert sum(seconds['counts']) == 4 and len(seconds['edges']) == len(seconds['counts']) + 1
    assert result['videos_per_identity']['counts'] == [2, 1]


def test_histograms_of_whole_numbers_have_a_bin_for_each():
    assert distribution([3, 5, 5])['edges'] == [2.5, 3.5, 4.5, 5.5]
    assert distribution([3, 5, 5])['counts'] == [1, 0, 2]
    assert distribution([7, 7])['counts'] == [2]


def test_motion_is_the_path_of_the_codes_per_second(data, tmp_path):
    steps = np.zeros((10, 2), np.float32)
    steps[::2, 0] = 2.0  # between 0 and 2: standard deviation 1, path 2 a frame, 50 a second
    animator = dict(weights_hash='ab' * 32, config='', checkpoint='')
    with CodeCacheWriter(tmp_path / 'codes', 2, animator=animator) as cache:
        cache.add('a', steps, identity='p1', split='train', fps=25.0)
    assert data_statistics(data, codes=tmp_path / 'codes')['motion']['mean'] == pytest.approx(50, rel=1e-6)


def test_stats_command_writes_json_and_a_picture(data, tmp_path, capsys):
    run_command('data stats', '--videos', data, '--out', tmp_path / 'o.json', '--plot', tmp_path / 'o.png')
    assert 'all         4           3     100' in capsys.readouterr().out
    assert json.loads((tmp_path / 'o.json').read_text())['frames'] == 100
    assert cv2.imread(str(tmp_path / 'o.png')).shape[1] == 900  # 6 inches at 150 dots


def test_people_in_two_splits_are_found(data):
    check = check_data(data)
    assert check.shared_identities == {'p2': ['test', 'train']}
    assert len(check.problems()) == 1 and 'leokit data split' in check.problems()[0]


def test_missing_changed_broken_and_copied_files_are_named(data):
    edit(data, b=dict(frames=21), c=dict(identity='p3'))
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
    edit(data, a=dict(split='val'), b=dict(sha256=None), d=dict(name='e'))
    sentences = compare_data(original, data)
    assert [sentence.splitlines()[1].strip() for sentence in sentences] == ['d', 'e', 'a: train and val', 'b']


def test_check_command_fails_if_there_are_problems(data, original, tmp_path, capsys):
    assert run_command('data check', '--videos', data, '--out', tmp_path / 'check.json') == 1
    assert 'p2: test, train' in capsys.readouterr().out
    assert json.loads((tmp_path / 'check.json').read_text())['shared_identities'] == {'p2': ['test', 'train']}
    assert run_command('data check', '--videos', data, '--same-as', original) == 0
    assert 'hold the same data' in capsys.readouterr().out
    edit(data, c=dict(split='train'))
    run_command('data check', '--videos', data)
    assert '4 videos, no problem found; data hash' in capsys.readouterr().out


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
    edit(data, a=dict(sha256=None), d=dict(sha256=None), b=dict(identity='p4'))
    check = check_data(data, near_duplicates=True)
    assert [(pair['first'], pair['second'], pair['splits']) for pair in check.near_duplicates] == \
        [('a', 'd', ['train', 'test'])]
    assert 'different splits show the same recording' in check.problems()[0]


def test_faces_in_two_splits_are_found(data, monkeypatch):
    monkeypatch.setattr(integrity, 'cluster_identities', lambda videos, **options: ['p1', 'p2', None, 'p1'])
    assert check_data(data, faces=True).shared_faces == [dict(identities=['p1', 'p3'], splits=['test', 'train'])]


def test_split_and_merge_commands_write_manifests(data, original, tmp_path, capsys):
    out = tmp_path / 'split.csv'
    run_command('data split', '--videos', data, '--out', out, '--split-fractions', 1, 0, 0)
    assert 'train: 4 videos of 3 identities' in capsys.readouterr().out
    assert shared_identities(read_items(out)) == {} and read_manifest(out)[0].path.exists()
    with pytest.raises(UserError, match='--overwrite'):
        run_command('data split', '--videos', data, '--out', out)
    run_command('data merge', data, original, '--out', tmp_path / 'both.json', '--prefixes', 'x', 'y')
    assert '8 videos of 6 identities from 2 datasets' in capsys.readouterr().out


def part(folder, rows):
    folder.mkdir()
    for row in rows:
        (folder / row['file']).write_bytes(row['file'].encode())
    write_manifest(folder / 'manifest.json', rows)
    return folder


def test_merging_keeps_labels_and_names_the_origin(tmp_path):
    one = part(tmp_path / 'one', [dict(file='a.mp4', identity='p', split='train', fps=25)])
    two = part(tmp_path / 'two', [dict(file='b.mp4', identity='q', split='test', take=3)])
    assert merge_data([one, two], tmp_path) == [
        dict(file='one/a.mp4', name='a', identity='p', split='train', fps=25, dataset='one'),
        dict(file='two/b.mp4', name='b', identity='q', split='test', take=3, dataset='two')]


def test_collisions_are_refused_or_resolved(tmp_path):
    one = part(tmp_path / 'one', [dict(file='a.mp4', identity='p', split='train')])
    two = part(tmp_path / 'two', [dict(file='a.mp4', identity='p', split='test')])
    with pytest.raises(UserError, match='1 names are in several .*a .one, two.*--prefixes'):
        merge_data([one, two], tmp_path)
    rows = merge_data([one, two], tmp_path, prefixes=['x', 'y'])
    assert [(row['name'], row['identity']) for row in rows] == [('x/a', 'x/p'), ('y/a', 'y/p')]
    three = part(tmp_path / 'three', [dict(file='c.mp4', identity='p', split='train')])
    with pytest.raises(UserError, match='1 identities are in several .*p .one, three.*--same-people'):
        merge_data([one, three], tmp_path)
    assert len(merge_data([one, three], tmp_path, same_people=True)) == 2
    four = part(tmp_path / 'four', [dict(file='d.mp4', identity='p', split='test')])
    with pytest.raises(UserError, match='several splits .*p: test, train.*leokit data split'):
        merge_data([one, four], tmp_path, same_people=True)


def test_a_file_in_two_datasets_is_kept_once(tmp_path):
    one = part(tmp_path / 'one', [dict(file='a.mp4', identity='p', split='train')])
    write_manifest(tmp_path / 'again.json', [dict(file='one/a.mp4', name='other', identity='p', split='train')])
    assert [row['name'] for row in merge_data([one, tmp_path / 'again.json'], tmp_path, same_people=True)] == ['a']
    write_manifest(tmp_path / 'again.json', [dict(file='one/a.mp4', name='other', identity='p', split='test')])
    with pytest.raises(UserError, match="with split 'train' and 'test'"):
        merge_data([one, tmp_path / 'again.json'], tmp_path)


@pytest.mark.parametrize('options, message', [
    (dict(prefixes=['x']), 'one prefix for each'), (dict(prefixes=['x', 'x']), 'all different'),
    (dict(prefixes=['x', 'y'], same_people=True), 'exclude')])
def test_contradictory_options_of_merging(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        merge_data([tmp_path, tmp_path], tmp_path, **options)
    with pytest.raises(UserError, match='at least two'):
        merge_data([tmp_path], tmp_path)


def test_cards_state_what_is_known_and_what_is_not(data, tmp_path, capsys):
    (data / 'preparation.json').write_text(json.dumps(dict(size=32, crop='center')))
    run_command('data card', '--videos', data, '--out', tmp_path / 'CARD.md', '--title', 'Faces <1>', '--license',
                'CC BY 4.0')
    text = (tmp_path / 'CARD.md').read_text()
    for part in ('# Faces &lt;1>', '| all | 4 | 3 | 100 |', '| train | 2 | 2 | 30 |', 'CC BY 4.0', '| size | 32 |',
                 check_data(data).hash, '1 identities are in several splits', '## Origin\n\nTo be stated.',
                 '![Distributions](CARD.png)'):
        assert part in text, part
    assert (tmp_path / 'CARD.png').exists()
    with pytest.raises(UserError, match='must end in .md'):
        run_command('data card', '--videos', data, '--out', tmp_path / 'card.html')


def test_clusters_merge_by_their_mean_distance():
    points = np.array([[0.0, 0], [0.3, 0], [0.62, 0], [3, 0]])
    # 0 and 0.3 first; the third is 0.62 and 0.32 away from them, 0.47 on average
    assert len(set(cluster(points, 0.46))) == 3 and len(set(cluster(points, 0.48))) == 2
    assert len(set(cluster(points[:1]))) == 1


def test_people_are_named_after_their_first_video(data):
    faces = dict(a=[0.0, 0], b=[5, 5], c=[5, 5.1], d=[0.1, 0])
    videos = [item.entry for item in read_items(data)]
    order = iter(faces.values())
    assert cluster_identities(videos, embed=lambda frames: np.array([next(order)])) == ['p1', 'p2', 'p2', 'p1']
    nobody = iter([np.zeros((0, 2)), np.ones((1, 2)), np.zeros((0, 2)), np.zeros((0, 2))])
    assert cluster_identities(videos, embed=lambda frames: next(nobody)) == [None, 'p2', 'p2', None]
