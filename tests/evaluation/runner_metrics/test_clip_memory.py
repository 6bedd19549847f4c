import pytest
import torch

from leokit.evaluation.runner_metrics.clip_memory import ClipMemory
from leokit.utils import UserError


def test_known_clips_are_not_computed_again():
    asked = []

    def compute(*values):
        asked.append(values)
        return list(values)

    memory = ClipMemory()
    first, second = dict(name='a', start=0), dict(name='a', start=torch.tensor(8))
    assert memory.recall([first, second], lambda: compute(1, 2)) == [1, 2]
    assert memory.recall([dict(name='a', start=8)], lambda: compute(9)) == [2]
    assert memory.recall([second, dict(name='b', start=0)], lambda: compute(2, 3)) == [2, 3]
    assert asked == [(1, 2), (2, 3)]


def test_without_memory_all_is_computed():
    memory = ClipMemory(enabled=False)
    assert [memory.recall([{}], lambda: [value]) for value in (1, 2)] == [[1], [2]]


def test_clips_without_a_name():
    with pytest.raises(UserError, match='remember_real=False'):
        ClipMemory().recall([dict(name='a')], lambda: [1])
