import pytest
import torch
from engine.toys import ToyModel

from leokit.engine import EMAHook


class Wrapper:
    stepped = True

    def should_update(self):
        return self.stepped


class FakeRunner:
    resumed_from = None

    def __init__(self):
        torch.manual_seed(0)
        self.model, self.optim_wrapper, self.iter = ToyModel(), Wrapper(), 0


def step(runner, hook):
    with torch.no_grad():
        for weight in runner.model.parameters():
            weight += torch.randn(weight.shape)
    runner.model.steps += 1
    hook.after_train_iter(runner, runner.iter)
    runner.iter += 1


def test_the_average_follows_the_formula():
    runner, hook = FakeRunner(), EMAHook(decay=0.3)
    hook.before_train(runner)
    weight = runner.model.encoder[0].weight
    expected = weight.detach().clone()
    for n in range(6):
        step(runner, hook)
        decay = min(0.3, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * weight.detach()
    torch.testing.assert_close(hook._averages['encoder.0.weight'], expected)
    assert hook._averages['steps'] == 6  # integers are copied
    assert not any('discriminator' in key for key in hook._averages)


def test_entries_that_have_been_moved_are_skipped():
    runner, hook = FakeRunner(), EMAHook(decay=0.5)
    hook.before_train(runner)
    pairs = hook.averages(runner.model)
    assert pairs.keys() == hook._averages.keys() and all(pairs[key][1] is hook._averages[key] for key in pairs)
    before = {key: tensor.clone() for key, tensor in hook._averages.items()}
    for value, _ in pairs.values():
        value += 2
    for weight in (0.25, torch.tensor(0.25)):
        hook.update(runner.model, weight, skip=pairs.keys() - {'encoder.0.weight', 'steps'})
    expected = before.pop('encoder.0.weight') + 2 * (1 - 0.75**2)
    torch.testing.assert_close(hook._averages['encoder.0.weight'], expected)
    assert hook._averages['steps'] == before.pop('steps') + 2
    assert all(torch.equal(hook._averages[key], tensor) for key, tensor in before.items())
    hook.update(runner.model, 0.5, skip=pairs.keys())  # nothing is left
    torch.testing.assert_close(hook._averages['encoder.0.weight'], expected)


def test_no_update_while_gradients_accumulate():
    runner, hook = FakeRunner(), EMAHook()
    hook.before_train(runner)
    runner.optim_wrapper.stepped = False
    before = hook._averages['encoder.0.weight'].clone()
    step(runner, hook)
    assert torch.equal(hook._averages['encoder.0.weight'], before)


def test_validation_uses_the_average_and_training_the_raw_weights():
    runner, hook = FakeRunner(), EMAHook(decay=0.9)
    hook.before_train(runner)
    step(runner, hook)
    raw = {key: tensor.clone() for key, tensor in runner.model.state_dict().items()}
    hook.before_val_epoch(runner)
    assert torch.equal(runner.model.encoder[0].weight, hook._averages['encoder.0.weight'])
    assert not torch.equal(runner.model.encoder[0].weight, raw['encoder.0.weight'])
    assert torch.equal(runner.model.discriminator.weight, raw['discriminator.weight'])
    hook.after_val_epoch(runner, metrics={})
    hook.after_interrupted_val(runner)  # nothing left to do
    assert all(torch.equal(tensor, raw[key]) for key, tensor in runner.model.state_dict().items())


def test_a_checkpoint_holds_the_average_and_resumes_with_both():
    runner, hook = FakeRunner(), EMAHook(decay=0.9)
    hook.before_train(runner)
    step(runner, hook)
    checkpoint = dict(state_dict=dict(runner.model.state_dict()))
    hook.before_save_checkpoint(runner, checkpoint)
    assert torch.equal(checkpoint['state_dict']['encoder.0.weight'], hook._averages['encoder.0.weight'])
    assert torch.equal(checkpoint['raw_state_dict']['encoder.0.weight'], runner.model.encoder[0].weight)
    assert torch.equal(checkpoint['state_dict']['discriminator.weight'], runner.model.discriminator.weight)
    assert 'discriminator.weight' not in checkpoint['raw_state_dict']

    resumed, other = FakeRunner(), EMAHook(decay=0.9)
    resumed.resumed_from = 'a.pth'
    other.after_load_checkpoint(resumed, checkpoint)
    other.before_train(resumed)
    assert all(torch.equal(tensor, hook._averages[key]) for key, tensor in other._averages.items())
    assert other._averages.keys() == hook._averages.keys()


def test_entries_that_an_old_checkpoint_lacks_start_from_the_model():
    runner, hook = FakeRunner(), EMAHook()
    runner.resumed_from = 'old.pth'
    state = {key: tensor.clone() for key, tensor in runner.model.state_dict().items() if key != 'steps'}
    hook.after_load_checkpoint(runner, dict(state_dict=state, raw_state_dict=state))
    step(runner, hook)
    assert hook._averages['steps'] == 1


def test_loading_without_resuming_starts_a_new_average():
    runner, hook = FakeRunner(), EMAHook()
    state = {key: torch.zeros_like(tensor) for key, tensor in runner.model.state_dict().items()}
    hook.after_load_checkpoint(runner, dict(state_dict=state, raw_state_dict=state))
    hook.before_train(runner)
    assert torch.equal(hook._averages['encoder.0.weight'], runner.model.encoder[0].weight)


def test_without_training_nothing_is_swapped():
    runner, hook = FakeRunner(), EMAHook()
    hook.before_test_epoch(runner)
    hook.after_test_epoch(runner)
    checkpoint = dict(state_dict={})
    hook.before_save_checkpoint(runner, checkpoint)
    assert checkpoint == dict(state_dict={})


def test_the_decay_is_checked():
    with pytest.raises(ValueError, match='decay'):
        EMAHook(decay=1.0)


def test_a_weight_on_the_device_gives_the_same_average():
    """As a CUDA graph needs it."""
    runner, hook = FakeRunner(), EMAHook()
    hook.before_train(runner)
    before = {key: tensor.clone() for key, tensor in hook._averages.items()}
    with torch.no_grad():
        for weight in runner.model.parameters():
            weight += 1
    hook.update(runner.model, torch.tensor(0.25))
    for key, average in hook._averages.items():
        assert not average.requires_grad
        if average.is_floating_point():
            torch.testing.assert_close(average, before[key] + (0.25 if 'running' not in key else 0))


def test_the_decay_is_0_999_by_default_and_may_be_0():
    assert EMAHook().decay_at(10**6) == 0.999
    assert EMAHook(decay=0).decay_at(5) == 0
    with pytest.raises(ValueError, match='decay'):
        EMAHook(decay=-1e-3)
