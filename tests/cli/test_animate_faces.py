"""``leokit animate`` with a model of faces: what was cropped is put back."""

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

LEFT, RIGHT = (30., 40., 50., 60.), (120., 60., 136., 80.)
AROUND = {LEFT: (slice(30, 70), slice(20, 60)), RIGHT: (slice(50, 90), slice(108, 148))}  # twice the longer side


class Detector:
    """Two faces in images that are 160 pixels wide; in videos, where they have a white pixel in a corner."""

    has_landmarks = False

    def detect(self, frame, *, thorough=False):
        if frame.shape[:2] == (100, 160):
            return [Face(np.array(box), 1.0) for box in (LEFT, RIGHT)]
        return [Face(np.array((40., 30., 60., 50.)), 1.0)]


@pytest.fixture
def faces(tmp_path, monkeypatch, models):
    monkeypatch.setattr(face_cropper, 'build_face_detector', lambda config, landmarks: Detector())
    monkeypatch.setattr(face_cropper, 'is_detector_installed', lambda: True)
    generator = np.random.default_rng(0)
    photo = generator.integers(0, 256, (100, 160, 4), dtype=np.uint8)
    photo[..., 3] = 255
    photo[:10, :, 3] = 0
    Image.fromarray(photo).save(tmp_path / 'photo ü.png')
    np.save(tmp_path / 'talk.npy', generator.integers(0, 256, (5, 80, 100, 3), dtype=np.uint8))
    config = tmp_path / 'animator.py'
    config.write_text(ANIMATOR_CONFIG + "face_crop = dict(type='SquareCropper', scale=2.0)\n")

    def animate(out, *arguments, source='photo ü.png', driving='talk.npy'):
        run_command('animate', config, models['animator'], '--source', tmp_path / source, '--driving',
                    tmp_path / driving, '--out', tmp_path / out, '--device', 'cpu', *arguments)
        if out.endswith('.png'):
            return np.asarray(Image.open(tmp_path / out))
        with AutoReader().open(tmp_path / out) as video:
            return video.read(range(len(video)))

    animate.photo, animate.folder = photo, tmp_path
    return animate


def changed(frames, photo):
    """Rows and columns of the pixels that differ from the photo in any frame."""
    rows, columns = np.nonzero((frames != photo).any(axis=(0, -1)))
    return (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) if len(rows) else None


def inside(box, place):
    rows, columns = place
    return rows.start <= box[0] and box[1] <= rows.stop and columns.start <= box[2] and box[3] <= columns.stop


def test_the_face_is_put_back(faces, capsys):
    frames = faces('out.npy')
    white = faces.photo[..., :3].copy()
    white[:10] = 255
    assert frames.shape == (5, 100, 160, 3)
    assert inside(changed(frames, white), AROUND[LEFT])  # the larger face
    assert changed(frames[:, 40:60, 30:50], white[40:60, 30:50])
    assert 'face cropped and pasted back' in capsys.readouterr().out
    alone = faces('alone.npy', '--no-paste-back', '--feather', '0')
    assert alone.shape == (5, SIZE, SIZE, 3)


def test_details_of_the_source_are_kept(faces):
    white = faces.photo[..., :3].copy()
    white[:10] = 255
    # before the driving face has moved, the photo is itself
    kept, lost = (faces(f'{name}.npy', '--start-frame', 'first', *options).astype(int)
                  for name, options in (('kept', ()), ('lost', ('--no-details',))))
    assert np.abs(kept[0] - white).max() <= 1 and np.abs(lost[0] - white).max() > 50
    assert inside(changed(kept, white), AROUND[LEFT]) and changed(kept[1:], white)
    both = faces('both.npy', '--start-frame', 'first', '--face', 'all').astype(int)
    assert np.abs(both[0] - white).max() <= 1 and changed(both[1:], white)[3] > 108


