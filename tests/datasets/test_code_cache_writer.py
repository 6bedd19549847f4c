import json
import os
import shutil
import signal
import time
from multiprocessing import get_context

import numpy as np
import pytest

from leokit.datasets import CodeCache, CodeCacheWriter
from leokit.utils import UserError

ANIMATOR = dict(weights_hash='ab' * 32, config='lia.py', checkpoint='lia.pth')


def codes_of(number):
    return np.random.default_rng(number).normal(size=(1 + number * 37 % 90, 4)).astype(np.float32)


def write(folder, numbers, started=None):
    with CodeCacheWriter(folder, 4, animator=ANIMATOR) as writer:
        if started is not None:
            started.set()
        for number in numbers:
            if f'v{number}' not in writer:
                writer.add(f'v{number}', codes_of(number), identity=f'p{number}', fps=25)


def check(folder, numbers):
    cache = CodeCache(folder)
    assert sorted(video.name for video in cache.videos) == sorted(f'v{number}' for number in numbers)
    for video in cache.videos:
        rows = cache.codes[video.offset:video.offset + video.length]
        assert np.array_equal(rows, codes_of(int(video.name[1:]))), video.name
    assert sorted(path.name for path in folder.iterdir()) == ['codes.npy', 'index.json']


def test_an_interrupted_cache_can_be_resumed(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with CodeCacheWriter(tmp_path, 4, animator=ANIMATOR) as writer:
            writer.add('v0', codes_of(0), identity='p0')
            raise KeyboardInterrupt
    with pytest.raises(UserError, match='unfinished; run the same .leokit extract. command'):
        CodeCache(tmp_path)
    with CodeCacheWriter(tmp_path, 4, animator=ANIMATOR) as writer:
        assert 'v0' in writer and 'v1' not in writer and writer.total == len(codes_of(0))
        writer.add('v1', codes_of(1), identity='p1')
    check(tmp_path, [0, 1])


def test_a_finished_cache_can_be_extended(tmp_path):
    write(tmp_path, range(3))
    before = CodeCache(tmp_path)
    codes = np.array(before.codes)
    writer = CodeCacheWriter(tmp_path, 4, animator=ANIMATOR)
    writer.add('v7', codes_of(7), identity='p7')
    assert np.array_equal(CodeCache(tmp_path).codes, codes)  # readers see the old state until it is finished
    writer.close()
    check(tmp_path, [0, 1, 2, 7])
    assert np.array_equal(before.codes, codes)


@pytest.mark.parametrize('delay', [0.002, 0.01, 0.02, 0.03, 0.05, 0.08])
def test_killing_the_writer_loses_at_most_one_video(tmp_path, delay):
    context = get_context('fork')
    started = context.Event()
    process = context.Process(target=write, args=(tmp_path, range(100_000), started), daemon=True)
    process.start()
    assert started.wait(30)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    lines = (tmp_path / 'journal.jsonl').read_bytes().count(b'\n') - 1
    with CodeCacheWriter(tmp_path, 4, animator=ANIMATOR) as writer:
        assert len(writer.videos) == lines
        assert [video.name for video in writer.videos] == [f'v{number}' for number in range(lines)]
        writer.add(f'v{lines}', codes_of(lines), identity='next')
    check(tmp_path, range(lines + 1))


def test_truncated_and_zeroed_files_are_recovered(tmp_path):
    """Truncate both files at many positions, as if their ends had not reached the disk."""
    writer = CodeCacheWriter(tmp_path / 'whole', 4, animator=ANIMATOR)
    for number in range(4):
        writer.add(f'v{number}', codes_of(number), identity=f'p{number}')
    writer._release()
    codes, journal = ((tmp_path / 'whole' / name).read_bytes() for name in ('codes.npy', 'journal.jsonl'))
    head = journal.index(b'\n') + 1
    generator = np.random.default_rng(0)
    for trial in range(40):
        folder = tmp_path / f'trial_{trial}'
        folder.mkdir()
        kept = codes[:generator.integers(128, len(codes) + 1)]
        if trial % 2:  # after a power failure, pages that were not written are zeros
            kept = kept.ljust(len(codes), b'\0')
        (folder / 'codes.npy').write_bytes(kept)
        (folder / 'journal.jsonl').write_bytes(journal[:generator.integers(head, len(journal) + 1)])
        write(folder, range(5))
        check(folder, range(5))


@pytest.mark.parametrize('files', [['journal.jsonl'], ['journal.jsonl', 'codes.npy'],
                                   ['codes.npy', 'index.json', 'journal.jsonl']])
def test_a_crash_between_the_files_is_recovered(tmp_path, files):
    write(tmp_path / 'finished', range(3))
    writer = CodeCacheWriter(tmp_path / 'started', 4, animator=ANIMATOR)
    if 'index.json' in files:  # index written, journal not yet removed
        for number in range(3):
            writer.add(f'v{number}', codes_of(number), identity=f'p{number}', fps=25)
    writer._release()
    folder = tmp_path / 'folder'
    folder.mkdir()
    for name in files:
        source = 'finished' if name == 'index.json' else 'started'
        shutil.copy(tmp_path / source / name, folder / name)
    write(folder, range(4))
    check(folder, range(4))


def test_another_animator_or_dimension_is_refused(tmp_path):
    other = dict(ANIMATOR, weights_hash='cd' * 32)
    write(tmp_path / 'finished', range(2))
    CodeCacheWriter(tmp_path / 'started', 4, animator=ANIMATOR)._release()
    for folder in ('finished', 'started'):
        with pytest.raises(UserError, match='belong to different animators'):
            CodeCacheWriter(tmp_path / folder, 4, animator=other)
        with pytest.raises(UserError, match='4 dimensions'):
            CodeCacheWriter(tmp_path / folder, 5, animator=ANIMATOR)
    check(tmp_path / 'finished', range(2))


def test_other_crop_or_precision_is_refused(tmp_path):
    write(tmp_path, range(2))  # without crop and precision
    with CodeCacheWriter(tmp_path / 'known', 4, animator=dict(ANIMATOR, crop='center', amp=False)) as writer:
        writer.add('v0', codes_of(0), identity='p')
    for key, value in (('crop', 'stretch'), ('amp', True)):
        how = dict(ANIMATOR, crop='center', amp=False) | {key: value}
        with pytest.raises(UserError, match=f'extracted with {key}=.*not {value}; use the same value'):
            CodeCacheWriter(tmp_path / 'known', 4, animator=how)
        CodeCacheWriter(tmp_path, 4, animator=how).close()


def test_only_one_writer_at_a_time(tmp_path):
    with CodeCacheWriter(tmp_path, 4, animator=ANIMATOR) as writer:
        with pytest.raises(UserError, match='another process'):
            CodeCacheWriter(tmp_path, 4, animator=ANIMATOR)
        writer.add('v0', codes_of(0), identity='p0')
    check(tmp_path, [0])


def test_other_files_are_left_alone(tmp_path):
    np.save(tmp_path / 'codes.npy', np.zeros(3))
    with pytest.raises(UserError, match='not written by leokit'):
        CodeCacheWriter(tmp_path, 4, animator=ANIMATOR)
    assert np.array_equal(np.load(tmp_path / 'codes.npy'), np.zeros(3))
    (tmp_path / 'file').write_text('in the way')
    with pytest.raises(UserError, match='cannot be written'):
        CodeCacheWriter(tmp_path / 'file', 4, animator=ANIMATOR)


def test_damaged_files_are_reported(tmp_path):
    write(tmp_path / 'a', range(3))
    (tmp_path / 'a' / 'codes.npy').write_bytes(b'short')
    with pytest.raises(UserError, match='shorter'):
        CodeCacheWriter(tmp_path / 'a', 4, animator=ANIMATOR)
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b' / 'journal.jsonl').write_text('garbage\n')
    with pytest.raises(UserError, match='damaged'):
        CodeCacheWriter(tmp_path / 'b', 4, animator=ANIMATOR)


def test_invalid_codes_are_refused(tmp_path):
    with CodeCacheWriter(tmp_path, 4, animator=ANIMATOR) as writer:
        for wrong in (np.zeros((3, 5)), np.zeros(4), np.zeros((0, 4))):
            with pytest.raises(ValueError):
                writer.add('v0', wrong, identity='p')
        with pytest.raises(UserError, match='v0'):
            writer.add('v0', np.full((3, 4), np.nan), identity='p')
        writer.add('v0', codes_of(0).astype(np.float64), identity='p0')
        with pytest.raises(ValueError, match='already'):
            writer.add('v0', codes_of(0), identity='p0')
    check(tmp_path, [0])


def test_an_empty_cache_can_be_finished(tmp_path):
    with CodeCacheWriter(tmp_path, 4, animator=ANIMATOR) as writer:
        writer.skip('a.mp4', 'broken')
    assert CodeCache(tmp_path).codes.shape == (0, 4)
    assert json.loads((tmp_path / 'index.json').read_text())['skipped'] == [dict(file='a.mp4', reason='broken')]
