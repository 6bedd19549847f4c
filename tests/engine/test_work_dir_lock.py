import os
import signal

import pytest
from engine.toys import toy_config, train, train_in_process
from support.processes import start_process

from leokit.engine import work_dir_lock
from leokit.utils import UserError
from leokit.utils.locks import FileLock


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(work_dir_lock, 'PATIENCE', 0.1)


def test_a_second_training_in_a_work_dir_is_refused(tmp_path, impatient):
    other = FileLock(tmp_path / work_dir_lock.LOCK_FILE)
    assert other.acquire()
    with pytest.raises(UserError, match=f'another training runs in {tmp_path}; wait for it, or pass another'):
        train(toy_config(tmp_path))
    assert not list(tmp_path.glob('*.pth'))
    other.release()
    train(toy_config(tmp_path))
    assert not (tmp_path / work_dir_lock.LOCK_FILE).exists()


def test_a_killed_training_leaves_no_lock(tmp_path):
    config = toy_config(tmp_path, custom_hooks=[dict(type='RecordHook', signal_after=4, number=int(signal.SIGKILL))])
    process = start_process(train_in_process, config.pretty_text)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    lock = FileLock(tmp_path / work_dir_lock.LOCK_FILE)
    assert os.path.exists(lock.path) and lock.acquire()
    lock.release()
