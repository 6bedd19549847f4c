"""``Preparation(crop='face')``: clips around the face, wherever in the frame it is."""

import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data

from leokit.datasets.preparation import Preparation, prepare_videos
from leokit.face_detectors import Face
from leokit.preparation import clip_crop
from leokit.utils import UserError
from leokit.video import VideoIndex
from leokit.video.readers import AutoReader

FACE = (169, 72, 277, 180)  # of the astronaut, marked by hand: around eyes, mouth and chin
OTHERS = ((129, 72, 237, 180), (209, 72, 317, 180), (169, 32, 277, 140), (169, 112, 277, 220),  # shifted by 40
          (137, 40, 309, 212), (196, 99, 250, 153))  # 1.6 times as large, half as large


def similarity(first, second):
    return np.corrcoef(first.astype(float).ravel(), second.astype(float).ravel())[0, 1]


def astronaut(box):
    return np.asarray(Image.fromarray(data.astronaut()).crop(box).resize((64, 64), Image.Resampling.BOX))


def read(path):
    with AutoReader().open(path) as video:
        return video.read(range(len(video)))


def test_clips_show_the_face_at_the_edge_of_a_frame(clips, tmp_path):
    frames = np.full((6, 256, 400, 3), 90, np.uint8)
    frames[:, :, :256] = data.astronaut()[:256, 100:356]
    clips.write(tmp_path / 'raw' / 'anna.mp4', frames)
    clips.write(tmp_path / 'raw' / 'nobody.mp4', np.full((2, 256, 400, 3), 90, np.uint8))
    report = prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', Preparation(64, crop='face'))
    assert list(map(str, report.skipped)) == [f'{tmp_path}/raw/nobody.mp4: no face in frames 0 to 1']
    for frame in read(tmp_path / 'out' / 'anna.mp4'):
        assert similarity(frame, astronaut(FACE)) > max(similarity(frame, astronaut(box)) for box in OTHERS)


def test_each_clip_has_one_square_and_clips_without_a_face_are_named(clips, tmp_path, monkeypatch):
    """A detector that finds a bright square, which moves to the right by 4 pixels a frame and leaves at frame 10."""
    class SquareDetector:
        def detect(self, frame, *, thorough=False):
            rows, columns = np.nonzero(frame[..., 0] > 180)
            return [Face(np.array((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), float), 1.0)
                    ] if len(rows) else []

    monkeypatch.setattr(clip_crop, 'clip_detector', lambda *crop: SquareDetector())
    frames = np.full((30, 128, 192, 3), 60, np.uint8)
    for index in range(10):
        frames[index, 32:64, 16 + 4 * index:48 + 4 * index] = 240
    clips.write(tmp_path / 'raw' / 'leaves.mp4', frames)
    settings = Preparation(80, crop='face', max_frames=5)
    report = prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', settings)
    assert list(map(str, report.skipped)) == [
        f'{tmp_path}/raw/leaves.mp4: no face in frames 10 to 14, 15 to 19, 20 to 24, 25 to 29']
    # 16 to 64 and 36 to 84 horizontally, 32 to 64 vertically: 1.2 * 48 is 58 pixels, from 11 and 31, and from 19
    for number, left in ((0, 11), (1, 31)):
        shown = read(tmp_path / 'out' / f'leaves_{number:02d}.mp4')
        expected = [np.asarray(Image.fromarray(frame[19:77, left:left + 58]).resize((80, 80), Image.Resampling.BICUBIC))
                    for frame in frames[5 * number:5 * number + 5]]
        assert shown.shape == (5, 80, 80, 3) and np.abs(shown.astype(int) - np.array(expected)).mean() < 2
    again = prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', settings)
    assert (again.clips, again.written, again.skipped) == (2, 0, report.skipped)


def test_without_dlib_nothing_is_written(clips, tmp_path, monkeypatch):
    clips.write(tmp_path / 'raw' / 'a.mp4', clips.frames(8))
    monkeypatch.setitem(sys.modules, 'dlib', None)
    with pytest.raises(UserError, match='leokit.identity.'):
        prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', Preparation(64, crop='face'))
    assert not (tmp_path / 'out').exists()
    prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', Preparation(64))  # other crops do without
