import hashlib
from collections import Counter

import pytest
from support.signatures import defaults

from leokit.utils import UserError
from leokit.video import split_identities, split_of

IDENTITIES = [f'person {number}' for number in range(200)]


def test_a_split_is_the_interval_that_holds_the_hash_of_the_name():
    for name in IDENTITIES[:20]:
        position = int(hashlib.sha256(f'0/{name}'.encode()).hexdigest()[:16], 16) / 16**16
        expected = 'train' if position < 0.9 else 'val' if position < 0.95 else 'test'
        assert split_of(name) == expected


def test_fractions_are_met_on_average_and_no_identity_is_in_two_splits():
    splits = split_identities([f'person {number}' for number in range(20_000)] * 2, (0.8, 0.1, 0.1))
    counts = Counter(splits.values())  # binomial: three standard deviations are 170 and 127
    assert abs(counts['train'] - 16_000) < 170 and abs(counts['val'] - 2000) < 127 and abs(counts['test'] - 2000) < 127
    assert len(splits) == 20_000


def test_depends_on_the_name_the_seed_and_the_fractions_alone():
    splits = split_identities(IDENTITIES)
    assert splits == split_identities(reversed(IDENTITIES))
    assert splits != split_identities(IDENTITIES, seed=1)
    others = split_identities([*IDENTITIES, *(f'new {number}' for number in range(500))])
    assert {name: others[name] for name in IDENTITIES} == splits  # added videos move nobody
    assert {name: split_of(name) for name in IDENTITIES[::7]} == {name: splits[name] for name in IDENTITIES[::7]}


def test_a_split_of_fraction_zero_is_empty():
    assert set(split_identities(IDENTITIES, (0.5, 0, 0.5)).values()) == {'train', 'test'}


@pytest.mark.parametrize('fractions', [(0.5, 0.5), (0.9, 0.2, -0.1), (0.5, 0.2, 0.2), (float('nan'), 0, 0),
                                       (float('inf'), 0, 0), (2, -1, 0)])
def test_wrong_fractions(fractions):
    with pytest.raises(UserError, match='sum to 1'):
        split_identities(IDENTITIES, fractions)


def test_an_empty_split_is_named(monkeypatch):
    said = []
    monkeypatch.setattr('leokit.video.splits.print_log', lambda message, **options: said.append(message))
    assert len(split_identities(['a', 'b', 'c', 'd'], (1, 0, 0))) == 4 and not said
    name = next(name for name in IDENTITIES if split_of(name) == 'train')
    assert split_identities([name]) == {name: 'train'}
    assert said == ['none of the 1 identities falls into val or test (fractions 0.9, 0.05, 0.05, seed 0); choose '
                    'larger fractions or another seed, or set the split of each video in a manifest']


def test_the_last_possible_hash_is_in_the_last_split_that_is_not_empty(monkeypatch):
    class Last:
        def digest(self):
            return b'\xff' * 32  # the position rounds to 1

    monkeypatch.setattr(hashlib, 'sha256', lambda text: Last())
    assert split_of('somebody', (0.5, 0.5, 0)) == 'val' and split_of('somebody', (1, 0, 0)) == 'train'


@pytest.mark.parametrize('first, split', [(0, 'train'), (127, 'train'), (128, 'val'), (191, 'val'), (192, 'test')])
def test_an_interval_begins_where_the_one_before_ends(monkeypatch, first, split):
    class Hash:
        def digest(self):
            return bytes([first, *[0] * 31])  # first / 256

    monkeypatch.setattr(hashlib, 'sha256', lambda text: Hash())
    assert split_of('somebody', (0.5, 0.25, 0.25)) == split


def test_the_sum_of_fractions_may_be_rounded_but_not_wrong():
    assert split_of('somebody', (0.9, 0.05, 0.0500005)) == split_of('somebody')
    for fractions in ((0.9, 0.05, 0.05001), (0.9, 0.05, 0.04999)):
        with pytest.raises(UserError, match='sum to 1'):
            split_of('somebody', fractions)


def test_defaults():
    for function in (split_of, split_identities):
        assert defaults(function) == dict(fractions=(0.9, 0.05, 0.05), seed=0)


def test_identities_are_listed_in_order():
    assert list(split_identities(reversed(IDENTITIES))) == sorted(IDENTITIES)
    with pytest.raises(UserError, match='sum to 1'):
        split_identities([], (0.5, 0.2, 0.2))
