import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video.readers import NpyReader


def test_reads_arrays(clips, tmp_path):
    np.save(tmp_path / 'a.npy', clips.frames(6))
    with NpyReader(fps=10).open(tmp_path / 'a.npy') as video:
        assert len(video) == 6 and video.fps == 10
        frames = video.read([4, 0, 4])
        assert clips.numbers(frames) == [4, 0, 4]
        frames[:] = 0  # a copy: the file stays as it is
        assert clips.number(video.read([4])[0]) == 4


@pytest.mark.parametrize('content', [
    np.zeros((4, 8, 8, 3), np.float32), np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 8, 4), np.uint8),
    np.zeros((0, 8, 8, 3), np.uint8), np.array([{'a': 1}], dtype=object)],
    ids=['float', 'gray', 'four channels', 'no frames', 'objects'])
def test_other_arrays_are_refused(tmp_path, content):
    np.save(tmp_path / 'a.npy', content, allow_pickle=True)
    with pytest.raises(UserError, match='a.npy'):
        NpyReader().open(tmp_path / 'a.npy')


def test_files_that_are_no_arrays(tmp_path):
    for name, content in {'text.npy': b'text', 'empty.npy': b'', 'cut.npy': b'\x93NUMPY\x01\x00'}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            NpyReader().open(tmp_path / name)
    np.savez(tmp_path / 'several.npz', a=np.zeros(3))
    (tmp_path / 'several.npz').rename(tmp_path / 'several.npy')
    with pytest.raises(UserError, match='several'):
        NpyReader().open(tmp_path / 'several.npy')
