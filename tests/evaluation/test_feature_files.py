"""Files of features: what cannot be read is computed again, and what cannot be written is no error."""

import pickle

import pytest
import torch

from leokit.analysis.clip_features import ClipFeatureCache
from leokit.evaluation import feature_files
from leokit.evaluation.feature_files import read_features, write_features


class Canary:
    def __reduce__(self):
        return exec, ('raise SystemExit("executed")',)


@pytest.fixture
def file(tmp_path):
    write_features(tmp_path / 'a.pt', torch.eye(3))
    return tmp_path / 'a.pt'


def test_written_and_read(file):
    assert torch.equal(read_features(file), torch.eye(3)) and [path.name for path in file.parent.iterdir()] == ['a.pt']
    assert read_features(file.with_name('b.pt')) is None


@pytest.mark.parametrize('content', [b'', b'half', pickle.dumps(Canary()), pickle.dumps([1])])
def test_damaged_and_hostile_files_are_none(file, content):
    file.write_bytes(content)
    assert read_features(file) is None
    file.write_bytes(content * 1000)
    assert read_features(file) is None
    write_features(file, torch.zeros(2))
    assert torch.equal(read_features(file), torch.zeros(2))


def test_a_folder_that_cannot_be_written_is_no_error(file):
    write_features(file / 'below_a_file.pt', torch.eye(3))
    assert torch.equal(read_features(file), torch.eye(3))


def test_clips_are_described_again_after_damage(tmp_path):
    cache, made = ClipFeatureCache(tmp_path / 'new'), []

    def compute():
        made.append(1)
        return torch.ones(2, 4)

    for expected in (1, 1):
        assert torch.equal(cache.get(['a clip', 1], compute), torch.ones(2, 4)) and len(made) == expected
    cache.get(['a clip', 2], compute)
    assert len(made) == 2
    file = min((tmp_path / 'new').iterdir())
    file.write_bytes(file.read_bytes()[:100])
    for part in (1, 2):
        assert torch.equal(cache.get(['a clip', part], compute), torch.ones(2, 4))
    assert len(made) == 3


@pytest.mark.parametrize('error, reason', [
    (OSError(28, 'No space left on device'), 'No space left on device'),
    (RuntimeError('\n the write failed\nand more'), 'the write failed')])
def test_why_features_are_not_cached_is_said(tmp_path, monkeypatch, error, reason):
    said = []

    def fail(*arguments):
        raise error
    monkeypatch.setattr(torch, 'save', fail)
    monkeypatch.setattr(feature_files, 'print_log', lambda text, **options: said.append(text))
    write_features(tmp_path / 'features.pt', torch.zeros(1))
    assert len(said) == 1 and f'cannot be cached ({reason}); the next' in said[0]
