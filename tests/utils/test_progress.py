from leokit.utils import progress_bar


def test_a_bar_tells_rate_and_remaining_time(capsys):
    with progress_bar(4, 'drawing', unit='clip') as bar:
        bar.update(4)
    said = capsys.readouterr().err
    assert 'drawing: 100%' in said and '4/4' in said and 'clip' in said


def test_a_silent_bar_says_nothing(capsys):
    with progress_bar(4, 'drawing', show=False) as bar:
        bar.update()
    assert capsys.readouterr() == ('', '')
