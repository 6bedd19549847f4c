"""SIGKILL at a file event of a command: the same command then ends with the result of an undisturbed run."""

import numpy as np
import pytest
from support.calling import call_command
from support.writing_commands import COMMANDS, contents, end, start, write_inputs

KILLS = 4  # of each command, spread over its events


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp('models'))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('name', COMMANDS)
def test_the_same_command_completes_a_killed_one(models, tmp_path, monkeypatch, name):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    status, said, error = end(start(name, models, tmp_path / 'whole'))
    assert status == 0, error
    expected, events = contents(tmp_path / 'whole'), int(said.split()[-1])
    assert expected and events >= 2
    for number in np.unique(np.linspace(1, events, KILLS).round().astype(int)):
        out = tmp_path / f'killed_{number}'
        assert end(start(name, models, out, signal_at=number))[0] == -9
        command, *arguments = (text.format(models=models, out=out) for text in COMMANDS[name])
        status, said = call_command(command, *arguments)
        assert status == 0, said
        assert contents(out) == expected, f'killed at event {number} of {events}'
