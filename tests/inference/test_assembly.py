"""What a config names becomes LEO; what does not belong together is one sentence that names both."""

import pytest
import torch

from leokit.inference import LEO, assemble, load_named_animator, load_parts
from leokit.long_video import History
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


SOURCES = {part: f'{part}.pth' for part in ('animator', 'motion_diffusion', 'start_code', 'start_frame',
                                            'start_frame_sr')}


def test_all_models_of_a_config(config):
    leo = LEO.from_config(config)
    frames = torch.cat(list(leo.unconditional(2, 7, seed=1)), dim=1)
    assert frames.shape == (2, 7, 3, SIZE, SIZE)
    assert isinstance(leo.generator.motion_diffusion.long_video, History)
    loaded = LEO.from_config(load_config(config), cfg_options={'long_video.context_frames': 3})
    assert loaded.generator.motion_diffusion.long_video.context_frames == 3
    assert torch.equal(torch.cat(list(loaded.unconditional(2, 3, seed=1)), dim=1)[:, 0], frames[:, 0])


def test_a_part_may_be_left_out_or_changed(config):
    leo = LEO.from_config(config, cfg_options=dict(start_frame=None))
    leo.from_image(torch.zeros(3, SIZE, SIZE), 3)
    with pytest.raises(UserError, match='need a motion_diffusion, a start_code and a start_frame'):
        leo.unconditional(1, 3)
    parts = load_parts(config, cfg_options={'motion_diffusion.cfg_options': {'model.sampler.num_inference_steps': 7}})
    assert parts.motion_diffusion.diffusion.sampler.num_inference_steps == 7


@pytest.mark.parametrize('options, message', [
    (dict(animator=None), 'names no trained models'),
    ({'start_code': 'x.pth'}, r'start_code in .* must be dict\(config=..., checkpoint=...\)'),
    ({'start_code': dict(_delete_=True, config='a.py', checkpoint='a.pth', step=1)}, 'start_code.step'),
    ({'start_frame.checkpoint': 'none.pth'}, 'none.pth of start_frame in .*--cfg-options start_frame=None'),
    ({'start_code.config': '{folder}/motion.py', 'start_code.checkpoint': '{folder}/motion.pth'},
     'builds MotionDiffusion; here a config of a start-code model')])
def test_bad_entries_are_one_sentence(config, options, message):
    options = {key: value.format(folder=config.parent) if isinstance(value, str) else value
               for key, value in options.items()}
    with pytest.raises(UserError, match=message):
        load_parts(config, cfg_options=options)


OTHER = make_animator(seed=9).weights_hash()


@pytest.mark.parametrize('part, make', [
    ('motion_diffusion', make_motion_diffusion), ('start_code', make_start_code), ('start_frame', make_start_frame)])
def test_models_of_another_animator(models, part, make):
    with pytest.raises(UserError, match=f'the {part} {part}.pth was trained on the codes of the animator '
                                        f'{OTHER[:12]}, but the animator animator.pth is '):
        assemble({**models, part: make(OTHER)}, SOURCES)
    with pytest.raises(UserError, match=f'the animator animator.pth has {MOTION_DIM} motion dimensions and the {part} '
                                        f'{part}.pth 6'):
        assemble({**models, part: make(None, motion_dim=6)}, SOURCES)


def test_frames_of_another_size(models, animator):
    known = animator.weights_hash()
    half = make_start_frame(known, size=SIZE // 2)
    with pytest.raises(UserError, match='start_frame.pth draws frames of 16 pixels and the animator animator.pth takes '
                                        '32'):
        assemble({**models, 'start_frame': half}, SOURCES)
    second = make_start_frame(known, low=dict(size=SIZE // 2))
    assert assemble({**models, 'start_frame': half, 'start_frame_sr': second}, SOURCES).painter.size == SIZE
    with pytest.raises(UserError, match='start_frame_sr.pth draws frames of 24 pixels'):
        small = make_start_frame(known, size=24, low=dict(size=SIZE // 2))
        assemble({**models, 'start_frame': half, 'start_frame_sr': small}, SOURCES)
    with pytest.raises(UserError, match='start_frame_sr start_frame_sr.pth was trained on'):
        assemble({**models, 'start_frame': half, 'start_frame_sr': make_start_frame(OTHER, low=dict(size=16))}, SOURCES)


def test_the_animator_alone(config):
    folder = config.parent
    animator, source = load_named_animator(config)
    assert source == f'{folder}/animator.pth'
    other, source = load_named_animator(folder / 'animator.py', folder / 'animator.pth')
    assert other.weights_hash() == animator.weights_hash() and source == folder / 'animator.pth'
    with pytest.raises(UserError, match='names its checkpoints; leave x.pth out'):
        load_named_animator(config, 'x.pth')
    with pytest.raises(UserError, match='so its checkpoint is needed'):
        load_named_animator(folder / 'animator.py')
