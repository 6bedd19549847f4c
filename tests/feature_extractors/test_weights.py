import hashlib

import pytest
import torch

from leokit.feature_extractors import WeightFile, find_weights, load_tensors
from leokit.feature_extractors.weights import download_weights
from leokit.utils import UserError
from leokit.utils.cache_dirs import weights_dir
from leokit.utils.hashing import file_sha256

CONTENT = b'weights' * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(tmp_path / 'home'))
    return tmp_path / 'home'


@pytest.fixture
def published(tmp_path):
    """A file that can be 'downloaded'."""
    (tmp_path / 'server.bin').write_bytes(CONTENT)
    return WeightFile('net.pth', 'somewhere', (tmp_path / 'server.bin').as_uri(), SHA256)


def test_the_folder(monkeypatch, home):
    assert weights_dir() == home
    monkeypatch.delenv('LEOKIT_WEIGHTS')
    assert weights_dir().parts[-3:] == ('.cache', 'leokit', 'weights')


def test_downloads_what_is_missing_once(home, published, tmp_path):
    path = find_weights(published)
    assert path == home / 'net.pth' and file_sha256(path) == SHA256
    assert list(home.iterdir()) == [path]
    (tmp_path / 'server.bin').unlink()
    assert find_weights(published) == path


def test_the_length_of_a_download_is_shown(home, published, capsys):
    find_weights(published)
    assert '7000/7000' in capsys.readouterr().err  # what is there, of what the server announced


def test_a_wrong_download_is_not_kept(home, published):
    with pytest.raises(UserError, match='whose SHA-256 is'):
        find_weights(published._replace(sha256='0' * 64))
    assert not list(home.iterdir())


@pytest.mark.parametrize('url', ['http://127.0.0.1:9/net.pth', 'file:///no/such/file'])
def test_a_failed_download_says_what_to_do(home, url):
    with pytest.raises(UserError, match=f'downloading {url} failed .* get it from somewhere and put it at {home}'):
        find_weights(WeightFile('net.pth', 'somewhere', url, SHA256))
    assert not list(home.iterdir())


def test_downloads_nothing_that_cannot_be_verified(home, published):
    for file in (published._replace(sha256=None), published._replace(url=None)):
        with pytest.raises(UserError, match='net.pth was not found; get it from somewhere'):
            find_weights(file)
        with pytest.raises(ValueError):
            download_weights(file)
    with pytest.raises(UserError, match='was not found'):
        find_weights(published, download=False)
    assert find_weights(published._replace(sha256=None), sha256=SHA256).is_file()


def test_a_file_in_the_folder_must_be_the_published_one(home, published):
    home.mkdir()
    (home / 'net.pth').write_bytes(b'other')
    with pytest.raises(UserError, match='net.pth is not the expected file'):
        find_weights(published)
    assert find_weights(published._replace(sha256=None)) == home / 'net.pth'


def test_a_path_is_verified_only_with_a_hash(home, published, tmp_path):
    own = tmp_path / 'own.pth'
    own.write_bytes(b'own')
    assert find_weights(published, own) == own
    with pytest.raises(UserError, match='own.pth is not the expected file'):
        find_weights(published, own, sha256=SHA256)
    with pytest.raises(UserError, match='absent.pth does not exist'):
        find_weights(published, tmp_path / 'absent.pth')


class Unwanted:
    """Unpickling it would run code."""

    def __reduce__(self):
        return print, ('this must never be seen',)


def test_reads_tensors_and_nothing_else(tmp_path, capsys):
    path = tmp_path / 'net.pth'
    torch.save({'b': torch.ones(2), 'a': torch.zeros(1)}, path)
    assert list(load_tensors(path)) == ['b', 'a']
    for content in ({'a': 1}, {'a': torch.ones(1), 'step': 1}, {}, [torch.ones(1)]):
        torch.save(content, path)
        with pytest.raises(UserError, match='is not a state dict'):
            load_tensors(path)
    torch.save({'a': Unwanted()}, path)
    with pytest.raises(UserError, match='cannot be read'):
        load_tensors(path)
    path.write_bytes(b'')
    with pytest.raises(UserError, match='cannot be read'):
        load_tensors(path)
    assert not capsys.readouterr().out
