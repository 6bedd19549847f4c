"""``leokit edit`` and ``leokit manipulate`` with a model of faces: the face is cropped, changed and put back."""

import numpy as np
import pytest
from PIL import Image

from leokit.face_detectors import Face
from leokit.inference import face_cropper
from leokit.utils import UserError
from leokit.video.readers import AutoReader
from support.calling import run_command
from support.tiny_models import SIZE
from support.tiny_runs import ANIMATOR_CONFIG

FACE = (60., 40., 80., 60.)  # its region, twice as large: columns 50 to 90, rows 30 to 70
ROWS, COLUMNS = slice(30, 70), slice(50, 90)


class Detector:
    has_landmarks = False

    def detect(self, frame, *, thorough=False):
        return [Face(np.array(FACE), 1.0)] if frame.shape[:2] == (100, 160) else []


@pytest.fixture
def folder(tmp_path, monkeypatch, models):
    monkeypatch.setattr(face_cropper, 'build_face_detector', lambda config, landmarks: Detector())
    monkeypatch.setattr(face_cropper, 'is_detector_installed', lambda: True)
    frames = np.random.default_rng(0).integers(0, 256, (12, 100, 160, 3), dtype=np.uint8)
    np.save(tmp_path / 'talk.npy', frames)
    Image.fromarray(frames[0]).save(tmp_path / 'photo.png')
    (tmp_path / 'animator.py').write_text(ANIMATOR_CONFIG + "face_crop = dict(type='SquareCropper', scale=2.0)\n")
    return tmp_path


@pytest.fixture
def call(folder, models):
    def run(command, out, *arguments):
        run_command(command, folder / 'animator.py', models['animator'], '--device', 'cpu', '--out', folder / out,
                    *arguments)
        if out.endswith('.png'):
            return np.asarray(Image.open(folder / out))
        with AutoReader().open(folder / out) as video:
            return video.read(range(len(video)))
    return run


def check_pasted(frames, whole):
    """Only pixels of the region differ from the whole frames, and many of them."""
    changed = (frames != whole).any(axis=-1)
    assert frames.shape == whole.shape and changed[..., ROWS, COLUMNS].mean() > 0.8
    changed[..., ROWS, COLUMNS] = False
    assert not changed.any()


def test_a_manipulated_face_is_put_back(call, folder, capsys):
    talk = np.load(folder / 'talk.npy')
    check_pasted(call('manipulate', 'one.png', '--image', folder / 'photo.png', '--apply', '1=2'), talk[0])
    check_pasted(call('manipulate', 'one.npy', '--video', folder / 'talk.npy', '--apply', '1=2'), talk)
    assert capsys.readouterr().out.count('face cropped, pasted back') == 2
    square = call('manipulate', 'square.npy', '--video', folder / 'talk.npy', '--apply', '1=2', '--no-paste-back')
    assert square.shape == (12, SIZE, SIZE, 3)


def test_a_grid_shows_the_face_alone(call, folder):
    grid = ('--directions', '1', '--amounts', '0', '2')
    whole = call('manipulate', 'whole.png', '--image', folder / 'photo.png', *grid, '--crop', 'center')
    face = call('manipulate', 'face.png', '--image', folder / 'photo.png', *grid)
    Image.fromarray(np.load(folder / 'talk.npy')[0][ROWS, COLUMNS]).save(folder / 'square.png')
    cropped = call('manipulate', 'square_grid.png', '--image', folder / 'square.png', *grid, '--crop', 'center')
    assert np.array_equal(face, cropped) and not np.array_equal(face, whole)
    with pytest.raises(UserError, match='--paste-back needs a single result'):
        call('manipulate', 'no.png', '--image', folder / 'photo.png', *grid, '--paste-back')
    with pytest.raises(UserError, match='--face all is an option of leokit animate'):
        call('manipulate', 'no.png', '--image', folder / 'photo.png', '--face', 'all')


def test_the_face_of_an_edited_first_frame_is_put_back(call, folder):
    talk = np.load(folder / 'talk.npy')
    large = Image.fromarray(255 - talk[0]).resize((320, 200), Image.Resampling.NEAREST)  # edited at twice the size
    large.save(folder / 'edited.png')
    frames = call('edit', 'edited.npy', '--video', folder / 'talk.npy', '--edited', folder / 'edited.png')
    check_pasted(frames, talk)
    Image.fromarray((255 - talk[0])[ROWS, COLUMNS]).save(folder / 'square.png')
    np.save(folder / 'square.npy', talk[:, ROWS, COLUMNS])
    expected = call('edit', 'plain.npy', '--video', folder / 'square.npy', '--edited', folder / 'square.png')
    square = call('edit', 'alone.npy', '--video', folder / 'talk.npy', '--edited', folder / 'edited.png',
                  '--no-paste-back')
    assert square.shape == (12, SIZE, SIZE, 3) and np.abs(square.astype(int) - expected).mean() < 3
    assert call('edit', 'blurred.npy', '--video', folder / 'talk.npy', '--editor', 'Recolor',
                '--editor-options', 'hue=90').shape == (12, SIZE, SIZE, 3)  # an editor sees the face alone
    Image.fromarray(talk[0, :, :100]).save(folder / 'other.png')
    with pytest.raises(UserError, match='other.png has 100x100 pixels, another shape than the first frame'):
        call('edit', 'no.npy', '--video', folder / 'talk.npy', '--edited', folder / 'other.png')
    assert not (folder / 'no.npy').exists()
