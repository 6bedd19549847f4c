"""Quality against sampling steps."""

import json

import pytest
import torch
from support.calling import call_command
from support.code_caches import MOTION_DIM, write_code_cache
from support.tiny_models import make_motion_diffusion

from leokit.analysis.step_curve import MAIN, StepCurve, evaluations, held_out_windows
from leokit.utils.config import Config


@pytest.fixture(scope='module')
def windows(tmp_path_factory):
    return held_out_windows(write_code_cache(tmp_path_factory.mktemp('codes') / 'codes'), 8)


class Stand:
    """Stands in for a model: makes what it is told to."""

    def __init__(self, make):
        self.make, self.motion_dim, self.motion_condition = make, MOTION_DIM, self
        self.diffusion = self

    noised_frames = staticmethod(lambda frames: frames - 1)

    def sample(self, start, frames=None, *, noise=None, generator=None, sampler=None):
        return self.make(noise)


def test_held_out_windows_do_not_overlap(windows):
    assert windows.shape == (12, 8, MOTION_DIM)  # 4 of 12 videos of 24 frames
    assert torch.equal(held_out_windows_of(windows, 3), windows[[0, 5, 11]])


def held_out_windows_of(windows, limit):
    return windows[torch.linspace(0, len(windows) - 1, limit).long()]


def test_perfect_and_frozen_motion(windows, monkeypatch):
    monkeypatch.setattr('leokit.analysis.step_curve.evaluations', lambda model, options: 7)
    monkeypatch.setattr('leokit.analysis.step_curve.device_of', lambda model: 'cpu')
    curve = StepCurve(windows)
    perfect = curve.measure('perfect', [Stand(lambda noise: windows)], 'DDIMSampler', 4)
    assert abs(perfect.mean(MAIN)) < 1e-9 and perfect.mean('jitter_ratio') == pytest.approx(1)
    assert perfect.evaluations == 7 and perfect.error(MAIN) is not None  # of the jackknife
    double = curve.measure('double', [Stand(lambda noise: 2 * windows)] * 2, 'DDIMSampler', 4)
    assert double.mean('jitter_ratio') == pytest.approx(2) and double.error('jitter_ratio') == pytest.approx(0)
    several = curve.measure('several', [Stand(lambda noise: windows), Stand(lambda noise: 3 * windows)], 'DDIM', 1)
    assert several.mean('dispersion_ratio') == pytest.approx(2)
    assert several.error('dispersion_ratio') == pytest.approx(1)  # values 1 and 3
    frozen = curve.measure('frozen', [Stand(lambda noise: windows[:, :1].expand_as(windows))], 'DDIM', 1)
    assert frozen.mean('dispersion_ratio') < 1e-9 and frozen.mean(MAIN) > 0.1
    table = curve.table(double)
    assert '| double' in table and '-100%' in table and '+0%' in table


@pytest.mark.parametrize('kind, steps, expected', [('DDIMSampler', 4, 4), ('HeunSampler', 4, 7), ('EulerSampler', 1, 1),
                                                   ('DPMSolverPlusPlusSampler', 5, 5)])
def test_evaluations_of_the_network(kind, steps, expected):
    assert evaluations(make_motion_diffusion('ab' * 32), dict(type=kind, num_inference_steps=steps)) == expected


def test_the_command_compares_models(tmp_path):
    model = make_motion_diffusion('ab' * 32)
    model.normalizer.set_statistics([0.0] * model.motion_dim, [1.0] * model.motion_dim)
    options = dict(type='MotionDiffusion', motion_dim=model.motion_dim, num_frames=model.num_frames,
                   prediction_type=model.diffusion.prediction_type, sampler=dict(type='DDIMSampler'),
                   backbone=dict(type='UNet1D', channels=(16, 16), num_blocks=1, attention_levels=(), embedding_dim=16,
                                 head_dim=8))
    model.cfg = Config(dict(default_scope='leokit', model=options))
    model.save_pretrained(tmp_path / 'model')
    codes = write_code_cache(tmp_path / 'codes')
    status, said = call_command(
        'analyze few-steps', f'a={tmp_path}/model', f'b={tmp_path}/model', f'a={tmp_path}/model', '--samplers',
        'DDIMSampler', 'HeunSampler', '--steps', 1, 3, '--codes-dir', codes, '--num-frames', 8, '--out',
        tmp_path / 'out', '--device', 'cpu')
    assert status == 0, said
    points = json.loads((tmp_path / 'out' / 'results.json').read_text())['points']
    assert [(point['model'], point['sampler'], point['evaluations']) for point in points] == [
        (name, kind, count) for name in 'ab' for kind, counts in (('DDIMSampler', (1, 3)), ('HeunSampler', (1, 5)))
        for count in counts]
    assert len(points[0][MAIN]['values']) == 2 and points[0][MAIN]['mean'] == points[4][MAIN]['mean']
    assert (tmp_path / 'out' / 'curve.png').stat().st_size > 1000
    assert '| a' in (tmp_path / 'out' / 'table.md').read_text()
    assert 'is not of the form NAME=MODEL' in call_command('analyze few-steps', 'nothing', '--device', 'cpu')[1]
