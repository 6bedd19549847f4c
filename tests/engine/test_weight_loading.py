import pytest
import torch
from torch import nn

from leokit.engine import load_weights
from leokit.engine.weight_loading import conventions
from leokit.utils import UserError


def model(width=3):
    parts = nn.ModuleDict(dict(encoder=nn.Linear(width, 2), discriminator=nn.Linear(2, 1)))
    return parts


def test_weights_load_completely_or_not_at_all():
    target, before = model(), model().state_dict()
    target.load_state_dict(before)
    state = {key: torch.ones_like(tensor) for key, tensor in before.items()}
    del state['encoder.bias']
    state['decoder.bias'] = torch.zeros(1)
    with pytest.raises(UserError, match=r'1 keys are missing \(encoder\.bias\); 1 are unexpected \(decoder\.bias\)'):
        load_weights(target, state, source='x.pth')
    assert all(torch.equal(tensor, before[key]) for key, tensor in target.state_dict().items())
    assert load_weights(target, state, source='x.pth', strict=False) == ['encoder.bias', 'decoder.bias']
    assert target['encoder'].weight.eq(1).all() and torch.equal(target['encoder'].bias, before['encoder.bias'])


def test_other_shapes_are_named():
    with pytest.raises(UserError, match=r'encoder\.weight: \(2, 4\) instead of \(2, 3\).*config differs'):
        load_weights(model(3), model(4).state_dict(), source='x.pth')


def test_training_only_modules_may_be_missing_or_unexpected():
    state = model().state_dict()
    generator = {key: tensor for key, tensor in state.items() if key.startswith('encoder')}
    assert len(load_weights(model(), generator, source='x', optional=('discriminator',))) == 2
    target = nn.ModuleDict(dict(encoder=nn.Linear(3, 2)))
    assert len(load_weights(target, state, source='x', optional=('discriminator',))) == 2
    with pytest.raises(UserError):
        load_weights(target, state, source='x')


@pytest.mark.parametrize('state, meta, cause', [
    ({'a': torch.zeros(1)}, dict(model='MotionDiffusion'), 'a checkpoint of MotionDiffusion, and the config builds'),
    ({'module.encoder.bias': torch.zeros(2)}, {}, "begin with 'module.'"),
    ({'a': torch.zeros(1)}, {}, 'the two share no key')])
def test_the_likely_cause_is_named(state, meta, cause):
    with pytest.raises(UserError, match=cause):
        load_weights(model(), state, source='x.pth', meta=meta)


class Convention(nn.Linear):
    def __init__(self, grid):
        super().__init__(2, 1)
        self.conventions = dict(grid=grid)


def test_conventions_are_compared():
    ours = nn.Sequential(Convention('exact'), nn.Linear(1, 1))
    assert conventions(ours) == dict(grid='exact')
    state = ours.state_dict()
    for meta in (None, {}, dict(conventions={}), dict(conventions=dict(grid='exact', other=1))):
        load_weights(ours, state, source='x.pth', meta=meta)
    meta = dict(conventions=dict(grid='lia'))
    with pytest.raises(UserError, match="x.pth was trained with grid='lia', but the config builds .* grid='exact'"):
        load_weights(ours, state, source='x.pth', meta=meta)
    load_weights(ours, state, source='x.pth', meta=meta, strict=False)


def test_weights_of_another_model_are_an_error():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with pytest.raises(UserError, match='x.pth does not fit the model: only 0 of its 4 keys match'):
        load_weights(model, {'other.weight': torch.zeros(2, 2)}, source='x.pth', strict=False)


@pytest.mark.parametrize('value, problem', [
    (torch.full((2, 2), float('nan')), 'not finite'), (torch.tensor([[1., 2.], [3., float('inf')]]), 'not finite'),
    (torch.ones(2, 2, dtype=torch.int64), 'numbers of type torch.int64'),
    (torch.ones(2, 2, dtype=torch.complex64), 'numbers of type torch.complex64')])
def test_damaged_values_are_named(value, problem):
    linear = nn.Linear(2, 2)
    with pytest.raises(UserError, match=f'x.pth is damaged: weight has .*{problem}'):
        load_weights(linear, {**linear.state_dict(), 'weight': value}, source='x.pth')


def test_half_precision_weights_load():
    linear = nn.Linear(2, 2)
    state = {key: value.half() for key, value in linear.state_dict().items()}
    load_weights(linear, state, source='x.pth')
    assert linear.weight.dtype == torch.float32 and torch.equal(linear.weight.half(), state['weight'])
