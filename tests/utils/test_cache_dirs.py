import pytest

from leokit.utils.cache_dirs import cache_dir, statistics_dir, weights_dir


@pytest.mark.parametrize('variable, folder, default', [
    ('LEOKIT_CACHE', cache_dir, ('.cache', 'leokit')),
    ('LEOKIT_STATISTICS', statistics_dir, ('.cache', 'leokit', 'statistics')),
    ('LEOKIT_WEIGHTS', weights_dir, ('.cache', 'leokit', 'weights'))])
def test_each_variable_moves_its_own_folder(monkeypatch, tmp_path, variable, folder, default):
    for other in ('LEOKIT_CACHE', 'LEOKIT_STATISTICS', 'LEOKIT_WEIGHTS'):
        monkeypatch.setenv(other, str(tmp_path / 'other'))
    monkeypatch.setenv(variable, str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.setenv(variable, '~/mine')
    assert folder().is_absolute() and folder().name == 'mine'
    monkeypatch.delenv(variable)
    assert folder().parts[-len(default):] == default
