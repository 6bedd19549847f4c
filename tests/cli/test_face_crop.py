"""``--crop`` of ``leokit animate`` and ``leokit generate``."""

import numpy as np
import pytest
from PIL import Image
from support.calling import run_command
from support.tiny_runs import write_leo

from leokit.face_detectors import DlibFaceDetector, Face
from leokit.utils import UserError

BOX = np.array((100., 50., 200., 130.))
CROPPED = (slice(30, 150), slice(90, 210))  # 1.2 * 100 pixels around (150, 90)


@pytest.fixture
def inputs(tmp_path):
    generator = np.random.default_rng(0)
    source = generator.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    driving = generator.integers(0, 256, (9, 240, 320, 3), dtype=np.uint8)
    for name, rows, columns in (('whole', slice(None), slice(None)), ('cropped', *CROPPED)):
        Image.fromarray(source[rows, columns]).save(tmp_path / f'{name}.png')
        np.save(tmp_path / f'{name}.npy', driving[:, rows, columns])
    return tmp_path


@pytest.fixture
def face_at_box(monkeypatch):
    monkeypatch.setattr(DlibFaceDetector, '__init__', lambda self, landmarks: None)
    monkeypatch.setattr(DlibFaceDetector, 'detect', lambda self, frame, thorough=False: [Face(BOX, 1.0)])


def animate(models, inputs, name, out, *arguments):
    run_command('animate', models['animator_config'], models['animator'], '--source', inputs / f'{name}.png',
                '--driving', inputs / f'{name}.npy', '--out', inputs / out, '--device', 'cpu', '--no-paste-back',
                *arguments)
    return np.load(inputs / out)


def generate(config, inputs, start, name, out, *arguments):
    run_command('generate', config, start, inputs / name, '--num-frames', 3, '--format', 'npy', '--out', inputs / out,
                '--device', 'cpu', *arguments)
    return np.load(next((inputs / out).glob('*.npy')))


@pytest.mark.parametrize('rate', [(), ('--fps', 10)])
def test_animate_crops_source_and_driving_video(models, inputs, face_at_box, rate):
    cropped = animate(models, inputs, 'cropped', 'expected.npy', *rate)
    assert np.array_equal(animate(models, inputs, 'whole', 'face.npy', '--crop', 'face', *rate), cropped)
    wide = animate(models, inputs, 'whole', 'wide.npy', '--crop', 'face_wide', *rate)
    center = animate(models, inputs, 'whole', 'center.npy', '--crop', 'center', *rate)
    squeezed = animate(models, inputs, 'whole', 'squeezed.npy', '--crop', 'none', *rate)
    results = (cropped, wide, center, squeezed)
    assert all(not np.array_equal(one, other) for index, one in enumerate(results) for other in results[:index])
    assert np.array_equal(animate(models, inputs, 'whole', 'default.npy', *rate), center)


@pytest.mark.parametrize('start, suffix', [('--image', 'png'), ('--video', 'npy'), ('--continue', 'npy')])
def test_generate_crops_the_start_frame(inputs, face_at_box, start, suffix):
    config = write_leo(inputs / 'leo')
    expected = generate(config, inputs, start, f'cropped.{suffix}', 'expected')
    assert np.array_equal(generate(config, inputs, start, f'whole.{suffix}', 'face', '--crop', 'face'), expected)
    assert not np.array_equal(generate(config, inputs, start, f'whole.{suffix}', 'center'), expected)


def test_no_face_is_an_error_that_names_the_file(models, inputs):
    with pytest.raises(UserError, match='no face was found in .*whole.png; .*crop it'):
        animate(models, inputs, 'whole', 'out.npy', '--crop', 'face')
    with pytest.raises(UserError, match='no face was found in frame 8 of .*whole.npy'):
        generate(write_leo(inputs / 'leo'), inputs, '--continue', 'whole.npy', 'out', '--crop', 'face')
    with pytest.raises(UserError, match='leave it out with --unconditional'):
        run_command('generate', write_leo(inputs / 'leo2'), '--unconditional', 1, '--out', inputs / 'out', '--crop',
                    'face')
    assert not list(inputs.glob('out*'))
