"""What every call of the API promises: mistakes are refused by the call itself, and no global state changes."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

import leokit
from leokit.evaluation import build_jobs, load_protocol
from leokit.image_editors import Recolor
from leokit.models import Animator
from leokit.utils import UserError
from leokit.video import VideoWriter
from support.tiny_models import SIZE, make_start_code, make_start_frame
from support.tiny_runs import write_models


@pytest.fixture(scope='module')
def paths(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp('models'))


@pytest.fixture(scope='module')
def config(paths):
    return Config(dict(animator=dict(config=paths['animator_config'], checkpoint=paths['animator']),
                       motion_diffusion=dict(config=paths['motion_config'], checkpoint=paths['motion'])))


@pytest.fixture(scope='module')
def leo(config):
    loaded = leokit.load(config)
    code = loaded.animator.weights_hash()
    from leokit.inference import LEO
    from leokit.inference.start_frame_sampler import StartFrameSampler
    return LEO(loaded.animator, loaded.generator.motion_diffusion, start_code=make_start_code(code),
               start_frame_sampler=StartFrameSampler(make_start_frame(code)))


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('videos') / 'v.mp4'
    with VideoWriter(path, 25) as writer:
        writer.write(np.random.RandomState(0).randint(0, 256, (4, SIZE, SIZE, 3)).astype(np.uint8))
    return path


IMAGE = torch.zeros(3, SIZE, SIZE)


def calls(leo, config, paths, video, folder):
    return dict(
        load=lambda: leokit.load(config),
        load_one=lambda: leokit.load(paths['animator_config'], paths['animator']),
        unconditional=lambda: list(leo.unconditional(1, 3)),
        from_image=lambda: list(leo.from_image(IMAGE, 7)),
        continue_video=lambda: list(leo.continue_video(video, 7)),
        animate=lambda: list(leo.animate(IMAGE, video)),
        edit=lambda: list(leo.edit(video, Recolor(hue=30))),
        manipulate_image=lambda: leo.manipulate_image(IMAGE, {1: 0.5}),
        manipulate_video=lambda: list(leo.manipulate_video(video, {1: 0.5})),
        save=lambda: leo.save(leo.animate(IMAGE, video), folder / 'a.mp4'),
        extractors=lambda: build_jobs(['fvd'], load_protocol('quick'), {'': 'EfficientNetLite0Features'}))


def random_states():
    return random.getstate(), [str(part) for part in np.random.get_state()], torch.get_rng_state().tolist()


@pytest.mark.parametrize('name', calls(*[None] * 5))
def test_no_call_changes_a_global_random_state(leo, config, paths, video, tmp_path, name):
    before = random_states()
    calls(leo, config, paths, video, tmp_path)[name]()
    assert random_states() == before


@pytest.mark.parametrize('name', calls(*[None] * 5))
def test_no_call_depends_on_the_global_seed_or_changes_settings(leo, config, paths, video, tmp_path, name):
    def settings():
        return (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), Path.cwd(),
                torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark)
    before = settings()
    calls(leo, config, paths, video, tmp_path)[name]()
    assert settings() == before


@pytest.mark.parametrize('call, message', [
    (lambda leo, video: leo.animate(IMAGE, video, mode='Relative'), "unknown transfer mode 'Relative'"),
    (lambda leo, video: leo.animate(IMAGE, 'nowhere.mp4'), 'nowhere.mp4'),
    (lambda leo, video: leo.animate('nowhere.png', video), 'nowhere.png does not exist'),
    (lambda leo, video: leo.edit('nowhere.mp4', Recolor()), 'nowhere.mp4'),
    (lambda leo, video: leo.edit(video, 'nowhere.png'), 'nowhere.png does not exist'),
    (lambda leo, video: leo.manipulate_video('nowhere.mp4', {1: 1}), 'nowhere.mp4'),
    (lambda leo, video: leo.manipulate_video(video, {99: 1}), 'there is no direction 99'),
    (lambda leo, video: leo.manipulate_image(IMAGE, {1: float('nan')}), 'must be finite'),
    (lambda leo, video: leo.continue_video('nowhere.mp4', 5), 'nowhere.mp4'),
    (lambda leo, video: leo.continue_video(video, 0), 'num_frames must be 1 or more'),
    (lambda leo, video: leo.from_image('nowhere.png', 5), 'nowhere.png does not exist'),
    (lambda leo, video: leo.from_image(IMAGE, 5, num_sequences=0), 'num_sequences must be 1 or more'),
    (lambda leo, video: leo.from_image(IMAGE, 5, seed=-1), 'the seed must be 0 or more'),
    (lambda leo, video: leo.unconditional(0, 5), 'number of videos must be 1 or more')])
def test_mistakes_are_refused_by_the_call(leo, video, call, message):
    with pytest.raises(UserError, match=message):
        call(leo, video)


@pytest.mark.parametrize('names, message', [
    ('a.mp4', 'there are 2 videos and 1 paths'), (['a.mp4', 'a.mp4'], 'a.mp4 is the path of several videos'),
    (['a.mp4', 'b.mp4', 'c.mp4'], 'there are 2 videos and 3 paths')])
def test_wrong_numbers_of_paths_are_refused_before_a_frame_is_rendered(leo, tmp_path, monkeypatch, names, message):
    monkeypatch.chdir(tmp_path)
    stream = leo.from_image(IMAGE, 5, num_sequences=2)
    with pytest.raises(UserError, match=message):
        leo.save(stream, names)
    assert stream.frames_read == 0 and not list(tmp_path.iterdir())


def test_weights_of_other_precision_are_one_sentence(config, paths):
    leo = leokit.load(config)
    leo.generator.motion_diffusion.half()
    with pytest.raises(UserError, match='MotionDiffusion has weights of type torch.float16.*call model.float'):
        leo.from_image(IMAGE, 5)
    animator = leokit.load(paths['animator_config'], paths['animator'], expect=Animator).to(torch.bfloat16)
    with pytest.raises(UserError, match='Animator has weights of type torch.bfloat16'):
        leokit.inference.LEO(animator).animate(IMAGE, [np.zeros((SIZE, SIZE, 3), np.uint8)])