def test_a_resolution_for_faces_that_are_not_pasted_back(faces):
    size = 40  # the face has as many pixels in the photo
    frames = faces('large.npy', '--no-paste-back', '--resolution', str(size), '--start-frame', 'first')
    assert frames.shape == (5, size, size, 3)
    rows, columns = AROUND[LEFT]
    assert np.abs(frames[0].astype(int) - faces.photo[rows, columns, :3]).max() <= 1
    for options, sentence in ((('--resolution', str(size)), 'pass --no-paste-back'),
                              (('--no-paste-back', '--resolution', str(SIZE + 1)), 'must be an even number from'),
                              (('--no-paste-back', '--resolution', str(SIZE - 2)), 'the size of the model'),
                              (('--no-paste-back', '--resolution', '1026'), 'to 1024'),
                              (('--no-paste-back', '--resolution', str(size), '--no-details'), 'one of the two')):
        with pytest.raises(UserError, match=sentence):
            faces('no.npy', '--save-codes', str(faces.folder / 'no.npz'), *options)
    assert not list(faces.folder.glob('no.*'))


def test_options_of_the_paste(faces):
    white = faces.photo[..., :3].copy()
    white[:10] = 255
    assert inside(changed(faces('right.npy', '--face', 'right'), white), AROUND[RIGHT])
    everyone = faces('all.npy', '--face', 'all')
    found = changed(everyone, white)
    assert found[2] < 60 and found[3] > 108 and not (everyone[:, :, 60:108] != white[:, 60:108]).any()
    green = faces('green.npy', '--background', '#00ff00')
    assert (green[:, :10] == (0, 255, 0)).all()
    assert faces('small.npy', '--max-side', '80').shape == (5, 50, 80, 3)
    whole = faces('whole.npy', '--crop', 'center', '--paste-back')  # the central square
    found = changed(whole, white)
    assert found[2] >= 30 and found[3] <= 130 and found[1] - found[0] > 90
    assert faces('center.npy', '--crop', 'center').shape == (5, SIZE, SIZE, 3)


def test_an_image_as_driver(faces):
    white = faces.photo[..., :3].copy()
    white[:10] = 255
    found = faces('out.png', '--face', 'right', driving='photo ü.png')
    assert found.shape == (100, 160, 3) and inside(changed(found[None], white), AROUND[RIGHT])


def test_a_video_as_source(faces, clips, capsys):
    frames = clips.frames(12, 80, 100)
    clips.write(faces.folder / 'film.mp4', frames, rate=50)
    clips.write(faces.folder / 'talk.mp4', clips.frames(8, 80, 100, seed=1), rate=25)
    clips.write(faces.folder / 'loud.mp4', frames, rate=50)
    with AutoReader().open(faces.folder / 'film.mp4') as video:
        source = video.read(range(12))
    found = faces('out.npy', source='film.mp4', driving='talk.mp4')
    # 8 frames at 25 are 16 at 50, the rate of the source, which has 12
    assert found.shape == source.shape
    different = (found != source).any(axis=-1)
    assert different.any(axis=(1, 2)).all() and not different[:, :20].any() and not different[:, :, 70:].any()
    assert 'out.npy: 12 frames' in capsys.readouterr().out
    assert len(faces('slow.npy', '--fps', '25', source='film.mp4', driving='talk.mp4')) == 6


def test_a_video_of_one_frame_is_an_image(faces, clips):
    clips.write(faces.folder / 'still.mp4', clips.frames(1, 80, 100))
    assert faces('out.npy', source='still.mp4').shape == (5, 80, 100, 3)


def test_mistakes_leave_no_file(faces):
    for arguments, message in (
            (('--face', '7'), 'photo ü.png shows 2 faces, so there is no number 7'),
            (('--face', 'up'), "unknown face 'up'"),
            (('--face', 'all', '--no-paste-back'), '2 faces are animated at once'),
            (('--driving-face', 'all'), 'one face drives'),
            (('--crop', 'center', '--face', 'left'), 'a face can be chosen only if')):
        with pytest.raises(UserError, match=message):
            faces('out.npy', *arguments)
    for arguments, message in ((('--background', 'mud'), "'mud' is no color"), (('--feather', '0.7'), 'from 0 to 0.5'),
                               (('--crop', 'tight'), 'invalid choice')):
        with pytest.raises(SystemExit):
            faces('out.npy', *arguments)
    assert not list(faces.folder.glob('out*'))


def test_the_transfer_mode_of_the_weights(faces):
    config = faces.folder / 'animator.py'
    relative, absolute = faces('relative.npy'), faces('absolute.npy', '--mode', 'absolute')
    config.write_text(config.read_text() + "transfer_mode = 'absolute'\n")
    assert np.array_equal(faces('own.npy'), absolute) and not np.array_equal(relative, absolute)
    assert np.array_equal(faces('asked.npy', '--mode', 'relative'), relative)
