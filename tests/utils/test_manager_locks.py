import threading

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.utils import ManagerMixin
from mmengine.utils.manager import _lock

from leokit.registry import SAMPLERS


class Refusing(ManagerMixin):
    def __init__(self, name, inner=None):
        super().__init__(name)
        if inner is not None:
            inner()
        raise OSError('no room')


def in_a_thread(action):
    """Whether the action ends within ten seconds in a thread of its own."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def refuse(number):
    Refusing.get_instance(f'refusing_{number}')


@pytest.mark.parametrize('fail', [
    lambda: refuse(0),
    lambda: Refusing.get_instance('outer', inner=lambda: refuse(1)),
    lambda: Refusing.get_current_instance(),
    lambda: MMLogger.get_instance('unwritable', log_file='/proc/none/log.txt'),
])
def test_other_threads_go_on_after_an_error(fail):
    assert not _lock._is_owned()
    with pytest.raises((OSError, RuntimeError)):
        fail()
    assert not _lock._is_owned()
    assert in_a_thread(lambda: SAMPLERS.build(dict(type='DDIMSampler')))


def test_a_lock_that_was_held_before_stays_held():
    with _lock:
        with pytest.raises(OSError):
            refuse(2)
        assert _lock._is_owned()
    while _lock._is_owned():
        _lock.release()


def test_instances_are_still_shared():
    hub = MessageHub.get_instance('test_manager_locks')
    assert MessageHub.get_instance('test_manager_locks') is hub
    assert MessageHub.get_current_instance() is hub
