import os

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video.readers import FrameFolderReader, frame_files


def write(folder, frames, name='frame_{}.png'):
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / name.format(number))
    return folder


def test_frames_in_natural_order(clips, tmp_path):
    folder = write(tmp_path / 'clip ü', clips.frames(12))
    (folder / '.hidden.png').write_bytes(b'')
    (folder / 'notes.txt').write_text('not an image')
    with FrameFolderReader(fps=30).open(folder) as video:
        assert len(video) == 12 and video.fps == 30
        assert clips.numbers(video.read([11, 2, 2, 10])) == [11, 2, 2, 10]
        assert np.array_equal(video.read(range(12)), clips.frames(12))


def test_natural_order_of_mixed_names(tmp_path):
    for name in ('b.png', '10.png', '9.jpg', 'a2.PNG', 'a10.png', 'a.png'):
        (tmp_path / name).write_bytes(b'')
    assert frame_files(tmp_path) == ['9.jpg', '10.png', 'a2.PNG', 'a10.png', 'a.png', 'b.png']


def test_a_folder_that_grew_is_listed_again(clips, tmp_path):
    reader = FrameFolderReader()
    folder = write(tmp_path / 'a', clips.frames(3))
    assert len(reader.open(folder)) == len(reader.open(folder)) == 3
    write(folder, clips.frames(5))
    os.utime(folder, (0, 0))
    assert len(reader.open(folder)) == 5


def test_problems_are_named(clips, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='no images'):
        FrameFolderReader().open(tmp_path / 'empty')
    with pytest.raises(UserError, match='does not exist'):
        FrameFolderReader().open(tmp_path / 'missing')
    folder = write(tmp_path / 'sizes', clips.frames(3))
    Image.fromarray(clips.frames(1, 64, 64)[0]).save(folder / 'frame_1.png')
    with FrameFolderReader().open(folder) as video:
        with pytest.raises(UserError, match='frame_1.png is 64x64'):
            video.read([0, 1])
    (folder / 'frame_2.png').write_bytes(b'broken')
    with FrameFolderReader().open(folder) as video:
        with pytest.raises(UserError, match='frame_2.png'):
            video.read([2])


@pytest.mark.parametrize('extra', ['frame_1.jpg', 'frame_1_mask.png', 'frame_1-depth.png'])
def test_a_second_image_of_a_frame_is_noticed(clips, tmp_path, extra):
    folder = write(tmp_path / 'a', clips.frames(3))
    assert len(FrameFolderReader().open(folder)) == 3
    Image.fromarray(clips.frames(1)[0]).save(folder / extra)
    with pytest.raises(UserError, match=extra):
        FrameFolderReader().open(folder)
