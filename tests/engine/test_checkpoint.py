import pathlib
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from leokit.engine import load_checkpoint, load_weights, save_checkpoint
from leokit.engine.checkpoint import conventions, to_plain
from leokit.utils import UserError


def checkpoint(**more):
    return dict(state_dict={'a.weight': torch.arange(600.)}, meta=dict(leokit_version='0', model='Linear'), **more)


def test_what_is_saved_comes_back(tmp_path):
    numbers = dict(f=1.5, i=3, t=(1, 2), none=None, text='é', array=np.arange(3), scalar=np.float64(2.5),
                   path=pathlib.Path('/a/b'), ordered=OrderedDict(x=1), counter=Counter('aab'))
    save_checkpoint(checkpoint(numbers=numbers), tmp_path / 'new' / 'a.pth')
    back = load_checkpoint(tmp_path / 'new' / 'a.pth')
    assert torch.equal(back['state_dict']['a.weight'], torch.arange(600.))
    loaded = back['numbers']
    assert torch.equal(loaded.pop('array'), torch.arange(3))
    assert loaded == dict(f=1.5, i=3, t=(1, 2), none=None, text='é', scalar=2.5, path='/a/b', ordered=dict(x=1),
                          counter=dict(a=2, b=1))
    assert [file.name for file in (tmp_path / 'new').iterdir()] == ['a.pth']


def test_a_view_does_not_drag_its_storage_along(tmp_path):
    save_checkpoint(dict(state_dict=dict(a=torch.zeros(1_000_000)[:3])), tmp_path / 'a.pth')
    assert (tmp_path / 'a.pth').stat().st_size < 10_000


def test_what_is_not_plain_is_named():
    with pytest.raises(ValueError, match=r'checkpoint\.meta\.thing is a object'):
        to_plain(dict(meta=dict(thing=object())))


def test_a_missing_file_names_the_others(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / 'iter_3.pth')
    with pytest.raises(UserError, match=r'iter_4\.pth does not exist; .* holds iter_3\.pth'):
        load_checkpoint(tmp_path / 'iter_4.pth')
    with pytest.raises(UserError, match=r'is a folder; .* holds iter_3\.pth'):
        load_checkpoint(tmp_path)
    with pytest.raises(UserError, match='none/a.pth does not exist$'):
        load_checkpoint(tmp_path / 'none' / 'a.pth')


@pytest.mark.parametrize('damage', ['truncated', 'empty', 'text', 'flipped'])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / 'a.pth'
    save_checkpoint(checkpoint(), path)
    content = bytearray(path.read_bytes())
    if damage == 'flipped':
        with zipfile.ZipFile(path) as archive:
            stored = next(entry for entry in archive.infolist() if entry.filename.endswith('data/0'))
        content[stored.header_offset + 400] ^= 1
    else:
        content = dict(truncated=content[:len(content) // 2], empty=b'', text=b'no checkpoint\n' * 99)[damage]
    path.write_bytes(content)
    with pytest.raises(UserError, match='is damaged'):
        load_checkpoint(path)


def test_nothing_is_run_from_a_foreign_file(tmp_path):
    class Trap:
        def __reduce__(self):
            return pathlib.Path.touch, (tmp_path / 'sprung',)
    torch.save(dict(state_dict={}, trap=Trap()), tmp_path / 'a.pth')
    with pytest.raises(UserError, match='more than tensors'):
        load_checkpoint(tmp_path / 'a.pth')
    assert not (tmp_path / 'sprung').exists()


def test_weights_of_another_project_are_pointed_to_the_converters(tmp_path):
    torch.save(dict(gen=dict(a=torch.zeros(2))), tmp_path / 'vox.pt')
    with pytest.raises(UserError, match='model_converters'):
        load_checkpoint(tmp_path / 'vox.pt')


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    save_checkpoint(checkpoint(), tmp_path / 'a.pth')

    def full(content, path):
        pathlib.Path(path).write_bytes(b'half')
        raise RuntimeError('PytorchStreamWriter failed writing file data/0: file write failed')
    monkeypatch.setattr(torch, 'save', full)
    with pytest.raises(UserError, match='cannot be written'):
        save_checkpoint(checkpoint(), tmp_path / 'a.pth')
    load_checkpoint(tmp_path / 'a.pth')
    assert [file.name for file in tmp_path.iterdir()] == ['a.pth']


def model(width=3):
    parts = nn.ModuleDict(dict(encoder=nn.Linear(width, 2), discriminator=nn.Linear(2, 1)))
    return parts


def test_weights_fit_entirely_or_not_at_all():
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


def test_other_sizes_are_named():
    with pytest.raises(UserError, match=r'encoder\.weight: \(2, 4\) there, \(2, 3\) here.*config differs'):
        load_weights(model(3), model(4).state_dict(), source='x.pth')


def test_training_only_parts_may_be_absent_or_left_over():
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
    ({'a': torch.zeros(1)}, {}, 'not one key is shared')])
def test_the_likely_cause_is_told(state, meta, cause):
    with pytest.raises(UserError, match=cause):
        load_weights(model(), state, source='x.pth', meta=meta)


class Convention(nn.Linear):
    def __init__(self, grid):
        super().__init__(2, 1)
        self.conventions = dict(grid=grid)


def test_what_weights_rely_on_is_checked():
    ours = nn.Sequential(Convention('exact'), nn.Linear(1, 1))
    assert conventions(ours) == dict(grid='exact')
    state = ours.state_dict()
    for meta in (None, {}, dict(conventions={}), dict(conventions=dict(grid='exact', other=1))):
        load_weights(ours, state, source='x.pth', meta=meta)
    meta = dict(conventions=dict(grid='lia'))
    with pytest.raises(UserError, match="x.pth was trained with grid='lia', but the config builds .* grid='exact'"):
        load_weights(ours, state, source='x.pth', meta=meta)
    load_weights(ours, state, source='x.pth', meta=meta, strict=False)
