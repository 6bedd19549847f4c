"""Codes that are a linear map of the ground truth, and models with known motion."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from leokit.analysis import action_table, measure_action_statistics
from leokit.datasets import CodeCache, CodeCacheWriter
from leokit.synthetic_faces import MOTION_NAMES, SyntheticFacesPlan, load_truth
from leokit.synthetic_faces.ground_truth import save_truth
from leokit.utils import UserError

PLAN = SyntheticFacesPlan(num_identities=80, clips_per_identity=1, num_frames=48, size=32, train=0.7, val=0, test=0.3)
FRAMES = 40


@pytest.fixture(scope='module')
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp('truth')
    save_truth(folder, PLAN)
    truth = load_truth(folder)
    with CodeCacheWriter(folder / 'codes', len(MOTION_NAMES), animator=dict(
            weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        for clip in PLAN.clips():
            writer.add(clip.name, truth.motion[truth.index(clip.name)] / truth.motion.std((0, 1)),
                       identity=clip.identity, split=clip.split, fps=PLAN.fps)
    return CodeCache(folder / 'codes'), truth


class Actor(nn.Module):
    """Continues a first code like the clip that begins with it, changed by ``play``."""

    def __init__(self, cache, play=lambda codes: codes):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.num_frames, self.play = FRAMES, play
        self.clips = torch.from_numpy(np.stack([cache.codes[video.offset:video.offset + video.length]
                                                for video in cache.videos]))

    def extend(self, start, total_frames, generator=None):
        nearest = torch.cdist(start, self.clips[:, 0]).argmin(1)
        yield self.play(self.clips[nearest, :total_frames])


def hold(name):
    """Keep one parameter constant."""
    def play(codes):
        column = MOTION_NAMES.index(name)
        return torch.cat([codes[..., :column], codes[:, :1, column:column + 1].expand(-1, codes.shape[1], -1),
                          codes[..., column + 1:]], dim=-1)
    return play


def test_a_model_that_replays_real_clips_has_their_statistics(known):
    result = measure_action_statistics(Actor(known[0]), *known)
    for row in result['parameters'].values():
        assert row['r2'] > 0.99 and row['range_ratio'] == pytest.approx(1)
        assert row['frequency'] == row['frequency_real']
    frequency = {name: row['frequency_real'] for name, row in result['parameters'].items()}
    assert 0.2 < frequency['yaw'] < 0.8 < frequency['pitch'] < frequency['mouth_open'] < 4
    for row in result['actions'].values():
        assert 0.3 < row['generated'] == row['real'] < 0.9 and row['accuracy'] > 0.8
    pairs = {row[:2]: row[2:] for row in result['correlations']}
    assert pairs['pitch', 'ty'][0] == pytest.approx(pairs['pitch', 'ty'][1]) and pairs['pitch', 'ty'][1] > 0.3
    assert (result['clips'], result['frames']) == (24, FRAMES)


def test_a_missing_action_is_not_detected(known):
    silent = measure_action_statistics(Actor(known[0], hold('mouth_open')), *known)
    assert silent['parameters']['mouth_open']['range_ratio'] == pytest.approx(0, abs=1e-3)
    assert silent['actions']['talks']['generated'] == 0 < silent['actions']['nods']['generated']
    stiff = measure_action_statistics(Actor(known[0], hold('pitch')), *known)
    assert stiff['actions']['nods']['generated'] == 0 < stiff['actions']['talks']['generated']


def test_slow_motion_has_a_low_frequency(known):
    def slow_down(codes):
        return F.interpolate(codes[:, :FRAMES // 2].mT, size=FRAMES, mode='linear', align_corners=True).mT
    slow = measure_action_statistics(Actor(known[0], slow_down), *known)
    assert slow['parameters']['mouth_open']['frequency'] < 0.7 * slow['parameters']['mouth_open']['frequency_real']


def test_the_table_omits_parameters_that_are_not_predicted(known):
    result = measure_action_statistics(Actor(known[0]), *known, num_frames=20)
    result['parameters']['smile']['r2'] = 0.1
    table = action_table(result)
    assert '| pitch |' in table and '| smile |' not in table and '| talks |' in table and '| pitch, ty |' in table
    assert '24 clips of 20 frames' in table


def test_clips_that_are_too_short(known):
    with pytest.raises(UserError, match="no video of split 'test' has 49 frames"):
        measure_action_statistics(Actor(known[0]), *known, num_frames=49)
