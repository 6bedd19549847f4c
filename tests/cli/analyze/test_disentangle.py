"""``leokit analyze disentangle``: grids, figures and sentences."""

import json

import numpy as np
import pytest
from PIL import Image

from leokit.datasets import CodeCacheWriter
from leokit.synthetic_faces import SyntheticFacesPlan, load_truth
from leokit.synthetic_faces.ground_truth import save_truth
from leokit.utils import UserError
from leokit.video import read_image
from leokit.video.readers import AutoReader
from support.tiny_models import MOTION_DIM, SIZE, make_animator
from support.calling import run_command
from support.tiny_runs import write_leo, write_models

COMMAND = 'analyze disentangle'


@pytest.fixture
def inputs(tmp_path):
    generator = np.random.default_rng(0)
    (tmp_path / 'portraits').mkdir()
    (tmp_path / 'videos').mkdir()
    for name in 'abc':
        shape = (SIZE, SIZE) if name == 'a' else (40, 36, 4)
        Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / 'portraits' / f'{name}.png')
        np.save(tmp_path / 'videos' / f'{name}.npy', generator.integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8))
    return tmp_path


@pytest.fixture
def disentangle(models, inputs):
    def call(*arguments, sources=('portraits',), config=(models['animator_config'], models['animator'])):
        run_command(COMMAND, *config, '--device', 'cpu', '--num-frames', 5, '--extractor', 'ColorStatistics', '--out',
                    inputs / 'out', '--source', *(inputs / name for name in sources), *arguments)
        return json.loads((inputs / 'out' / 'result.json').read_text())
    return call


def test_driving_videos(disentangle, inputs, capsys):
    result = disentangle('--driving', inputs / 'videos', '--num-sources', 2)
    assert result['identities'] == ['a', 'c'] and result['motions'] == ['a', 'b', 'c'] and result['frames'] == 5
    assert result['animator']['weights_hash'] == make_animator().weights_hash() and 'probe' not in result
    said = capsys.readouterr().out
    assert '2 identities in 3 motions of 5 frames, relative transfer' in said and 'color_mean_std_histogram16' in said
    with AutoReader().open(inputs / 'out' / 'grid.mp4') as video:
        assert len(video) == 5
    grid = read_image(inputs / 'out' / 'grid.png')
    assert grid.shape[0] > 3 * 96 and grid.shape[1] > 4 * 96
    assert read_image(inputs / 'out' / 'one_person.png').shape[0] > 6 * 96
    assert read_image(inputs / 'out' / 'one_motion.png').shape[0] > 3 * 96


def generating(models, count):
    return ('--num-sequences', count, '--motion-diffusion-config', models['motion_config'],
            '--motion-diffusion-checkpoint', models['motion'])


def test_generated_motions(disentangle, models):
    result = disentangle(*generating(models, 3), '--mode', 'absolute')
    assert result['motions'] == ['sample 0', 'sample 1', 'sample 2'] and result['mode'] == 'absolute'
    assert 'real' not in result['motion']['pixel_change']


def test_all_models_from_one_config(disentangle, models, inputs, tmp_path):
    apart = disentangle(*generating(models, 2))
    config = write_leo(tmp_path)
    together = disentangle('--num-sequences', 2, config=(config, ))
    assert together['motion'] == apart['motion'] and together['identity'] == apart['identity']
    assert disentangle('--driving', inputs / 'videos', config=(config, ))['motions'] == ['a', 'b', 'c']


def test_probe_of_the_ground_truth(disentangle, inputs, tmp_path, capsys):
    plan = SyntheticFacesPlan(num_identities=8, clips_per_identity=1, num_frames=12, size=32, train=0.7, val=0,
                              test=0.3)
    save_truth(tmp_path, plan)
    truth, made_by = load_truth(tmp_path), dict(weights_hash=make_animator().weights_hash(), config='', checkpoint='')
    with CodeCacheWriter(tmp_path / 'codes', MOTION_DIM, animator=made_by) as writer:
        for clip in plan.clips():
            codes = truth.motion[truth.index(clip.name)] / truth.motion.std((0, 1)).clip(1e-3)
            writer.add(clip.name, codes[:, :MOTION_DIM], identity=clip.identity, split=clip.split)
    result = disentangle('--driving', inputs / 'videos', '--ground-truth', tmp_path, '--codes', tmp_path / 'codes')
    assert min(result['probe']['motion'][name] for name in truth.motion_names[:MOTION_DIM]) > 0.99
    assert 'appearance: mean' in capsys.readouterr().out


@pytest.mark.parametrize('arguments, message', [
    (('--driving', 'nowhere'), 'nowhere does not exist'),
    (('--driving', 'videos', '--ground-truth', 'x'), '--ground-truth and --codes go together'),
    (('--num-sequences', 3), '--motion-diffusion-checkpoint. go together'),
    (('--driving', 'videos', '--extractor', 'FaceIdentiti'), "did you mean 'FaceIdentity'"),
    (('--driving', 'videos', '--split', 'holdout'), "split 'holdout'")])
def test_bad_input(disentangle, inputs, monkeypatch, arguments, message):
    monkeypatch.chdir(inputs)
    with pytest.raises(UserError, match=message) as error:
        disentangle(*arguments)
    assert '\n' not in str(error.value) and not (inputs / 'out').exists()


def test_a_config_without_its_checkpoint(disentangle, models, inputs):
    for arguments, message in (
            (('--driving', inputs / 'videos'), 'so its checkpoint is needed'),
            (('--num-sequences', 2, '--motion-diffusion-config', 'x'), 'so its checkpoint is needed'),
            (('--driving', inputs / 'videos', '--motion-diffusion-config', 'x'), 'go together: pass both or neither')):
        with pytest.raises(UserError, match=message):
            disentangle(*arguments, config=(models['animator_config'], ))


def test_models_that_do_not_belong_together(disentangle, models, inputs, tmp_path):
    other = write_models(tmp_path, seed=7)
    with pytest.raises(UserError, match='belong to different animators'):
        disentangle(*generating(other, 3))
    with CodeCacheWriter(inputs / 'codes', MOTION_DIM, animator=dict(
            weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        writer.add('a', np.zeros((2, MOTION_DIM), np.float32), identity='a')
    with pytest.raises(UserError, match='belong to different animators'):
        disentangle('--driving', inputs / 'videos', '--ground-truth', inputs, '--codes', inputs / 'codes')
