"""The pose controls of a dataset, the config, and the measured control of a short training."""

from pathlib import Path

import numpy as np
import pytest
import torch

from leokit.analysis import control_report, control_table
from leokit.datasets import CodeCache, CodeCacheWriter, load_controls
from leokit.engine import LeoRunner
from leokit.registry import MODELS
from leokit.synthetic_faces import SyntheticFacesPlan, load_truth
from leokit.synthetic_faces.ground_truth import save_truth
from leokit.utils import UserError, load_config
from projects.control_evaluation import control_reports
from projects.pose_control.write_controls import POSE, write_pose_controls

CONFIG = Path(__file__).parents[1] / 'configs' / 'lmdm_pose.py'
N, T, FRAMES = 4, 16, 24
SMALL = {
    'motion_dim': N, 'num_frames': T, 'long_video': dict(type='Overlap', overlap=3), 'model.backbone': dict(
        _delete_=True, type='TemporalConvNet', channels=32, depth=3, cycle=3, embedding_dim=32),
    'control_encoder.dim': 16, 'max_iters': 250, 'learning_rate': 5e-3}


@pytest.fixture(scope='module')
def dataset(tmp_path_factory):
    """True parameters of 40 clips, and codes that are a fixed linear map of them, with an offset for each person."""
    folder = tmp_path_factory.mktemp('dataset')
    plan = SyntheticFacesPlan(num_identities=40, clips_per_identity=1, num_frames=FRAMES, train=0.8, val=0, test=0.2)
    save_truth(folder, plan)
    truth, random = load_truth(folder), np.random.default_rng(0)
    columns = [truth.motion_names.index(name) for name in POSE]
    mix = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]) / truth.motion[:, :, columns].std((0, 1))[:, None]
    with CodeCacheWriter(folder / 'codes', N, animator=dict(weights_hash='ab' * 32)) as writer:
        for clip in plan.clips():
            pose = truth.motion[truth.index(clip.name)][:, columns]
            codes = pose @ mix + random.normal(size=N)
            writer.add(clip.name, codes, identity=clip.identity, split=clip.split, fps=25.0)
    return folder


def test_controls_are_the_true_poses(dataset):
    assert write_pose_controls(dataset, dataset / 'pose.npz') == 40
    controls, truth = load_controls(dataset / 'pose.npz'), load_truth(dataset)
    assert controls.channels == ('yaw', 'pitch', 'roll') and controls.fps is None
    for name, rows in controls.sequences.items():
        assert np.array_equal(rows, truth.motion[truth.names.index(name)][:, :3])  # the first columns, in this order


def test_the_config_builds_the_documented_model():
    config = load_config(CONFIG)
    model = MODELS.build(config.model)
    assert model.conditioning.control_encoder.control_dim == len(POSE)
    assert 1.0e6 < sum(parameter.numel() for parameter in model.parameters()) < 2.0e6
    assert config.train_dataloader.dataset.controls == config.controls


def test_a_short_training_follows_the_pose(dataset, tmp_path, capsys):
    write_pose_controls(dataset, dataset / 'pose.npz')
    config = load_config(CONFIG, {**SMALL, 'codes_dir': str(dataset / 'codes'), 'data_root': None, 'animator': None,
                                  'controls': str(dataset / 'pose.npz')})
    config.work_dir = str(tmp_path / 'run')
    runner = LeoRunner.from_cfg(config)
    runner.train()
    report = control_report(runner.model.eval(), CodeCache(dataset / 'codes'), load_truth(dataset),
                            load_controls(dataset / 'pose.npz'), POSE, num_frames=T, guidance_scales=(1.0, 1.5))
    assert len(report.names) == 8 and set(report.realized) == {'real', 'control', 'control x 1.5', 'no control'}
    errors = report.errors()
    assert (errors['real'].correlation > 0.9999).all() and (errors['real'].error < 1e-2).all()  # codes are linear
    assert (errors['control'].correlation > 0.5).all()
    assert errors['control'].correlation.mean() > errors['no control'].correlation.mean() + 0.4
    assert (errors['control'].error < 0.7 * errors['control'].chance_error).all()
    assert (errors['control x 1.5'].error != errors['control'].error).all()
    lines = control_table(report).splitlines()
    assert len(lines) == 2 + 4 * 3 and lines[2].startswith('| real | yaw | 1.000 |')
    capsys.readouterr()
    command = [config.work_dir, '--codes', str(dataset / 'codes'), '--ground-truth', str(dataset), '--controls',
               str(dataset / 'pose.npz'), '--num-frames', str(T), '8']
    reports = [(report.asked.shape, controls.channels) for report, controls in control_reports('', arguments=command)]
    assert reports == [((8, T, 3), POSE), ((8, 8, 3), POSE)]
    said = capsys.readouterr().out
    assert f'8 sequences of {T} frames\n\n' in said and '8 sequences of 8 frames' in said
    assert said.count('| real | yaw | 1.000 |') == 2 and said.count('| control x 2 | roll |') == 2


def test_reports_that_are_not_possible_are_one_sentence(dataset):
    write_pose_controls(dataset, dataset / 'pose.npz')
    model = MODELS.build(load_config(CONFIG, SMALL).model)
    known = (model, CodeCache(dataset / 'codes'), load_truth(dataset), load_controls(dataset / 'pose.npz'))
    with pytest.raises(UserError, match='nod is no motion parameter; choose from yaw, pitch'):
        control_report(*known, ['nod'], num_frames=T)
    with pytest.raises(UserError, match="split 'test' has 0 videos of 25 or more codes"):
        control_report(*known, POSE, num_frames=FRAMES + 1)


def test_the_uncontrolled_model_still_generates(dataset):
    """A controlled model is used like any other."""
    model = MODELS.build(load_config(CONFIG, SMALL).model).eval()
    model.normalizer.set_statistics(np.zeros(N), np.ones(N))
    assert torch.cat(list(model.extend(torch.zeros(2, N), 20)), dim=1).shape == (2, 20, N)
