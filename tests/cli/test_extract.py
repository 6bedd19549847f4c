"""``leokit extract``: from a folder of videos to a code cache."""

import json

import numpy as np
import pytest

from leokit.datasets.code_cache import CodeCache
from leokit.utils import UserError
from support.tiny_models import MOTION_DIM, SIZE, make_animator
from support.calling import run_command


@pytest.fixture
def videos(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    for split, name in (('train', 'a'), ('train', 'b'), ('test', 'c')):
        (tmp_path / 'videos' / split).mkdir(parents=True, exist_ok=True)
        frames = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
        np.save(tmp_path / 'videos' / split / f'{name}.npy', frames)
    (tmp_path / 'videos' / 'train' / 'bad.mp4').write_bytes(b'nothing')
    return tmp_path / 'videos'


def test_whole_way(models, videos, tmp_path, capsys):
    command = ('extract', models['animator_config'], models['animator'], '--videos', videos, '--out',
               tmp_path / 'codes', '--device', 'cpu')
    run_command(*command, '--split', 'train')
    assert '2 videos encoded (8 frames), 0 already present, 1 skipped' in capsys.readouterr().out
    run_command(*command)
    out = capsys.readouterr().out
    assert '1 videos encoded (4 frames), 2 already present, 1 skipped' in out and 'bad.mp4' in out
    cache = CodeCache(tmp_path / 'codes', make_animator().weights_hash())
    assert {video.name: video.split for video in cache.videos} == {
        'train/a': 'train', 'train/b': 'train', 'test/c': 'test'}
    assert cache.codes.shape == (12, MOTION_DIM)
    assert cache.animator['checkpoint'] == str(models['animator'])


def test_bad_input(models, videos, tmp_path):
    with pytest.raises(UserError, match='nowhere'):
        run_command('extract', models['animator_config'], models['animator'], '--videos',
            tmp_path / 'nowhere', '--out', tmp_path / 'codes', '--device', 'cpu')
    with pytest.raises(UserError, match='MotionDiffusion'):
        run_command('extract', models['motion_config'], models['motion'], '--videos', videos,
            '--out', tmp_path / 'codes', '--device', 'cpu')


@pytest.mark.parametrize('rates', [(25, 25, 25), (25, 25, 50)])
def test_shards_join_to_the_cache_of_one_process(models, videos, tmp_path, capsys, rates):
    (videos / 'manifest.json').write_text(json.dumps([
        dict(file=file, name=file[:-4], fps=fps) for file, fps in zip(
            ('train/a.npy', 'train/b.npy', 'test/c.npy'), rates)] + [dict(file='train/bad.mp4')]))
    command = ('extract', models['animator_config'], models['animator'], '--videos', videos, '--device', 'cpu')
    run_command(*command, '--out', tmp_path / 'whole')
    for shard in ('2/2', '1/2'):
        run_command(*command, '--out', tmp_path / 'codes', '--shard', shard)
    assert '2 videos encoded' in capsys.readouterr().out  # a and c of a, b, c
    run_command(*command, '--out', tmp_path / 'codes')
    out = capsys.readouterr().out
    assert 'codes of 3 videos taken from shards' in out and '0 videos encoded (0 frames), 0 already present' in out
    whole, joined = CodeCache(tmp_path / 'whole'), CodeCache(tmp_path / 'codes')
    assert joined.videos[-1].length == 4 * 25 // rates[-1] and joined.videos[-1].fps == 25
    assert joined.videos == whole.videos and joined.skipped == whole.skipped
    np.testing.assert_allclose(joined.codes, whole.codes, rtol=1e-5, atol=1e-6)


def test_missing_and_foreign_shards(models, videos, tmp_path, capsys):
    command = ('extract', models['animator_config'], models['animator'], '--videos', videos, '--device', 'cpu',
               '--out', tmp_path / 'codes')
    run_command(*command, '--shard', '2/2')
    with pytest.raises(UserError, match=r'2_of_2 was extracted with crop=center, not none; delete it'):
        run_command(*command, '--crop', 'none')
    for file in (tmp_path / 'codes').iterdir():
        if file.is_file():
            file.unlink()
    run_command(*command)
    out = capsys.readouterr().out
    assert 'codes of 1 videos taken from shards' in out and '2 videos encoded (8 frames)' in out
    assert len(CodeCache(tmp_path / 'codes').videos) == 3
