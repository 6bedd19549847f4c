"""``leokit animate``: one frame out for each driving frame."""

import shutil

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video.readers import AutoReader
from support.tiny_models import SIZE
from support.calling import run_command
from support.tiny_runs import write_leo


USAGE = shutil.disk_usage('.')


@pytest.fixture
def inputs(tmp_path):
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 2**16, (50, 50), dtype=np.uint16)).save(tmp_path / 'deep.png')
    np.save(tmp_path / 'driving.npy', generator.integers(0, 256, (9, 48, 40, 3), dtype=np.uint8))
    return tmp_path


def animate(models, inputs, out, *arguments, driving='driving.npy', source='deep.png'):
    run_command('animate', models['animator_config'], models['animator'], '--source', inputs / source,
        '--driving', inputs / driving, '--out', inputs / out, '--device', 'cpu', *arguments)


def test_modes_and_chunks(models, inputs):
    frames = {}
    for name, arguments in dict(relative=(), chunked=('--chunk-size', 2), absolute=('--mode', 'absolute')).items():
        animate(models, inputs, name, *arguments)
        with AutoReader().open(inputs / name) as video:
            frames[name] = video.read(range(len(video))).astype(int)
        assert frames[name].shape == (9, SIZE, SIZE, 3)
    assert np.abs(frames['relative'] - frames['chunked']).max() <= 1
    assert np.abs(frames['relative'] - frames['absolute']).max() > 5


def test_video_file_with_the_rate_of_the_driving_one(models, inputs):
    animate(models, inputs, 'out.mp4')
    animate(models, inputs, 'slow.mp4', '--fps', 5)
    # 9 frames at 25 frames per second are 0.36 s, which is nearest to 2 frames at 5
    for name, fps, count in (('out.mp4', 25, 9), ('slow.mp4', 5, 2)):
        with AutoReader().open(inputs / name) as video:
            assert len(video) == count and video.fps == fps


def test_bad_inputs_leave_no_file(models, inputs):
    (inputs / 'broken.mp4').write_bytes(b'')
    np.save(inputs / 'none.npy', np.zeros((0, 8, 8, 3), np.uint8))
    for options in (dict(driving='broken.mp4'), dict(driving='none.npy'), dict(driving='missing.mp4'),
                    dict(source='driving.npy'), dict(source='missing.png')):
        with pytest.raises(UserError, match=next(iter(options.values()))):
            animate(models, inputs, 'out.mp4', **options)
        assert not list(inputs.glob('out*'))


def test_the_animator_of_a_leo_config(models, inputs):
    config = write_leo(inputs / 'leo')
    animate(models, inputs, 'own.npy')
    run_command('animate', config, '--source', inputs / 'deep.png', '--driving', inputs / 'driving.npy', '--out',
        inputs / 'named.npy', '--device', 'cpu')
    assert np.array_equal(np.load(inputs / 'own.npy'), np.load(inputs / 'named.npy'))


def test_a_full_disk(monkeypatch, models, inputs):
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: type(USAGE)(1, 1, 100))
    with pytest.raises(UserError, match='out.npy of 9 frames with 32x32 pixels need about'):
        animate(models, inputs, 'out.npy')
    assert not list(inputs.glob('out*'))
