"""Joining manifests: what collides, and what is kept."""

import pytest
from support.datasets import write_dataset

from leokit.data_tools.merging import merge_data
from leokit.utils import UserError
from leokit.video import write_manifest


def test_merging_keeps_labels_and_names_the_origin(tmp_path):
    one = write_dataset(tmp_path / 'one', [dict(file='a.mp4', identity='p', split='train', fps=25)])
    two = write_dataset(tmp_path / 'two', [dict(file='b.mp4', identity='q', split='test', take=3)])
    assert merge_data([one, two], tmp_path) == [
        dict(file='one/a.mp4', name='a', identity='p', split='train', fps=25, dataset='one'),
        dict(file='two/b.mp4', name='b', identity='q', split='test', take=3, dataset='two')]


def test_categories_are_given_to_videos_without_one(tmp_path):
    one = write_dataset(tmp_path / 'one', [dict(file='a.mp4', category='clip'), dict(file='b.mp4')])
    two = write_dataset(tmp_path / 'two', [dict(file='c.mp4')])
    rows = merge_data([one, two], tmp_path, categories=['real', 'drawn'])
    assert [(row['name'], row['category']) for row in rows] == [('a', 'clip'), ('b', 'real'), ('c', 'drawn')]


def test_collisions_are_refused_or_resolved(tmp_path):
    one = write_dataset(tmp_path / 'one', [dict(file='a.mp4', identity='p', split='train')])
    two = write_dataset(tmp_path / 'two', [dict(file='a.mp4', identity='p', split='test')])
    with pytest.raises(UserError, match='1 names are in several .*a .one, two.*--prefixes'):
        merge_data([one, two], tmp_path)
    rows = merge_data([one, two], tmp_path, prefixes=['x', 'y'])
    assert [(row['name'], row['identity']) for row in rows] == [('x/a', 'x/p'), ('y/a', 'y/p')]
    three = write_dataset(tmp_path / 'three', [dict(file='c.mp4', identity='p', split='train')])
    with pytest.raises(UserError, match='1 identities are in several .*p .one, three.*--same-people'):
        merge_data([one, three], tmp_path)
    assert len(merge_data([one, three], tmp_path, same_people=True)) == 2
    four = write_dataset(tmp_path / 'four', [dict(file='d.mp4', identity='p', split='test')])
    with pytest.raises(UserError, match='several splits .*p: test, train.*leokit data split'):
        merge_data([one, four], tmp_path, same_people=True)


def test_a_file_in_two_datasets_is_kept_once(tmp_path):
    one = write_dataset(tmp_path / 'one', [dict(file='a.mp4', identity='p', split='train')])
    write_manifest(tmp_path / 'again.json', [dict(file='one/a.mp4', name='other', identity='p', split='train')])
    assert [row['name'] for row in merge_data([one, tmp_path / 'again.json'], tmp_path, same_people=True)] == ['a']
    write_manifest(tmp_path / 'again.json', [dict(file='one/a.mp4', name='other', identity='p', split='test')])
    with pytest.raises(UserError, match="with split 'train' and 'test'"):
        merge_data([one, tmp_path / 'again.json'], tmp_path)


@pytest.mark.parametrize('options, message', [
    (dict(prefixes=['x']), 'one prefix for each'), (dict(prefixes=['x', 'x']), 'all different'),
    (dict(prefixes=['x', 'y'], same_people=True), 'exclude'),
    (dict(categories=['x']), 'one category for each of the 2 datasets, got x')])
def test_contradictory_options_of_merging(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        merge_data([tmp_path, tmp_path], tmp_path, **options)
    with pytest.raises(UserError, match='at least two'):
        merge_data([tmp_path], tmp_path)
