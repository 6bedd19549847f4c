from leokit.utils import progress_bar


def test_a_bar_shows_rate_and_remaining_time(capsys):
    with progress_bar(4, 'drawing', unit='clip') as bar:
        bar.update(4)
    said = capsys.readouterr().err
    assert 'drawing: 100%' in said and '4/4' in said and 'clip' in said


def test_an_invisible_bar_prints_nothing(capsys):
    with progress_bar(4, 'drawing', show=False) as bar:
        bar.update()
    assert capsys.readouterr() == ('', '')
