import warnings

import numpy as np
import torch
from mmengine.logging import MessageHub

from leokit.engine.message_hub import (
    HISTORY_LENGTH, bound_histories, extend_history, load_message_hub_state, message_hub_state)
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint


def hub(name, count):
    made = MessageHub(name)
    for number in range(count):
        made.update_scalar('train/loss', number / 7)
    return made


def test_a_message_hub_is_restored_from_a_checkpoint(tmp_path):
    old = hub('old', 5)
    old.update_info('eta', 12.5)
    old.update_info('cfg', 'text of a config')
    old.update_info('dataset_meta', object())
    save_checkpoint(dict(state_dict={}, message_hub=message_hub_state(old)), tmp_path / 'a.pth')
    new = MessageHub('new')
    new.update_info('cfg', 'own')
    load_message_hub_state(new, load_checkpoint(tmp_path / 'a.pth')['message_hub'])
    for each in (old, new):
        each.update_scalar('train/loss', 9.0)
    assert new.get_scalar('train/loss').mean(4) == old.get_scalar('train/loss').mean(4)
    assert new.get_info('eta') == 12.5 and new.get_info('cfg') == 'own'
    # what was resumed is saved again
    assert message_hub_state(new)['log_scalars'].keys() == {'train/loss'}


def test_only_the_newest_values_are_kept():
    packed = message_hub_state(hub('long', HISTORY_LENGTH + 3))['log_scalars']['train/loss']
    assert len(packed['values']) == len(packed['counts']) == HISTORY_LENGTH
    assert packed['values'][-1] == (HISTORY_LENGTH + 2) / 7
    resumed = MessageHub('resumed')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        load_message_hub_state(resumed, dict(log_scalars={'train/loss': packed}, runtime_info={}))
    resumed.update_scalar('train/loss', 1.0)
    assert len(resumed.get_scalar('train/loss').data[0]) == HISTORY_LENGTH


def test_histories_stop_growing():
    made = hub('growing', 3)
    bound_histories(made)
    made.get_scalar('train/loss')._log_history = np.zeros(HISTORY_LENGTH)
    made.get_scalar('train/loss')._count_history = np.ones(HISTORY_LENGTH)
    made.update_scalar('train/loss', 2.0)
    assert len(made.get_scalar('train/loss').data[0]) == HISTORY_LENGTH


def test_the_state_is_plain_data():
    packed = message_hub_state(hub('plain', 2))
    assert packed['log_scalars']['train/loss']['values'].dtype == torch.float64


def test_many_values_are_added_as_one_by_one():
    values = [0.5, -1.0, 3.25]
    at_once, one_by_one = hub('at once', 2), hub('one by one', 2)
    for name in ('train/loss', 'train/new'):
        extend_history(at_once, name, values)
        for value in values:
            one_by_one.update_scalar(name, value)
        for added, expected in zip(at_once.get_scalar(name).data, one_by_one.get_scalar(name).data):
            assert added.tolist() == expected.tolist() and added.dtype == np.float64
    assert message_hub_state(at_once)['log_scalars'].keys() == {'train/loss', 'train/new'}
    extend_history(at_once, 'train/loss', [7.0] * (HISTORY_LENGTH - 1))
    assert at_once.get_scalar('train/loss').data[0].tolist() == [3.25, *[7.0] * (HISTORY_LENGTH - 1)]
    at_once.update_scalar('train/loss', 8.0)
    assert len(at_once.get_scalar('train/loss').data[0]) == HISTORY_LENGTH
