import struct
from pathlib import Path

import numpy as np
import pytest

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers.array_reader import ArrayReader, open_array, split_item


def pixels(*shape):
    return np.random.RandomState(0).randint(0, 256, (*shape, 3)).astype(np.uint8)


def save(tmp_path, array):
    path = tmp_path / 'a.npy'
    np.save(path, array)
    return path


def test_bytes_are_taken_as_they_are(tmp_path):
    frames = pixels(5, 4, 6)
    with VIDEO_READERS.build(dict(type='ArrayReader', fps=8.0)).open(save(tmp_path, frames)) as handle:
        assert len(handle) == 5 and handle.fps == 8
        assert np.array_equal(handle.read([3, 0]), frames[[3, 0]])


def test_one_file_holds_many_videos(tmp_path):
    frames = pixels(3, 5, 4, 6)
    path = save(tmp_path, frames)
    assert split_item(f'{path}#2') == (path, 2) and split_item(path) == (path, None)
    assert split_item('a#2.npy') == (Path('a#2.npy'), None)
    assert np.array_equal(ArrayReader().open(f'{path}#2').read([1]), frames[2, [1]])
    with pytest.raises(UserError, match='name one of several videos'):
        ArrayReader().open(path)
    with pytest.raises(UserError, match='holds 3 videos'):
        ArrayReader().open(f'{path}#3')


def test_frames_are_copies(tmp_path):
    frames = pixels(5, 4, 6)
    handle = ArrayReader().open(save(tmp_path, frames))
    handle.read([4, 0, 4])[:] = 0
    assert np.array_equal(handle.read([4, 0, 4]), frames[[4, 0, 4]])


@pytest.mark.parametrize(('stated', 'low', 'high'), [('-1:1', -1, 1), ('0:1', 0, 1), ('0:255', 0, 255)])
def test_floats_of_a_stated_range_give_the_same_bytes(tmp_path, stated, low, high):
    frames = pixels(3, 4, 4)
    path = save(tmp_path, (frames / 255 * (high - low) + low).astype(np.float32))
    assert np.array_equal(ArrayReader(float_range=stated).open(path).read([0, 1, 2]), frames)


def test_floats_without_a_stated_range_are_refused(tmp_path):
    with pytest.raises(UserError, match='--float-range=-1:1, 0:1 or 0:255 of leokit evaluate, float_range of the'):
        ArrayReader().open(save(tmp_path, np.zeros((3, 4, 4, 3), np.float32)))
    with pytest.raises(UserError, match="one of -1:1, 0:1, 0:255, got '0:2'"):
        ArrayReader(float_range='0:2')


def test_values_outside_the_stated_range_are_refused(tmp_path):
    path = save(tmp_path, np.linspace(-1, 1, 3 * 4 * 4 * 3).reshape(3, 4, 4, 3))
    with pytest.raises(UserError, match='from -1 to .*outside the stated range 0:1'):
        ArrayReader(float_range='0:1').open(path).read([0, 1])


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_frames_with_nan_are_named(tmp_path, bad):
    frames = np.zeros((3, 4, 4, 3), np.float32)
    frames[1, 2, 3, 0] = bad
    handle = ArrayReader(float_range='-1:1').open(save(tmp_path, frames))
    assert handle.read([0]).shape == (1, 4, 4, 3)
    with pytest.raises(UserError, match='frame 1 of .*NaN or infinity'):
        handle.read([0, 1])


@pytest.mark.parametrize(('array', 'sentence'), [
    (np.zeros((4, 4, 3), np.uint8), 'has shape'), (np.zeros((2, 4, 4, 4), np.uint8), 'has shape'),
    (np.zeros((2, 4, 4), np.uint8), 'a.npy has shape'), (np.zeros((2, 4, 4, 3), np.float32), 'a.npy holds float32'),
    (np.zeros((0, 4, 4, 3), np.uint8), 'without frames'), (np.zeros((2, 4, 4, 3), np.int64), 'int64 values')])
def test_other_arrays_are_refused(tmp_path, array, sentence):
    with pytest.raises(UserError, match=sentence):
        ArrayReader().open(save(tmp_path, array))


def test_pickles_are_never_loaded(tmp_path):
    with pytest.raises(UserError, match='not a readable array'):
        ArrayReader().open(save(tmp_path, np.asarray([dict(a=1)], dtype=object)))


def test_files_that_are_not_arrays(tmp_path):
    for name, content in {'text.npy': b'text', 'empty.npy': b'', 'cut.npy': b'\x93NUMPY\x01\x00'}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            ArrayReader().open(tmp_path / name)
    np.savez(tmp_path / 'several.npz', a=np.zeros(3))
    (tmp_path / 'several.npz').rename(tmp_path / 'several.npy')
    with pytest.raises(UserError, match='several.npy holds several arrays'):
        ArrayReader().open(tmp_path / 'several.npy')
    with pytest.raises(UserError, match='does not exist'):
        ArrayReader().open(tmp_path / 'missing.npy')


def test_archives(tmp_path):
    videos = pixels(3, 4, 6, 8)
    np.savez(tmp_path / 'a.npz', videos)
    np.savez(tmp_path / 'b.npz', samples=videos[0])
    with ArrayReader().open(f'{tmp_path}/a.npz#2') as video:
        assert np.array_equal(video.read([3, 1]), videos[2][[3, 1]])
    with ArrayReader().open(tmp_path / 'b.npz') as video:
        assert np.array_equal(video.read(range(4)), videos[0])
    np.savez_compressed(tmp_path / 'c.npz', videos)
    np.savez(tmp_path / 'd.npz', x=videos, y=videos)
    np.savez(tmp_path / 'e.npz', np.asarray([dict(a=1)], dtype=object))
    (tmp_path / 'f.npz').write_bytes(b'text')
    for name, sentence in {'c': 'is compressed', 'd': 'holds the arrays x, y', 'e': 'Python objects',
                           'f': 'not a readable array'}.items():
        with pytest.raises(UserError, match=sentence):
            ArrayReader().open(tmp_path / f'{name}.npz')


def header(text, version=(1, 0)):
    """An array file with this header and 1000 bytes of data."""
    size = struct.pack('<H' if version == (1, 0) else '<I', len(text))
    return b'\x93NUMPY' + bytes(version) + size + text.encode() + bytes(1000)


@pytest.mark.parametrize('text', [
    '(' * 5000, "{'descr': '|u1', 'fortran_order': False, 'shape': (-12, 4, 4, 3)}", "{'descr': 'abc",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999999, 4, 4, 3)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (2, 4, 4, 3)}", '[', '5', ''])
@pytest.mark.parametrize('version', [(1, 0), (2, 0)])
def test_damaged_headers_are_named(tmp_path, text, version):
    (tmp_path / 'v.npy').write_bytes(header(text, version))
    with pytest.raises(UserError, match='v.npy is not a readable array'):
        open_array(tmp_path / 'v.npy')


def test_arrays_without_videos_are_named(tmp_path):
    np.save(tmp_path / 'v.npy', np.zeros((0, 5, 4, 4, 3), np.uint8))
    with pytest.raises(UserError, match='without frames of a video'):
        ArrayReader().open(tmp_path / 'v.npy')
