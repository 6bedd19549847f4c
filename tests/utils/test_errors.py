import pytest

from leokit.utils import UserError, run_tool
from leokit.utils.errors import suggest


def leave(main):
    with pytest.raises(SystemExit) as leaving:
        run_tool(main)
    return leaving.value.code


def refuse():
    raise UserError('the file a.mp4 is empty; pass another')


def test_the_status_of_a_tool():
    assert leave(lambda: None) == 0
    assert leave(lambda: 143) == 143


def test_an_error_for_people_is_one_line(capsys):
    assert leave(refuse) == 2
    assert capsys.readouterr().err == 'error: the file a.mp4 is empty; pass another\n'


def test_the_traceback_can_be_had(monkeypatch):
    monkeypatch.setenv('LEOKIT_TRACEBACK', '1')
    with pytest.raises(UserError):
        run_tool(refuse)


def test_other_errors_are_bugs_and_stay():
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: 1 // 0)


def test_suggestions():
    assert suggest('widht', ['width', 'size']) == "; did you mean 'width'?"
    assert suggest('colour', ['width', 'size']) == ''
