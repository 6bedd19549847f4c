import logging

import pytest
import torch

from leokit.engine.checkpoint_files import (
    checkpoint_name, checkpoints_by_iteration, find_start_checkpoint, newest_checkpoint, write_last_checkpoint)
from leokit.utils import UserError
from leokit.utils.checkpoints import save_checkpoint

LOGGER = logging.getLogger('test')


def save(folder, iteration):
    path = folder / checkpoint_name(iteration)
    save_checkpoint(dict(state_dict=dict(a=torch.full((9,), float(iteration))), meta=dict(iter=iteration)), path)
    return path


def test_checkpoints_are_sorted_newest_first_without_unfinished_ones(tmp_path):
    for iteration in (9, 100, 20):
        save(tmp_path, iteration)
    for name in ('iter_200.part.pth', 'best_x_iter_300.pth', 'iter_x.pth'):
        (tmp_path / name).write_bytes(b'')
    assert list(checkpoints_by_iteration(tmp_path)) == [100, 20, 9]
    assert checkpoints_by_iteration(tmp_path / 'missing') == {}


def test_the_marked_checkpoint_is_the_newest(tmp_path):
    write_last_checkpoint(save(tmp_path, 5))
    save(tmp_path, 8)  # of an older training
    path, content = newest_checkpoint(tmp_path, pytest.fail)
    assert path.name == 'iter_5.pth' and content['meta']['iter'] == 5


def test_damaged_checkpoints_are_skipped_with_a_warning(tmp_path):
    for iteration in (1, 2):
        save(tmp_path, iteration)
    write_last_checkpoint(save(tmp_path, 3))
    (tmp_path / 'iter_3.pth').write_bytes(b'half')
    (tmp_path / 'iter_2.pth').unlink()
    said = []
    assert newest_checkpoint(tmp_path, said.append)[0].name == 'iter_1.pth'
    assert len(said) == 1 and 'iter_3.pth is damaged' in said[0]
    (tmp_path / 'iter_1.pth').write_bytes(b'')
    with pytest.raises(UserError, match='none of the checkpoints'):
        newest_checkpoint(tmp_path, said.append)


def test_a_work_dir_may_be_moved(tmp_path):
    (tmp_path / 'old').mkdir()
    write_last_checkpoint(save(tmp_path / 'old', 5))
    (tmp_path / 'old').rename(tmp_path / 'new')
    assert newest_checkpoint(tmp_path / 'new', pytest.fail)[0] == tmp_path / 'new' / 'iter_5.pth'


def test_start_checkpoint_by_resume_and_load_from(tmp_path):
    work_dir, other = tmp_path / 'work', tmp_path / 'other'
    weights = str(save(other, 7))

    def start(resume, load_from=None, training=True):
        chosen = find_start_checkpoint(resume, load_from, work_dir, logger=LOGGER, training=training)
        return chosen and (chosen.path.name, chosen.resume)
    assert start(False) is start(None) is start('auto') is None
    assert start(False, weights) == start('auto', weights) == ('iter_7.pth', False)
    assert start(True, weights) == start(weights) == ('iter_7.pth', True)
    assert start(False, str(other)) == ('iter_7.pth', False)  # a work dir stands for its newest
    assert start(str(other)) == ('iter_7.pth', True)
    with pytest.raises(UserError, match='load_from=.* is a folder without checkpoints'):
        start(False, tmp_path)
    with pytest.raises(UserError, match='resume=.* is a folder without checkpoints'):
        start(str(tmp_path))
    with pytest.raises(UserError, match='nowhere does not exist; it is what load_from names'):
        start(False, tmp_path / 'nowhere')
    save(work_dir, 3)
    assert start('auto', weights) == start(True) == ('iter_3.pth', True)
    assert start(False, weights, training=False) == ('iter_7.pth', False)
    with pytest.raises(UserError, match=r'already holds checkpoints \(iter_3.pth\); pass --resume'):
        start(False)


@pytest.mark.parametrize('marker', [b'\xff\xfe\0', b'../../x.pth', b'', b'.', b'iter_9.pth', b'a' * 400])
def test_a_damaged_marker_does_not_hide_the_checkpoints(tmp_path, marker):
    save(tmp_path, 3)
    (tmp_path / 'last_checkpoint').write_bytes(marker)
    assert newest_checkpoint(tmp_path, lambda text: None)[0].name == 'iter_3.pth'
