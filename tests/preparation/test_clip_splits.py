"""Published splits are kept without people in two of them; others come from hashes of identities."""

from leokit.preparation import ClipRecord
from leokit.preparation.clip_splits import assign_splits
from leokit.video import split_of


def records(*rows):
    return [ClipRecord(f'{identity}_{number}', identity, None, None, identity, split)
            for number, (identity, split) in enumerate(rows)]


def test_a_person_of_two_splits_stays_in_the_test():
    """As two people of the published table of VoxCeleb."""
    result = assign_splits(records(('a', 'train'), ('b', 'train'), ('b', 'test'), ('c', 'val')))
    assert [(record.name, record.split) for record in result.records] == [
        ('a_0', 'train'), ('b_2', 'test'), ('c_3', 'val')]
    assert [(drop.clip, drop.reason, drop.detail) for drop in result.dropped] == [
        ('b_1', 'split overlap', 'b is in train and test')]
    assert result.notes[0].startswith('1 identities are in two published splits (b)')


def test_a_missing_validation_split_is_taken_from_the_training_people():
    rows = [(f'p{number}', 'train') for number in range(400)] * 2 + [('t', 'test')]
    result = assign_splits(records(*rows), (.8, .1, .1))
    by_split = {split: {record.identity for record in result.records if record.split == split}
                for split in ('train', 'val', 'test')}
    assert by_split['test'] == {'t'} and not by_split['train'] & by_split['val']
    assert 25 < len(by_split['val']) < 65  # a ninth of 400 on average: 44 with a deviation of 6.3


def test_without_published_splits_names_decide():
    result = assign_splits(records(*((f'p{number}', None) for number in range(50))), (.5, .2, .3))
    assert all(record.split == split_of(record.identity, (.5, .2, .3)) for record in result.records)
