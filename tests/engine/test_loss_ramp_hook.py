from types import SimpleNamespace

import pytest

from leokit.engine import LossRampHook
from leokit.utils import UserError


def runner_with(*losses):
    return SimpleNamespace(iter=0, model=SimpleNamespace(losses=[
        SimpleNamespace(name=name, weight=weight) for name, weight in losses]))


def test_the_weight_rises_to_its_full_value_and_the_others_stay():
    runner = runner_with(('l1', 1.0), ('perceptual', 0.4))
    hook = LossRampHook('perceptual', 100, start=0.25)
    hook.before_train(runner)
    seen = []
    for runner.iter in (0, 50, 100, 1000):
        hook.before_train_iter(runner, runner.iter)
        seen.append(runner.model.losses[1].weight)
    assert seen == pytest.approx([0.1, 0.25, 0.4, 0.4])
    assert runner.model.losses[0].weight == 1.0
    runner.iter = 50
    hook.before_train_iter(runner, 50)
    hook.after_train(runner)
    assert runner.model.losses[1].weight == 0.4


def test_the_ramp_can_begin_later():
    runner = runner_with(('perceptual', 2.0))
    hook = LossRampHook('perceptual', 300, start=0.0, begin=100)
    hook.before_train(runner)
    seen = []
    for runner.iter in (0, 100, 200, 300, 400):
        hook.before_train_iter(runner, runner.iter)
        seen.append(runner.model.losses[0].weight)
    assert seen == pytest.approx([0.0, 0.0, 1.0, 2.0, 2.0])
    with pytest.raises(UserError, match='needs 0 <= begin < end'):
        LossRampHook('perceptual', 100, begin=100)


def test_invalid_arguments_are_errors():
    with pytest.raises(UserError, match='no loss .perceptual.; its losses are l1'):
        LossRampHook('perceptual', 100).before_train(runner_with(('l1', 1.0)))
    with pytest.raises(UserError, match='start from 0 to 1'):
        LossRampHook('l1', 100, start=2)
    with pytest.raises(UserError, match='needs 0 <= begin < end'):
        LossRampHook('l1', 0)


def test_an_adversarial_loss_may_start_later_too():
    runner = runner_with(('l1', 1.0))
    runner.model.adversarial = SimpleNamespace(name='adversarial', weight=0.2)
    hook = LossRampHook('adversarial', 20, start=0.0, begin=10)
    hook.before_train(runner)
    seen = []
    for runner.iter in (0, 10, 15, 20):
        hook.before_train_iter(runner, runner.iter)
        seen.append(runner.model.adversarial.weight)
    assert seen == pytest.approx([0.0, 0.0, 0.1, 0.2]) and runner.model.losses[0].weight == 1.0


def test_the_limits_of_the_arguments():
    hook = LossRampHook('l1', 1)
    assert (hook.start, hook.begin) == (0.1, 0)
    for start in (0, 1):
        assert LossRampHook('l1', 2, start=start, begin=1).start == start
    for options in (dict(begin=-1), dict(start=-0.1), dict(start=1.1), dict(begin=5)):
        with pytest.raises(UserError, match='needs 0 <= begin < end'):
            LossRampHook('l1', 5, **options)
