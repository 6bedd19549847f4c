from collections import Counter

import pytest

from leokit.utils import UserError
from leokit.video import split_identities

IDENTITIES = [f'person {number}' for number in range(200)]


def test_fractions_are_met_and_no_identity_is_in_two_splits():
    splits = split_identities(IDENTITIES * 3, (0.8, 0.1, 0.1))
    assert Counter(splits.values()) == dict(train=160, val=20, test=20)
    assert set(splits) == set(IDENTITIES)


def test_depends_on_names_and_seed_alone():
    assert split_identities(IDENTITIES) == split_identities(reversed(IDENTITIES))
    assert split_identities(IDENTITIES) != split_identities(IDENTITIES, seed=1)


@pytest.mark.parametrize('count', [3, 4, 7])
def test_every_split_gets_an_identity(count):
    splits = split_identities(IDENTITIES[:count], (0.9, 0.05, 0.05))
    assert set(splits.values()) == {'train', 'val', 'test'} and len(splits) == count


def test_a_split_of_fraction_zero_is_empty():
    assert Counter(split_identities(IDENTITIES, (0.5, 0, 0.5)).values()) == dict(train=100, test=100)


@pytest.mark.parametrize('fractions', [(0.5, 0.5), (0.9, 0.2, -0.1), (0.5, 0.2, 0.2)])
def test_wrong_fractions(fractions):
    with pytest.raises(UserError, match='sum to 1'):
        split_identities(IDENTITIES, fractions)


def test_too_few_identities():
    with pytest.raises(UserError, match='2 identities'):
        split_identities(IDENTITIES[:2])
