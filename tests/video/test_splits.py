from collections import Counter

import pytest

from leokit.utils import UserError
from leokit.video import split_identities

PEOPLE = [f'person {number}' for number in range(200)]


def test_fractions_are_met_and_people_are_not_divided():
    splits = split_identities(PEOPLE * 3, (0.8, 0.1, 0.1))
    assert Counter(splits.values()) == dict(train=160, val=20, test=20)
    assert set(splits) == set(PEOPLE)


def test_depends_on_names_and_seed_alone():
    assert split_identities(PEOPLE) == split_identities(reversed(PEOPLE))
    assert split_identities(PEOPLE) != split_identities(PEOPLE, seed=1)


@pytest.mark.parametrize('count', [3, 4, 7])
def test_every_split_gets_somebody(count):
    splits = split_identities(PEOPLE[:count], (0.9, 0.05, 0.05))
    assert set(splits.values()) == {'train', 'val', 'test'} and len(splits) == count


def test_a_split_of_nothing_gets_nobody():
    assert Counter(split_identities(PEOPLE, (0.5, 0, 0.5)).values()) == dict(train=100, test=100)


@pytest.mark.parametrize('fractions', [(0.5, 0.5), (0.9, 0.2, -0.1), (0.5, 0.2, 0.2)])
def test_wrong_fractions(fractions):
    with pytest.raises(UserError, match='sum to 1'):
        split_identities(PEOPLE, fractions)


def test_too_few_people():
    with pytest.raises(UserError, match='2 identities'):
        split_identities(PEOPLE[:2])
