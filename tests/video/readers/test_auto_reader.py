from threading import Thread

import numpy as np
import pytest
from PIL import Image

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers import AutoReader


def test_chooses_by_the_kind_of_file(clips, tmp_path):
    frames = clips.frames(5)
    (tmp_path / 'folder.mp4').mkdir()  # datasets of frame folders are named like this
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / 'folder.mp4' / f'{number}.png')
    np.save(tmp_path / 'array.npy', frames)
    clips.write(tmp_path / 'file.mp4', frames)
    clips.write(tmp_path / 'moving.gif', frames, codec='gif', pixels='rgb8', b_frames=0)
    reader = VIDEO_READERS.build(dict(type='AutoReader', fps=12))
    for name, fps in {'folder.mp4': 12, 'array.npy': 12, 'file.mp4': 25, 'moving.gif': 25}.items():
        with reader.open(tmp_path / name) as video:
            assert clips.numbers(video.read(range(5))) == [0, 1, 2, 3, 4], name
            assert video.fps == fps


def test_the_next_reader_is_tried_when_one_refuses(clips, tmp_path):
    path = clips.write(tmp_path / 'a.avi', clips.frames(9))
    readers = [dict(type='DecordReader'), dict(type='PyAVReader')]
    with pytest.raises(UserError):
        AutoReader(readers[:1]).open(path)
    with AutoReader(readers).open(path) as video:
        assert clips.numbers(video.read(range(9))) == list(range(9))


def test_problems_are_named(tmp_path):
    with pytest.raises(UserError, match='missing.mp4'):
        AutoReader([dict(type='DecordReader'), dict(type='PyAVReader')]).open(tmp_path / 'missing.mp4')
    with pytest.raises(ValueError):
        AutoReader(file_readers=())


def test_a_reader_can_be_built_in_a_thread_while_a_lock_of_the_registries_is_taken():
    from mmengine.utils.manager import _accquire_lock, _release_lock  # an exception inside MMEngine leaves it taken
    built = []
    _accquire_lock()
    try:
        thread = Thread(target=lambda: built.append(AutoReader()), daemon=True)
        thread.start()
        thread.join(timeout=10)
    finally:
        _release_lock()
    assert built
