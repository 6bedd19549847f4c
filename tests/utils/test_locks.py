import os
import signal
from multiprocessing import get_context
from threading import Timer

from leokit.utils.locks import FileLock


def hold(path, held):
    assert FileLock(path).acquire()
    held.set()
    signal.pause()


def wait_for_ever(started):
    started.set()
    signal.pause()


def test_one_holder_at_a_time(tmp_path):
    first, second = FileLock(tmp_path / 'lock'), FileLock(tmp_path / 'lock')
    assert first.acquire() and first.acquire()
    assert not second.acquire()
    first.release()
    first.release()
    assert second.acquire()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_is_released(tmp_path):
    path, context = tmp_path / 'lock', get_context('fork')
    held = context.Event()
    process = context.Process(target=hold, args=(path, held), daemon=True)
    process.start()
    assert held.wait(20)
    lock = FileLock(path)
    assert not lock.acquire()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert lock.acquire()
    lock.release()


def test_without_locks_every_attempt_succeeds(tmp_path, monkeypatch):
    import fcntl

    def refuse(*arguments):
        raise OSError('no locks available')

    monkeypatch.setattr(fcntl, 'flock', refuse)
    assert FileLock(tmp_path / 'lock').acquire() and FileLock(tmp_path / 'lock').acquire()


def test_a_lock_file_removed_by_its_owner_is_not_held(tmp_path, monkeypatch):
    import fcntl
    path, flock, calls = tmp_path / 'lock', fcntl.flock, []

    def slow_flock(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            path.unlink()  # the owner gives the lock back between opening and locking
        flock(*arguments)

    monkeypatch.setattr(fcntl, 'flock', slow_flock)
    lock = FileLock(path)
    assert lock.acquire() and len(calls) == 2
    assert not FileLock(path).acquire()


def test_a_forked_child_does_not_keep_the_lock(tmp_path):
    """Data-loading workers may outlive a training that was killed."""
    lock, context = FileLock(tmp_path / 'lock'), get_context('fork')
    assert lock.acquire()
    forked = context.Event()
    child = context.Process(target=wait_for_ever, args=(forked,), daemon=True)
    child.start()
    assert forked.wait(20)
    os.close(lock._descriptor)  # as when this process dies
    lock._descriptor = None
    assert FileLock(tmp_path / 'lock').acquire()
    child.kill()
    child.join()


def test_waiting_for_a_lock(tmp_path):
    first, second = FileLock(tmp_path / 'lock'), FileLock(tmp_path / 'lock')
    assert first.acquire() and not second.acquire_within(0.3)
    Timer(0.3, first.release).start()
    assert second.acquire_within(20)
    second.release()
