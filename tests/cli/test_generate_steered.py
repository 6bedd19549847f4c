"""``leokit generate`` with key images and with a control sequence."""

import numpy as np
import pytest
import torch
from PIL import Image

import leokit
from leokit.datasets import save_controls
from leokit.models import Animator, MotionDiffusion
from leokit.utils import UserError, load_config
from leokit.utils.checkpoints import save_checkpoint
from leokit.video import read_images
from support.calling import run_command
from support.tiny_models import SIZE, WINDOW
from support.tiny_runs import MOTION_CONFIG

CONTROL = "model['conditioning'] = dict(control=dict(type='MLPControlEncoder', control_dim=2, dim=4))\n"


@pytest.fixture
def images(tmp_path):
    """Paths of four images of noise."""
    random = np.random.default_rng(0)
    for name in 'abcd':
        Image.fromarray(random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)).save(tmp_path / f'{name}.png')
    return {name: tmp_path / f'{name}.png' for name in 'abcd'}


@pytest.fixture
def generate(models, images, tmp_path):
    """Frames of one video, (T, H, W, 3) int; unrelated to what else is in ``tmp_path``."""
    def call(*arguments, start=('--image', images['a']), config=None, checkpoint=None):
        out = tmp_path / f'out_{len(list(tmp_path.iterdir()))}'
        run_command('generate', config or models['motion_config'], checkpoint or models['motion'], *start,
                    '--animator-config', models['animator_config'], '--animator-checkpoint', models['animator'],
                    '--device', 'cpu', '--format', 'npy', '--crop', 'center', '--out', out, *arguments)
        return np.load(next(out.iterdir())).astype(int)
    return call


def posed(models, source, pose):
    """The frame of ``source`` in the pose of another image, by the animator alone, (H, W, 3) int."""
    animator = leokit.load(models['animator_config'], models['animator'], expect=Animator)
    with torch.no_grad():
        frame = animator.transfer(*(read_images(path, SIZE) for path in (source, pose))).frames[0]
    return ((frame.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy().astype(int)


@pytest.mark.parametrize('frames', [WINDOW - 1, WINDOW, 3 * WINDOW + 1])
def test_the_last_frame_and_key_frames_have_the_given_poses(generate, models, images, frames):
    keys = {2: 'c', frames - 2: 'd'} if frames > WINDOW else {2: 'c'}
    video = generate('--num-frames', frames, '--last-image', images['b'], '--key-images',
                     *(f'{images[name]}@{frame}' for frame, name in keys.items()))
    free = generate('--num-frames', frames)
    assert len(video) == frames and np.array_equal(video[0], free[0])
    for frame, name in {**keys, frames - 1: 'b'}.items():
        expected = posed(models, images['a'], images[name])
        assert np.abs(video[frame] - expected).max() <= 1
        assert np.abs(free[frame] - expected).max() > 3


def test_a_continuation_counts_its_own_frames(generate, models, images):
    video = generate('--num-frames', 4, '--key-images', f'{images["b"]}@0', '--last-image', images['c'],
                     start=('--continue', images['a']))
    for frame, name in ((0, 'b'), (3, 'c')):
        assert np.abs(video[frame] - posed(models, images['a'], images[name])).max() <= 1


@pytest.mark.parametrize('arguments, message', [
    (('--key-images', '{b}@0'), r'key image for frame 0, and the frames that can have one are 1 to 4 \(frame 0 is'),
    (('--key-images', '{b}@5'), 'key image for frame 5, and the frames that can have one are 1 to 4'),
    (('--key-images', '{b}@4', '--last-image', '{c}'), 'frame 4 has several key images'),
    (('--last-image', 'missing.png'), 'missing.png'),
    (('--control', '{b}'), 'cannot be read as an array'),
    (('--control-scale', '2'), 'guidance by control with a scale of 2.0 needs a model')])
def test_mistakes_are_one_sentence(generate, images, tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        generate('--num-frames', WINDOW, *(argument.format(**images) for argument in arguments))
    assert not list(tmp_path.glob('out_*'))


def test_a_video_of_one_frame_has_no_key_images(generate, images, tmp_path):
    with pytest.raises(UserError, match='a video of one frame shows the first image, so it takes no key images; ask'):
        generate('--num-frames', 1, '--last-image', images['b'])
    assert not list(tmp_path.glob('out_*'))


@pytest.mark.parametrize('text', ['face.png', 'face.png@', '@3', 'face.png@-1', 'face.png@x'])
def test_a_key_image_without_frame_is_explained(generate, text, capsys):
    with pytest.raises(SystemExit):
        generate('--key-images', text)
    assert 'is not of the form FILE@FRAME' in capsys.readouterr().err


def test_key_images_need_a_first_frame(models, images, tmp_path):
    with pytest.raises(UserError, match='--last-image, --key-images and --control need a first frame'):
        run_command('generate', models['motion_config'], models['motion'], '--unconditional', 1, '--last-image',
                    images['b'], '--out', tmp_path / 'out')


@pytest.fixture
def controlled(models, tmp_path):
    """Config and checkpoint of a motion diffusion with a control of two channels."""
    config, checkpoint = tmp_path / 'controlled.py', tmp_path / 'controlled.pth'
    config.write_text(MOTION_CONFIG + CONTROL)
    torch.manual_seed(0)
    model = leokit.registry.MODELS.build(load_config(config).model)
    known = leokit.load(models['motion_config'], models['motion'], expect=MotionDiffusion)
    model.load_state_dict(known.state_dict(), strict=False)
    torch.nn.init.normal_(model.backbone.control.linear.weight)
    save_checkpoint(dict(meta=dict(model='MotionDiffusion'), state_dict=model.state_dict()), checkpoint)
    return dict(config=config, checkpoint=checkpoint)


def test_a_control_sets_motion_and_length(generate, controlled, tmp_path):
    rows = np.random.default_rng(0).normal(size=(2 * WINDOW + 1, 2))
    np.save(tmp_path / 'control.npy', rows)
    save_controls(tmp_path / 'control.npz', dict(clip=rows), channels=('x', 'y'))
    videos = [generate(*arguments, **controlled) for arguments in (
        ('--control', tmp_path / 'control.npy'), ('--control', tmp_path / 'control.npz'),
        ('--control', tmp_path / 'control.npy', '--control-scale', 3), ('--num-frames', len(rows)))]
    assert [len(video) for video in videos] == [len(rows)] * 4
    assert np.array_equal(videos[0], videos[1])
    assert np.abs(videos[0] - videos[2]).max() > 3 and np.abs(videos[0] - videos[3]).max() > 3


@pytest.mark.parametrize('start', ['--image', '--continue'])
def test_a_control_of_another_length_is_one_sentence(generate, controlled, images, tmp_path, start):
    np.save(tmp_path / 'control.npy', np.zeros((7, 2)))
    with pytest.raises(UserError, match='the control sequence has 7 frames and the motion 9'):
        generate('--control', tmp_path / 'control.npy', '--num-frames', 9, start=(start, images['a']), **controlled)
    np.save(tmp_path / 'wide.npy', np.zeros(7))
    with pytest.raises(UserError, match='wide.npy must hold numbers of shape'):
        generate('--control', tmp_path / 'wide.npy', **controlled)
