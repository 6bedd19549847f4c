import pytest
import torch
from mmengine.optim import CosineAnnealingLR, LinearLR, MultiStepLR, OneCycleLR, OptimWrapper
from torch import nn

from leokit.engine.resume_state import check_resumable, restore_optimizer, restore_schedulers, scheduler_states
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint

SCHEDULES = [
    lambda optimizer: [CosineAnnealingLR(optimizer, T_max=20, by_epoch=False)],
    lambda optimizer: [LinearLR(optimizer, start_factor=0.1, end=4, by_epoch=False),
                       MultiStepLR(optimizer, milestones=[6, 8, 8], by_epoch=False)],
    lambda optimizer: [OneCycleLR(optimizer, eta_max=0.5, total_steps=20, by_epoch=False)]]


def trained(schedule, groups, steps):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    settings = [dict(params=layer.parameters(), lr=0.1 / (index + 1)) for index, layer in enumerate(model)]
    wrapper = OptimWrapper(torch.optim.Adam(settings if groups == 2 else model.parameters(), lr=0.1))
    schedulers = schedule(wrapper)
    run(model, wrapper, schedulers, steps)
    return model, wrapper, schedulers


def run(model, wrapper, schedulers, steps):
    rates = []
    for _ in range(steps):
        wrapper.update_params(model(torch.ones(2, 3)).square().mean())
        for scheduler in schedulers:
            scheduler.step()
        rates.append(wrapper.get_lr())
    return rates


@pytest.mark.filterwarnings('ignore:Detected call')
@pytest.mark.parametrize('schedule', SCHEDULES)
@pytest.mark.parametrize('groups', [1, 2])
def test_optimizer_and_schedule_resume_exactly(tmp_path, schedule, groups):
    model, wrapper, schedulers = trained(schedule, groups, 7)
    save_checkpoint(dict(state_dict=model.state_dict(), optimizer=wrapper.state_dict(),
                         schedulers=scheduler_states(schedulers)), tmp_path / 'a.pth')
    state = load_checkpoint(tmp_path / 'a.pth')
    other, other_wrapper, other_schedulers = trained(schedule, groups, 0)
    other.load_state_dict(state['state_dict'])
    restore_optimizer(other_wrapper, state['optimizer'], 'a.pth')
    assert restore_schedulers(other_schedulers, state['schedulers'], 'a.pth') == []
    assert run(model, wrapper, schedulers, 5) == run(other, other_wrapper, other_schedulers, 5)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters()))


def test_schedulers_of_several_optimizers_keep_their_structure():
    _, _, schedulers = trained(SCHEDULES[0], 1, 3)
    packed = scheduler_states(dict(a=schedulers, b=[]))
    assert list(packed) == ['a', 'b'] and packed['a'][0]['last_step'] == 3
    assert scheduler_states(None) == []
    restore_schedulers(dict(a=schedulers, b=[]), packed, 'a.pth')


def test_differences_of_schedules_are_reported():
    _, _, old = trained(SCHEDULES[0], 1, 3)
    _, _, new = trained(lambda optimizer: [CosineAnnealingLR(optimizer, T_max=30, by_epoch=False)], 1, 0)
    assert restore_schedulers(new, scheduler_states(old), 'a.pth') == ['CosineAnnealingLR.T_max=20 (not 30)']
    with pytest.raises(UserError, match='a.pth has 1 parameter schedulers, the config has 0'):
        restore_schedulers(None, scheduler_states(old), 'a.pth')


def test_another_optimizer_is_an_error():
    _, wrapper, _ = trained(SCHEDULES[0], 1, 3)
    _, other, _ = trained(SCHEDULES[0], 2, 0)
    with pytest.raises(UserError, match="optimizer's state in a.pth does not fit"):
        restore_optimizer(other, wrapper.state_dict(), 'a.pth')


@pytest.mark.parametrize('change, damaged', [
    (dict(optimizer=None), 'optimizer'), (dict(param_schedulers=5), 'param_schedulers'),
    (dict(message_hub=5), 'message_hub'), (dict(message_hub={}), 'message_hub'), (dict(meta={}), 'meta.iter'),
    (dict(meta=dict(iter=-5, epoch=0)), 'meta.iter'), (dict(meta=dict(iter=1.5, epoch=0)), 'meta.iter'),
    (dict(meta=dict(iter=1, epoch=0, seed='x')), 'meta.seed')])
def test_damaged_entries_of_a_checkpoint_are_named(change, damaged):
    sound = dict(optimizer={}, param_schedulers=[], message_hub=dict(log_scalars={}, runtime_info={}),
                 meta=dict(iter=3, epoch=0, seed=None))
    check_resumable(sound, 'a.pth')
    with pytest.raises(UserError, match=f'a.pth cannot be resumed: its {damaged} is missing or damaged'):
        check_resumable({**sound, **change}, 'a.pth')
