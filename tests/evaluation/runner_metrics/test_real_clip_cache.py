import pytest
import torch

from leokit.evaluation.runner_metrics.real_clip_cache import RealClipCache
from leokit.utils import UserError


def test_known_clips_are_not_computed_again():
    computed = []

    def compute(*values):
        computed.append(values)
        return list(values)

    cache = RealClipCache()
    first, second = dict(name='a', start=0), dict(name='a', start=torch.tensor(8))
    assert cache.get_or_compute([first, second], lambda: compute(1, 2)) == [1, 2]
    assert cache.get_or_compute([dict(name='a', start=8)], lambda: compute(9)) == [2]
    assert cache.get_or_compute([second, dict(name='b', start=0)], lambda: compute(2, 3)) == [2, 3]
    assert computed == [(1, 2), (2, 3)]


def test_without_cache_all_is_computed():
    cache = RealClipCache(enabled=False)
    assert [cache.get_or_compute([{}], lambda: [value]) for value in (1, 2)] == [[1], [2]]


def test_clips_without_a_name():
    with pytest.raises(UserError, match='cache_real=False'):
        RealClipCache().get_or_compute([dict(name='a')], lambda: [1])
