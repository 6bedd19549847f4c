import pathlib
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch

from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint, to_plain


def checkpoint(**more):
    return dict(state_dict={'a.weight': torch.arange(600.)}, meta=dict(leokit_version='0', model='Linear'), **more)


def test_content_survives_saving_and_loading(tmp_path):
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


def test_a_view_is_saved_without_its_storage(tmp_path):
    save_checkpoint(dict(state_dict=dict(a=torch.zeros(1_000_000)[:3])), tmp_path / 'a.pth')
    assert (tmp_path / 'a.pth').stat().st_size < 10_000


def test_other_than_plain_values_are_named():
    with pytest.raises(ValueError, match=r'checkpoint\.meta\.thing is a object'):
        to_plain(dict(meta=dict(thing=object())))


def test_a_missing_file_names_the_others(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / 'iter_3.pth')
    with pytest.raises(UserError, match=r'iter_4\.pth does not exist; .* holds iter_3\.pth'):
        load_checkpoint(tmp_path / 'iter_4.pth')
    with pytest.raises(UserError, match=r'is a folder; .* holds iter_3\.pth'):
        load_checkpoint(tmp_path)
    with pytest.raises(UserError, match='none/a.pth does not exist; pass a file$'):
        load_checkpoint(tmp_path / 'none' / 'a.pth')


@pytest.mark.parametrize('damage', ['truncated', 'empty', 'text', 'flipped'])
def test_a_damaged_file_is_an_error(tmp_path, damage):
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


def test_no_code_is_run_from_a_file(tmp_path):
    class Trap:
        def __reduce__(self):
            return pathlib.Path.touch, (tmp_path / 'sprung',)
    torch.save(dict(state_dict={}, trap=Trap()), tmp_path / 'a.pth')
    with pytest.raises(UserError, match='more than tensors'):
        load_checkpoint(tmp_path / 'a.pth')
    assert not (tmp_path / 'sprung').exists()


def test_the_error_for_weights_of_another_project_names_the_converter(tmp_path):
    torch.save(dict(gen=dict(a=torch.zeros(2))), tmp_path / 'vox.pt')
    with pytest.raises(UserError, match='leokit convert'):
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


@pytest.mark.parametrize('change, problem', [
    (dict(meta=[1]), 'its meta is no dict'), (dict(meta='a'), 'its meta is no dict'),
    (dict(meta=dict(conventions=[1])), 'its meta.conventions is no dict'),
    (dict(raw_state_dict=5), 'its raw_state_dict is no dict'),
    (dict(state_dict={'a': 'text'}), "its state_dict holds 'a'"), (dict(state_dict={'a': None}), "holds 'a'"),
    (dict(state_dict={5: torch.ones(1)}), 'its state_dict holds 5'),
    (dict(state_dict={'a': torch.ones(2).to_sparse()}), "holds 'a'"),
    (dict(state_dict={'a': torch.ones(2, device='meta')}), "holds 'a'")])
def test_damaged_entries_are_named(tmp_path, change, problem):
    torch.save({**checkpoint(), **change}, tmp_path / 'a.pth')
    with pytest.raises(UserError, match=f'a.pth is damaged: .*{problem}'):
        load_checkpoint(tmp_path / 'a.pth')


def test_a_checkpoint_may_have_no_meta_and_the_old_file_format(tmp_path):
    torch.save(dict(state_dict={'a': torch.ones(1)}, meta=None), tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth')['meta'] == {}
    torch.save(checkpoint(), tmp_path / 'b.pth', _use_new_zipfile_serialization=False)
    assert load_checkpoint(tmp_path / 'b.pth')['meta']['model'] == 'Linear'


def test_an_archive_that_unpacks_to_far_more_is_not_read(tmp_path):
    torch.save(dict(state_dict={'a': torch.zeros(10**6)}), tmp_path / 'a.pth')
    with zipfile.ZipFile(tmp_path / 'a.pth') as old, \
            zipfile.ZipFile(tmp_path / 'b.pth', 'w', zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(UserError, match='is compressed and would take 0.0 GiB'):
        load_checkpoint(tmp_path / 'b.pth')
