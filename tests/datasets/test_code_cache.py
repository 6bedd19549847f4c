import json
import shutil
import zlib

import numpy as np
import pytest

from leokit.datasets import CodeCache, CodeCacheWriter, CodedVideo, code_statistics
from leokit.datasets.code_cache import window_starts
from leokit.utils import UserError

ANIMATOR = dict(weights_hash='ab' * 32, config='lia.py', checkpoint='lia.pth')
LENGTHS = dict(a=7, b=1, c=12)


def codes_of(name, length, dims=5):
    return np.random.default_rng(ord(name)).normal(ord(name) / 100, 2, (length, dims)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    with CodeCacheWriter(tmp_path / 'codes', 5, animator=ANIMATOR) as writer:
        for name, length in LENGTHS.items():
            writer.add(name, codes_of(name, length), identity=name.upper(), split='train', fps=25)
        writer.skip('x.mp4', 'broken')
    return tmp_path / 'codes'


def test_a_cache_holds_what_was_written(folder):
    cache = CodeCache(folder, ANIMATOR['weights_hash'])
    assert cache.animator == ANIMATOR and cache.animator_hash == ANIMATOR['weights_hash'] and cache.motion_dim == 5
    assert cache.videos[1] == CodedVideo('b', 'B', 'train', 25.0, 7, 1)
    assert [tuple(row) for row in cache.skipped] == [('x.mp4', 'broken')]
    assert isinstance(cache.codes, np.memmap) and cache.codes.dtype == np.float32
    for video in cache.videos:
        rows = cache.codes[video.offset:video.offset + video.length]
        assert np.array_equal(rows, codes_of(video.name, video.length))


def test_the_codes_are_an_ordinary_array_file(folder):
    assert np.array_equal(np.load(folder / 'codes.npy'), CodeCache(folder).codes)


def test_another_animator_is_refused(folder):
    with pytest.raises(UserError, match=r'codes \(of lia.pth\) and the animator in use belong to different'):
        CodeCache(folder, 'cd' * 32)


def test_errors_are_user_errors(folder, tmp_path):
    with pytest.raises(UserError, match='not a code cache'):
        CodeCache(tmp_path)
    with pytest.raises(UserError, match='not a code cache'):
        CodeCache(tmp_path / 'nowhere')
    index = json.loads((folder / 'index.json').read_text())
    for content, message in (('{', 'damaged'), ('[]', 'damaged'), (json.dumps({**index, 'version': 9}), 'version 9')):
        broken = shutil.copytree(folder, tmp_path / f'broken_{message[:3]}', dirs_exist_ok=True)
        (broken / 'index.json').write_text(content)
        with pytest.raises(UserError, match=message):
            CodeCache(broken)
    content = (folder / 'codes.npy').read_bytes()
    (folder / 'codes.npy').write_bytes(content[:-4])
    with pytest.raises(UserError, match='20 codes'):
        CodeCache(folder)


def test_statistics_of_the_codes(folder):
    codes = np.concatenate([codes_of(name, length) for name, length in LENGTHS.items()]).astype(np.float64)
    statistics = CodeCache(folder).statistics()
    assert set(statistics) == {'mean', 'std'}
    np.testing.assert_allclose(statistics['mean'], codes.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics['std'], codes.std(axis=0), rtol=1e-12)


def test_statistics_of_the_residuals(folder):
    window = 4
    residuals = []
    for name, length in LENGTHS.items():
        codes = codes_of(name, length).astype(np.float64)
        residuals += [codes[start + 1:start + window] - codes[start] for start in range(length - window + 1)]
    residuals = np.stack(residuals)  # (windows, T - 1, N)
    statistics = CodeCache(folder).statistics(window)
    np.testing.assert_allclose(statistics['residual_mean'], residuals.mean(axis=(0, 1)), rtol=1e-9)
    np.testing.assert_allclose(statistics['residual_std'], np.sqrt((residuals**2).mean(axis=(0, 1))), rtol=1e-9)
    np.testing.assert_allclose(statistics['residual_std_by_frame'], np.sqrt((residuals**2).mean(axis=0)), rtol=1e-9)


def test_statistics_do_not_lose_small_motion_on_a_large_mean():
    codes = (1000 + np.random.default_rng(0).normal(0, 1e-3, (5000, 2))).astype(np.float32)
    expected = codes.astype(np.float64).std(axis=0)
    np.testing.assert_allclose(code_statistics(codes, [(0, 5000)])['std'], expected, rtol=1e-9)


def test_windows_lie_within_videos():
    assert window_starts([(0, 5), (5, 2), (7, 3)], 3).tolist() == [0, 1, 2, 7]
    assert window_starts([(0, 8)], 3, stride=2).tolist() == [0, 2, 4]
    assert window_starts([], 3).tolist() == []


@pytest.mark.parametrize('spans, frames', [([], None), ([(0, 0)], None), ([(0, 3)], 4), ([(0, 3)], 1)])
def test_statistics_without_codes_or_windows(spans, frames):
    with pytest.raises(ValueError):
        code_statistics(np.zeros((3, 2), np.float32), spans, frames)


def edit_index(folder, **changes):
    index = json.loads((folder / 'index.json').read_text())
    for key, change in changes.items():
        change(index[key]) if callable(change) else index.__setitem__(key, change)
    (folder / 'index.json').write_text(json.dumps(index))


def test_one_flipped_bit_is_noticed(folder):
    content = bytearray((folder / 'codes.npy').read_bytes())
    content[-7] ^= 0x40  # within the last video
    (folder / 'codes.npy').write_bytes(content)
    with pytest.raises(UserError, match='the codes of c in .* are damaged'):
        CodeCache(folder)


def test_checksums_are_those_of_the_rows(folder):
    rows = np.load(folder / 'codes.npy')
    expected = [zlib.crc32(rows[start:end].tobytes()) for start, end in ((0, 7), (7, 8), (8, 20))]
    assert json.loads((folder / 'index.json').read_text())['checksums'] == expected


def test_a_cache_of_an_older_version_gets_checksums_when_it_grows(folder):
    index = json.loads((folder / 'index.json').read_text())
    expected = index.pop('checksums')
    (folder / 'index.json').write_text(json.dumps(index))
    assert len(CodeCache(folder).videos) == 3
    with CodeCacheWriter(folder, 5, animator=ANIMATOR) as writer:
        writer.add('d', codes_of('d', 4), identity='D')
    checksums = json.loads((folder / 'index.json').read_text())['checksums']
    assert checksums[:3] == expected and len(checksums) == 4
    assert len(CodeCache(folder).videos) == 4


@pytest.mark.parametrize('changes, reason', [
    (dict(videos=lambda videos: videos[1].update(offset=0)), 'the codes of b lie at 0'),
    (dict(videos=lambda videos: videos[1].update(offset=-7)), 'the codes of b lie at -7'),
    (dict(videos=lambda videos: videos[0].update(length=8)), 'the codes of b lie at 7'),
    (dict(videos=lambda videos: videos[2].update(length=-12)), 'length of -12'),
    (dict(videos=lambda videos: videos[2].update(length='12')), "length of '12'"),
    (dict(videos=lambda videos: videos[2].update(name='a')), 'two videos named a'),
    (dict(videos=lambda videos: videos[2].pop('offset')), 'offset'),
    (dict(videos=lambda videos: videos[2].update(nonsense=1)), 'nonsense'),
    (dict(videos=None), 'NoneType'), (dict(animator=None), 'NoneType'), (dict(animator={}), 'weights_hash'),
    (dict(motion_dim='5'), 'motion_dim'), (dict(checksums=[1]), '1 checksums of 3 videos')])
def test_an_index_that_contradicts_itself_is_refused(folder, changes, reason):
    edit_index(folder, **changes)
    with pytest.raises(UserError, match=f'index.json is damaged .*{reason}'):
        CodeCache(folder)
    with pytest.raises(UserError, match='index.json is damaged'):
        CodeCacheWriter(folder, 5, animator=ANIMATOR)


def test_deep_nesting_is_damage(folder):
    (folder / 'index.json').write_text(100_000 * '[')
    with pytest.raises(UserError, match='is damaged'):
        CodeCache(folder)
