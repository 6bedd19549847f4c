"""What a config names becomes LEO; what does not belong together is one sentence that names both."""

import copy

import pytest
import torch

import leokit
from leokit.inference import LEO, StartFrameSampler, loading
from leokit.long_video import History
from leokit.models import Animator, StartCodeDiffusion
from leokit.utils import UserError, load_config
from support.tiny_models import MOTION_DIM, SIZE, make_animator, make_motion_diffusion, make_start_code, \
    make_start_frame
from support.tiny_runs import write_leo


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    return write_leo(tmp_path_factory.mktemp('leo'))


@pytest.fixture
def models(animator, motion_diffusion, start_code, start_frame):
    return dict(animator=animator, motion_diffusion=motion_diffusion, start_code=start_code, start_frame=start_frame)


def test_all_models_of_a_config(config):
    leo = leokit.load(config)
    frames = torch.cat(list(leo.unconditional(2, 7, seed=1)), dim=1)
    assert frames.shape == (2, 7, 3, SIZE, SIZE)
    assert isinstance(leo.generator.motion_diffusion.long_video, History)
    loaded = leokit.load(load_config(config), cfg_options={'long_video.context_frames': 3})
    assert loaded.generator.motion_diffusion.long_video.context_frames == 3
    assert torch.equal(torch.cat(list(loaded.unconditional(2, 3, seed=1)), dim=1)[:, 0], frames[:, 0])


def test_a_part_may_be_left_out_or_changed(config):
    leo = leokit.load(config, cfg_options=dict(start_frame=None))
    leo.from_image(torch.zeros(3, SIZE, SIZE), 3)
    with pytest.raises(UserError, match='needs a motion_diffusion, a start_code and a start_frame'):
        leo.unconditional(1, 3)
    leo = leokit.load(config, cfg_options={'motion_diffusion.cfg_options': {'model.sampler.num_inference_steps': 7}})
    assert leo.generator.motion_diffusion.diffusion.sampler.num_inference_steps == 7


@pytest.mark.parametrize('options, message', [
    (dict(animator=None), 'names no trained models'),
    ({'start_code': 'x.pth'}, r'start_code in .* must be dict\(config=..., checkpoint=...\)'),
    ({'start_code': dict(_delete_=True, config='a.py', checkpoint='a.pth', step=1)}, 'start_code.step'),
    ({'motion_diffusion.checkpoint': 'none.pth'},
     'none.pth of motion_diffusion in .* does not exist; .* --cfg-options motion_diffusion=None'),
    ({'start_code.config': '{folder}/motion.py', 'start_code.checkpoint': '{folder}/motion.pth'},
     'builds MotionDiffusion; pass a config of StartCodeDiffusion')])
def test_invalid_entries(config, options, message):
    options = {key: value.format(folder=config.parent) if isinstance(value, str) else value
               for key, value in options.items()}
    with pytest.raises(UserError, match=message):
        leokit.load(config, cfg_options=options, expect=LEO)


def test_models_that_are_not_trained_yet_are_missed_when_they_are_needed(config, monkeypatch):
    said = []
    monkeypatch.setattr(loading, 'print_log', lambda text, **options: said.append(text))
    leo = leokit.load(config, cfg_options={'start_frame.checkpoint': 'none.pth'})
    assert len(said) == 1 and 'none.pth of start_frame' in said[0]
    assert len(list(leo.from_image(torch.zeros(3, SIZE, SIZE), 3)))
    with pytest.raises(UserError, match='not available: the checkpoint none.pth of start_frame in .* does not exist; '
                                        'train it with leokit train'):
        leo.unconditional(1, 3)


OTHER = make_animator(seed=9).weights_hash()


def leo_of(models, **changed):
    """LEO of models that know their files."""
    models = copy.deepcopy({**models, **changed})
    for name, model in models.items():
        model.checkpoint = f'{name}.pth'
    second = models.pop('start_frame_sr', None)
    sampler = StartFrameSampler(models.pop('start_frame'), second)
    return LEO(models.pop('animator'), start_frame_sampler=sampler, **models)


@pytest.mark.parametrize('part, name, make', [
    ('motion_diffusion', 'motion diffusion', make_motion_diffusion),
    ('start_code', 'starting-code model', make_start_code), ('start_frame', 'starting-frame model', make_start_frame)])
def test_models_of_another_animator(models, part, name, make):
    known = models['animator'].weights_hash()[:12]
    with pytest.raises(UserError, match=f'the animator animator.pth and the {name} {part}.pth belong to different '
                                        f'animators .{known} and {OTHER[:12]}.'):
        leo_of(models, **{part: make(OTHER)})
    with pytest.raises(UserError, match=f'the animator animator.pth and the {name} {part}.pth have different motion '
                                        f'dimensions .{MOTION_DIM} and 6.'):
        leo_of(models, **{part: make(None, motion_dim=6)})


def test_frames_of_another_size(models, animator):
    known = animator.weights_hash()
    half = make_start_frame(known, size=SIZE // 2)
    with pytest.raises(UserError, match='start_frame.pth samples frames of 16 pixels and the animator animator.pth '
                                        'takes 32'):
        leo_of(models, start_frame=half)
    second = make_start_frame(known, low=dict(size=SIZE // 2))
    leo = leo_of(models, start_frame=half, start_frame_sr=second)
    assert leo.unconditional_generator.start_frame_sampler.size == SIZE
    with pytest.raises(UserError, match='start_frame_sr.pth samples frames of 24 pixels'):
        leo_of(models, start_frame=half, start_frame_sr=make_start_frame(known, size=24, low=dict(size=SIZE // 2)))
    with pytest.raises(UserError, match='super-resolution starting-frame model start_frame_sr.pth belong to different'):
        leo_of(models, start_frame=half, start_frame_sr=make_start_frame(OTHER, low=dict(size=16)))


def test_one_model_of_the_config(config):
    folder = config.parent
    animator = leokit.load(config, expect=Animator)
    assert animator.checkpoint == folder / 'animator.pth'
    assert leokit.load(config, expect=StartCodeDiffusion).checkpoint == folder / 'start_code.pth'
    other = leokit.load(folder / 'animator.py', folder / 'animator.pth', expect=Animator)
    assert other.weights_hash() == animator.weights_hash() and other.checkpoint == folder / 'animator.pth'
    with pytest.raises(UserError, match='names its checkpoints; leave x.pth out'):
        leokit.load(config, 'x.pth', expect=Animator)
    with pytest.raises(ValueError, match='expect=Linear is no model of LEO'):
        leokit.load(config, expect=torch.nn.Linear)
