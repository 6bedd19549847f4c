"""``leokit manipulate``: labeled grids and single results."""

import json

import numpy as np
import pytest
from PIL import Image

from leokit.datasets import CodeCacheWriter
from leokit.utils import UserError
from leokit.video import read_image
from leokit.video.readers import AutoReader
from support.tiny_models import MOTION_DIM, SIZE, make_animator
from support.calling import run_command
from support.sounding import probe, write_sounding
from support.tiny_runs import write_models


@pytest.fixture
def inputs(tmp_path):
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 256, (40, 36, 4), dtype=np.uint8)).save(tmp_path / 'face.png')
    np.save(tmp_path / 'talk.npy', generator.integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8))
    return tmp_path


@pytest.fixture
def manipulate(models, inputs):
    def call(*arguments, paths=models):
        run_command('manipulate', paths['animator_config'], paths['animator'], '--device', 'cpu', *arguments)
    return call


def test_grid_of_an_image(manipulate, inputs):
    manipulate('--image', inputs / 'face.png', '--out', inputs / 'all.png')
    manipulate('--image', inputs / 'face.png', '--directions', 1, '--amounts', -3, 3, '--out', inputs / 'one.png')
    everything, one = read_image(inputs / 'all.png'), read_image(inputs / 'one.png')
    cell = everything.shape[0] // MOTION_DIM
    assert everything.shape[1] > 5 * (cell - 30) and one.shape[1] < everything.shape[1]
    assert one.shape[0] < everything.shape[0]


def test_grid_of_a_video(manipulate, inputs):
    manipulate('--video', inputs / 'talk.npy', '--directions', 0, 2, '--amounts', 0, 1, '--out', inputs / 'grid.mp4')
    with AutoReader().open(inputs / 'grid.mp4') as video:
        assert len(video) == 5
        assert video.read([0]).shape[1] > 2 * SIZE


def test_offsets_are_summed(manipulate, inputs, tmp_path):
    paths = write_models(tmp_path)
    (tmp_path / 'directions.json').write_text(json.dumps(dict(turn=1, both={'0': 1.0, '1': 0.5})))
    results = {}
    for name, moves in dict(none=['turn=0'], together=['0=2', 'turn=1'], named=['both=2'],
                            parts=['both=1', 'both=1']).items():
        manipulate('--image', inputs / 'face.png', '--apply', *moves, '--out', inputs / f'{name}.png', paths=paths)
        results[name] = read_image(inputs / f'{name}.png').astype(int)
        assert results[name].shape == (SIZE, SIZE, 3)
    assert np.abs(results['together'] - results['named']).max() <= 1
    assert np.abs(results['together'] - results['parts']).max() <= 1
    assert np.abs(results['together'] - results['none']).max() > 5


def test_amounts_in_standard_deviations(manipulate, inputs):
    codes = np.zeros((2, MOTION_DIM), np.float32)
    codes[:, 0] = (-4, 4)
    with CodeCacheWriter(inputs / 'codes', MOTION_DIM, animator=dict(
            weights_hash=make_animator().weights_hash(), config='', checkpoint='')) as writer:
        writer.add('a', codes, identity='a')
    image = ('--image', inputs / 'face.png')
    manipulate(*image, '--apply', '0=0.5', '--codes', inputs / 'codes', '--out', inputs / 'a.png')
    manipulate(*image, '--apply', '0=2', '--out', inputs / 'b.png')
    assert np.array_equal(read_image(inputs / 'a.png'), read_image(inputs / 'b.png'))


@pytest.mark.parametrize('arguments, message', [
    (('--apply', 'turn'), 'NAME=NUMBER'), (('--apply', 'turn=1'), "no direction 'turn'"),
    (('--directions', '9'), "no direction '9'")])
def test_bad_offsets(manipulate, inputs, arguments, message):
    with pytest.raises(UserError, match=message):
        manipulate('--image', inputs / 'face.png', '--out', inputs / 'out.png', *arguments)
    assert not (inputs / 'out.png').exists()


def test_image_to_a_video_file(manipulate, inputs):
    with pytest.raises(UserError, match='an image is written to .png'):
        manipulate('--image', inputs / 'face.png', '--out', inputs / 'out.mp4')
    with pytest.raises(UserError, match='a video to .mp4'):
        manipulate('--video', inputs / 'talk.npy', '--out', inputs / 'out.png')


def test_gray_image_and_video_without_frames(manipulate, inputs):
    Image.fromarray(np.full((30, 30), 99, np.uint8)).save(inputs / 'gray.png')
    manipulate('--image', inputs / 'gray.png', '--apply', '0=1', '--out', inputs / 'out.png')
    assert read_image(inputs / 'out.png').shape == (SIZE, SIZE, 3)
    np.save(inputs / 'empty.npy', np.zeros((0, 8, 8, 3), np.uint8))
    with pytest.raises(UserError, match='empty.npy'):
        manipulate('--video', inputs / 'empty.npy', '--out', inputs / 'out.mp4')
    assert not (inputs / 'out.mp4').exists()


def test_codes_of_another_animator(manipulate, inputs):
    with CodeCacheWriter(inputs / 'codes', MOTION_DIM, animator=dict(
            weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        writer.add('a', np.zeros((2, MOTION_DIM), np.float32), identity='a')
    with pytest.raises(UserError, match='belong to different animators'):
        manipulate('--image', inputs / 'face.png', '--codes', inputs / 'codes', '--out', inputs / 'out.png')


def test_sound_of_the_video_is_kept(models, tmp_path):
    frames = np.random.default_rng(1).integers(0, 256, (10, 48, 48, 3), dtype=np.uint8)
    talk = write_sounding(tmp_path / 'talk.mp4', frames, 2.0)
    for name, arguments, codec in (('a.mp4', (), 'aac'), ('b.mp4', ('--audio', 'none'), None)):
        run_command('manipulate', models['animator_config'], models['animator'], '--video', talk, '--apply', '0=0.5',
                    '--out', tmp_path / name, '--device', 'cpu', *arguments)
        streams = probe(tmp_path / name)
        assert streams['video']['nb_frames'] == '10' and streams.get('audio', {}).get('codec_name') == codec
