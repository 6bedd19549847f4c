"""Signals, a full disk, and the same command twice at once: no half-written file, and the same result afterwards."""

import resource
import signal

import pytest
from support.writing_commands import COMMANDS, contents, end, start, write_inputs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp('models'))


@pytest.fixture(scope='module')
def whole(models, tmp_path_factory):
    """Contents, number of file events and largest file of the undisturbed commands, by name."""
    found = {}

    def run(name):
        if name not in found:
            out = tmp_path_factory.mktemp(name)
            status, said, error = end(start(name, models, out))
            assert status == 0, error
            largest = max(path.stat().st_size for path in out.rglob('*') if path.is_file())
            found[name] = contents(out), int(said.split()[-1]), largest
        return found[name]
    return run


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))


def unfinished(folder):
    return [path for path in folder.rglob('*') if '.part' in path.name]


@pytest.mark.parametrize('number, status', [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize('name', COMMANDS)
def test_a_stopped_command_leaves_nothing_half_written(models, whole, tmp_path, name, number, status):
    expected, events, _ = whole(name)
    out = tmp_path / 'out'
    stopped = end(start(name, models, out, signal_at=events // 2, number=number))
    assert stopped[0] == status and 'Traceback' not in stopped[2], stopped
    assert not unfinished(out)
    again = end(start(name, models, out))
    assert again[0] == 0, again
    assert contents(out) == expected


@pytest.mark.parametrize('name', COMMANDS)
def test_a_full_disk_is_one_sentence(models, whole, tmp_path, name):
    """Stood in for by a limit of file sizes, half of the largest file that the command writes."""
    expected, _, largest = whole(name)
    out = tmp_path / 'out'
    limits = (largest // 2, resource.RLIM_INFINITY)
    full = end(start(name, models, out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)))
    assert full[0] == 2 and 'Traceback' not in full[2], full
    assert sum(line.startswith('error: ') for line in full[2].splitlines()) == 1, full
    assert not unfinished(out)
    again = end(start(name, models, out))
    assert again[0] == 0, again
    assert contents(out) == expected


@pytest.mark.parametrize('name', COMMANDS)
def test_two_at_once_end_as_one(models, whole, tmp_path, name):
    expected, _, _ = whole(name)
    out = tmp_path / 'out'
    both = [start(name, models, out) for _ in range(2)]
    ends = [end(process) for process in both]
    assert 0 in [status for status, _, _ in ends], ends
    for status, _, error in ends:  # one may be refused
        assert status in (0, 2) and 'Traceback' not in error and (status == 0 or 'error: ' in error), ends
    assert contents(out) == expected and not unfinished(out)
