"""Codes that are a linear map of the ground truth, and factor grids with known motion."""

import math

import numpy as np
import pytest
import torch

from leokit.analysis.code_probe import (
    component_table, direction_table, name_directions, probe_codes, probe_components, probe_factor_grid, probe_table)
from leokit.analysis.factor_grid import FactorGrid, IdentityBatch, MotionBatch
from leokit.datasets import CodeCache, CodeCacheWriter
from leokit.synthetic_faces import SyntheticFacesPlan, load_truth
from leokit.synthetic_faces.ground_truth import save_truth
from leokit.utils import UserError

PLAN = SyntheticFacesPlan(num_identities=12, clips_per_identity=1, num_frames=24, size=32, train=0.7, val=0, test=0.3)
P, T = 3, 10


@pytest.fixture(scope='module')
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp('truth')
    save_truth(folder, PLAN)
    truth = load_truth(folder)
    deviation = truth.motion.std((0, 1))
    with CodeCacheWriter(folder / 'codes', truth.motion.shape[2], animator=dict(
            weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        for clip in PLAN.clips():
            writer.add(clip.name, truth.motion[truth.index(clip.name)] / deviation, identity=clip.identity,
                       split=clip.split)
    return CodeCache(folder / 'codes'), truth


def make_grid(truth, mode, offset=0.0, names=None):
    """Identities with the motion of the driving videos, each with a constant offset."""
    videos = [truth.index(name) for name in names or truth.names[:4]]
    codes = torch.from_numpy(truth.motion[videos, :T] / truth.motion.std((0, 1)))
    measured = codes.expand(P, -1, -1, -1) + offset * torch.randn(P, 1, 1, codes.shape[-1],
                                                               generator=torch.Generator().manual_seed(0))
    frames = torch.zeros(len(videos), T, 3, 2, 2, dtype=torch.uint8)
    motions = MotionBatch([truth.names[video] for video in videos], codes, frames, list('abcd'), 25.0)
    return FactorGrid(IdentityBatch(list('xyz'), torch.zeros(P, 3, 2, 2)), motions, mode,
                      frames.expand(P, -1, -1, -1, -1, -1), codes.expand(P, -1, -1, -1), measured)


def test_motion_on_other_identities(known):
    cache, truth = known
    for mode, offset in (('relative', 0.0), ('relative', 5.0), ('absolute', 0.0)):
        scores = [score for score in probe_factor_grid(make_grid(truth, mode, offset), cache, truth).values()
                  if not math.isnan(score)]
        assert len(scores) > 8 and min(scores) > 0.99
    far = probe_factor_grid(make_grid(truth, 'absolute', 5.0), cache, truth)
    assert min(score for score in far.values() if not math.isnan(score)) < 0  # the identities have poses of their own


def test_motions_that_are_not_of_the_data_set(known):
    cache, truth = known
    grid = make_grid(truth, 'relative')
    unknown = grid._replace(motions=grid.motions._replace(names=['a', 'b', 'c', 'd']))
    generated = grid._replace(motions=grid.motions._replace(frames=None))
    assert probe_factor_grid(unknown, cache, truth) == probe_factor_grid(generated, cache, truth) == {}


def test_tables(known):
    cache, truth = known
    result = probe_codes(cache, truth)
    assert min(result['motion'].values()) > 0.99 and result['frames'] == [9 * 24, 3 * 24]
    plain = probe_table(result)
    assert 'rendered with' not in plain and '| yaw        | 1.000 |' in plain
    both = probe_table(dict(result, rendered=dict.fromkeys(truth.motion_names, 0.25)))
    assert '| yaw        | 1.000 |                          0.250 |' in both
    lines = direction_table(cache, truth).splitlines()[2:]
    assert len(lines) == cache.motion_dim
    assert all(f'{name} +1.00' in line for name, line in zip(truth.motion_names, lines))


def test_only_predicted_parameters_name_directions(known):
    cache, truth = known
    result = probe_codes(cache, truth)
    result['motion']['yaw'] = 0.3
    result['motion']['roll'] = math.nan
    names = name_directions(cache, truth, result)
    assert set(names) == set(truth.motion_names) - {'yaw', 'roll'}
    smile = np.array(list(names['smile'].values()))
    assert abs(smile).argmax() == truth.motion_names.index('smile')
    with pytest.raises(UserError, match='train the animator longer'):
        name_directions(cache, truth, dict(motion=dict.fromkeys(truth.motion_names, 0.1)))


def test_leading_components_come_in_the_order_of_their_variance(tmp_path):
    """Each of three codes is one parameter of another size; the largest carries nearly everything."""
    save_truth(tmp_path, PLAN)
    truth = load_truth(tmp_path)
    sizes = {'pitch': 1.0, 'yaw': 6.0, 'roll': 36.0}
    columns = [truth.motion_names.index(name) for name in sizes]
    scale = np.array(list(sizes.values())) / truth.motion.std((0, 1))[columns]
    codes = truth.motion[:, :, columns] * scale
    with CodeCacheWriter(tmp_path / 'codes', 3, animator=dict(weights_hash='ab' * 32)) as writer:
        for clip in PLAN.clips():
            writer.add(clip.name, codes[truth.index(clip.name)], identity=clip.identity, split=clip.split)
    one, two, three = probe_components(CodeCache(tmp_path / 'codes'), truth, [1, 2, 3])
    assert one['motion']['roll'] > 0.95 and one['motion']['yaw'] < 0.5
    assert two['motion']['yaw'] > 0.9 > 0.5 > two['motion']['pitch'] and three['motion']['pitch'] > 0.9
    split = np.array([clip.split for clip in PLAN.clips()])
    order = [truth.index(clip.name) for clip in PLAN.clips()]
    offset = codes[order][split == 'test'] - codes[order][split == 'train'].mean((0, 1))
    power = np.square(offset).sum((0, 1))  # of pitch, yaw, roll
    assert one['variance'] == pytest.approx(power[2] / power.sum(), rel=1e-3) and three['variance'] == pytest.approx(1)
    assert component_table([one]).splitlines()[0].startswith('| components | variance | R² yaw')
    with pytest.raises(UserError, match='must be in 1 … 3 .*, got 4'):
        probe_components(CodeCache(tmp_path / 'codes'), truth, [4])
