"""Training and testing a starting-frame model on SyntheticFaces, through the tools."""

import json

import numpy as np
import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
from support.calling import call_tool
from support.tiny_runs import ANIMATOR_CONFIG

from leokit.engine import LeoRunner
from leokit.synthetic_faces import SyntheticFacesPlan, write_synthetic_faces
from leokit.utils import UserError, load_config
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from support.tiny_models import MOTION_DIM, SIZE, make_animator

CONFIG = 'configs/leo/start_frame_synthetic.py'
TINY = ['model.backbone.channels=[8,16]', 'model.backbone.num_blocks=1', 'model.backbone.attention_levels=[]',
        'model.backbone.embedding_dim=16', 'model.backbone.head_dim=8', 'model.sampler.num_inference_steps=2',
        f'motion_dim={MOTION_DIM}', 'num_workers=0', 'batch_size=4', 'test_batch_size=3', 'max_iters=3', 'warmup=1',
        'frames_per_code=2', 'content_extractors.0.type=TinyImageFeatures',
        'content_extractors.1.type=TinyImageFeatures']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Videos, and an untrained animator."""
    folder = tmp_path_factory.mktemp('start_frames')
    plan = SyntheticFacesPlan(num_identities=6, clips_per_identity=1, num_frames=6, size=SIZE, train=0.5, val=0,
                              test=0.5)
    write_synthetic_faces(folder / 'videos', plan, workers=0, show_progress=False)
    (folder / 'animator.py').write_text(ANIMATOR_CONFIG)
    save_checkpoint(dict(meta=dict(model='Animator'), state_dict=make_animator().state_dict()), folder / 'animator.pth')
    return folder


def options(folder, *more):
    return ['--cfg-options', f'data_root={folder}/videos', f'animator.config={folder}/animator.py',
            f'animator.checkpoint={folder}/animator.pth', f'size={SIZE}', *TINY, *more]


@pytest.fixture(scope='module')
def trained(folder):
    status, said = call_tool('train', CONFIG, '--work-dir', folder / 'run', *options(folder))
    assert status == 0, said
    return folder / 'run'


def run_test(folder, config, work_dir, *more):
    status, said = call_tool('test', config, work_dir, '--work-dir', folder / 'test', '--out', folder / 'metrics.json',
                             *options(folder, *more))
    assert status == 0, said
    return json.loads((folder / 'metrics.json').read_text())


def test_training_and_testing(folder, trained):
    state = load_checkpoint(trained / 'iter_3.pth')['state_dict']
    assert state['animator_hash'].any() and np.isfinite(state['std'].numpy()).all()
    assert (folder / 'videos_codes' / 'index.json').is_file()
    measured = run_test(folder, CONFIG, trained)
    assert measured['start_frame/samples'] == 3 and measured['start_frame/chance_distance'] > 0
    # frames at the animator's size have the codes of the data
    assert measured['start_frame/real_distance'] == pytest.approx(0, abs=1e-3)
    assert measured['start_frame/variety-tiny'] > 0
    assert {f'start_frame/r2_{number:02d}' for number in range(MOTION_DIM)} <= set(measured)
    assert (folder / 'test' / 'generated' / 'sheet.png').stat().st_size > 1000
    assert run_test(folder, CONFIG, trained, 'test_batch_size=2') == pytest.approx(measured, rel=1e-3, abs=1e-3)
    assert measured != run_test(folder, CONFIG, trained, 'test_cfg.seed=1')


def test_a_super_resolution_stage_is_tested_with_its_first_stage(folder, trained):
    config = 'configs/leo/start_frame_sr_celebv.py'
    more = ('size=64', 'low_size=16', f'first_stage.config={trained}/start_frame_synthetic.py',
            f'first_stage.checkpoint={trained}', 'held_out_filters=None', 'train_filters=None',
            'check_identities=False')  # the first stage was trained on some of the test identities
    second = [option for option in options(folder, *more) if 'content_extractors.1' not in option]
    status, said = call_tool('train', config, '--work-dir', folder / 'second', *second)
    assert status == 0, said
    status, said = call_tool('test', config, folder / 'second', '--work-dir', folder / 'second_test', '--out',
                             folder / 'second.json', *second)
    assert status == 0, said
    measured = json.loads((folder / 'second.json').read_text())
    assert measured['start_frame/samples'] == 6 and measured['start_frame/real_distance'] > 1e-3


def test_models_of_different_animators_are_refused(folder, trained, tmp_path):
    other = tmp_path / 'other.pth'
    save_checkpoint(dict(meta=dict(model='Animator'), state_dict=make_animator(7).state_dict()), other)
    status, said = call_tool('test', CONFIG, trained, '--work-dir', tmp_path,
                             *options(folder, f'animator.checkpoint={other}'))
    assert status != 0 and 'Traceback' not in said
    assert 'and the starting-frame model belong to different animators' in said
    status, said = call_tool('train', CONFIG, '--work-dir', tmp_path, *options(folder, f'animator.checkpoint={other}'))
    assert status != 0 and 'and the animator in use belong to different animators' in said


def test_bad_options_are_refused(folder, trained, tmp_path):
    keys = dict(option.split('=', 1) for option in options(folder)[1:] if '[' not in option)
    config = load_config(CONFIG, {**keys, 'size': SIZE, 'motion_dim': MOTION_DIM, 'frames_per_code': 0,
                                  'num_workers': 0, 'work_dir': str(tmp_path), 'model.backbone.num_blocks': 1,
                                  'model.backbone.channels': [8, 16], 'model.backbone.attention_levels': [],
                                  'model.backbone.embedding_dim': 16, 'model.backbone.head_dim': 8, 'batch_size': 4,
                                  'test_batch_size': 3, 'max_iters': 3, 'warmup': 1,
                                  'model.sampler.num_inference_steps': 2})
    with pytest.raises(UserError, match='num_frames must be at least 1'):
        LeoRunner.from_cfg(config).test()
