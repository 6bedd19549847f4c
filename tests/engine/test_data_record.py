import hashlib
import json

import pytest

from leokit.engine.data_record import (
    check_other_data, check_own_data, describe_data, named_checkpoints, shared_identities)
from leokit.utils import UserError


def part(*identities, root='/data/a', segment=(0.0, 1.0)):
    return dict(data_root=root, segment=list(segment), identities=list(identities))


@pytest.fixture
def manifest(tmp_path):
    rows = [dict(file=f'{name}{take}.mp4', identity=name, split=split) for take in range(2)
            for name, split in (('anna', 'train'), ('bert', 'val'), ('carl', 'test'), ('dora', 'train'))]
    (tmp_path / 'm.json').write_text(json.dumps(rows))
    return tmp_path / 'm.json'


def test_the_data_of_a_config_are_described_without_opening_a_video(manifest):
    def loader(**filters):
        return dict(dataset=dict(type='FramePairDataset', data_root=str(manifest), size=32, filters=filters,
                                 frames=dict(crop='none')))

    config = dict(train_dataloader=loader(split='train', segment=(0, 0.8)), val_dataloader=loader(split='val'),
                  test_dataloader=loader(identities=['carl']))
    described = describe_data(config)
    hashes = {name: part.pop('manifest_hash') for name, part in described.items() if name != 'crop'}
    lines = {'train': 'anna0\tanna\ttrain\t\nanna1\tanna\ttrain\t\ndora0\tdora\ttrain\t\ndora1\tdora\ttrain\t',
             'val': 'bert0\tbert\tval\t\nbert1\tbert\tval\t', 'test': 'carl0\tcarl\ttest\t\ncarl1\tcarl\ttest\t'}
    assert hashes == {name: hashlib.sha256(text.encode()).hexdigest() for name, text in lines.items()}
    assert described == dict(
        train=part('anna', 'dora', root=str(manifest), segment=(0.0, 0.8)), val=part('bert', root=str(manifest)),
        test=part('carl', root=str(manifest)), crop='none')
    config['test_dataloader'] = loader(split='nowhere')  # would be refused if it was built
    assert set(describe_data(config)) == {'train', 'val', 'crop'}
    assert describe_data(dict(train_dataloader=None)) == {}
    assert describe_data(dict(train_dataloader=dict(dataset=dict(data_root='nowhere')))) == {}


def test_parts_of_videos_that_only_touch_share_nothing():
    assert shared_identities(part('a', 'b'), part('b', 'c')) == ['b']
    assert shared_identities(part('a', segment=(0, 0.8)), part('a', segment=(0.8, 1))) == []
    assert shared_identities(part('a', segment=(0, 0.8)), part('a', segment=(0.7, 1))) == ['a']
    assert shared_identities(None, part('a')) == []


def test_overlaps_within_a_config_are_warnings():
    said = []
    check_own_data(dict(train=part('a'), val=part('b'), test=part('c')), said.append)
    assert not said
    check_own_data(dict(train=part('a'), val=part('a', 'b'), test=part('b')), said.append)
    assert len(said) == 2 and 'trains and validates on the same frames of 1 identities (a)' in said[0]
    assert 'validates and tests' in said[1]


@pytest.mark.parametrize('own, message', [
    (dict(test=part('x', 'a')), 'stage1.pth was trained on 1 identities .a. that this config tests on'),
    (dict(val=part('a')), 'stage1.pth was trained on 1 identities .a. that this config validates on'),
    (dict(train=part('t')), 'this config trains on 1 identities .t. that stage1.pth is tested on')])
def test_leaks_between_trainings_are_refused(own, message):
    other, said = dict(train=part('a', 'b'), test=part('t')), []
    with pytest.raises(UserError, match=f'{message}; .*check_identities=False'):
        check_other_data(own, other, 'stage1.pth', strict=True, warn=said.append)
    assert not said
    check_other_data(own, other, 'stage1.pth', strict=False, warn=said.append)
    assert len(said) == 1
    elsewhere = {key: dict(value, data_root='/data/b') for key, value in own.items()}
    check_other_data(elsewhere, other, 'stage1.pth', strict=True, warn=said.append)  # equal names of another dataset
    assert len(said) == 2


def test_a_config_that_validates_on_its_training_data_can_resume():
    own, said = dict(train=part('a', 'b', segment=(0, 0.8)), val=part('a', 'b', 'c', segment=(0, 0.8))), []
    check_other_data(own, dict(own, val=None), 'iter_2.pth', strict=True, warn=said.append)
    assert not said
    # c is of the validation alone
    with pytest.raises(UserError, match='trained on 1 identities .c. that this config validates on'):
        check_other_data(own, dict(train=part('a', 'c')), 'stage1.pth', strict=True, warn=said.append)
    # and a test on training data is still refused
    with pytest.raises(UserError, match='trained on 1 identities .a. that this config tests on'):
        check_other_data(dict(own, test=part('a')), dict(train=part('a')), 'x.pth', strict=True, warn=said.append)


def test_named_checkpoints():
    config = dict(animator=dict(config='a.py', checkpoint='a.pth'), model=dict(type='X'), size=3, first_stage=None)
    assert named_checkpoints(config) == dict(animator='a.pth')
