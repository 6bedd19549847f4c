"""Factor grids with known disentanglement."""

import json
import math

import pytest
import torch
from support.tiny_extractors import TinyImageFeatures

from leokit.analysis.disentanglement_report import disentanglement_table, measure_disentanglement
from leokit.analysis.factor_grid import FactorGrid, IdentityBatch, MotionBatch
from leokit.feature_extractors import ColorStatistics
from leokit.utils.files import write_json

P, M, T, N, SIZE = 3, 4, 6, 5, 8


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def make_grid(mode='relative', frames=None, measure=None, driving=None):
    """Frames of one color per identity, measured codes equal to the target codes, unless given otherwise."""
    codes = draw(M, T, N)
    codes[1:, 0] = codes[0, 0]
    target = codes.expand(P, M, T, N) if mode == 'absolute' else codes - codes[:, :1] + draw(P, 1, 1, N, seed=1)
    color = torch.linspace(20, 220, P).byte()[:, None, None, None, None, None]
    frames = color.expand(P, M, T, 3, SIZE, SIZE) if frames is None else frames
    identities = IdentityBatch([f'p{number}' for number in range(P)], frames[:, 0, 0].float() / 127.5 - 1)
    names, driving_identities = ([f'{letter}{number}' for number in range(M)] for letter in 'mq')
    motions = MotionBatch(names, codes, driving, driving_identities, 25.0)
    return FactorGrid(identities, motions, mode, frames, target,
                      target if measure is None else measure(target))


@pytest.mark.parametrize('mode', ['relative', 'absolute'])
def test_perfect(mode):
    result = measure_disentanglement(make_grid(mode), [ColorStatistics()])
    (label, identity), = result['identity'].items()
    assert label == ColorStatistics().label and identity['fingerprint'] == ColorStatistics().fingerprint()
    assert identity['same_identity'] == identity['ratio'] == identity['undetected'] == 0 < identity['other_identity']
    assert identity['recognized'] == 1 and identity['chance'] == pytest.approx(1 / P) and 'real' not in identity
    motion = result['motion']
    assert motion['error'] == pytest.approx(0, abs=1e-6) and motion['r2'] == pytest.approx(1)
    assert motion['ratio'] == pytest.approx(0, abs=1e-5) and motion['recognized'] == 1 and motion['chance'] == 1 / M
    assert motion['pixel_change'] == dict(rendered=0)
    assert motion['error_by_identity'] == pytest.approx([0] * P, abs=1e-6)
    assert len(motion['by_dimension']['r2']) == N


def test_identities_that_change_with_the_motion():
    color = torch.linspace(20, 220, M).byte()[None, :, None, None, None, None]
    result = measure_disentanglement(make_grid(frames=color.expand(P, M, T, 3, SIZE, SIZE)), [ColorStatistics()])
    identity, = result['identity'].values()
    assert identity['other_identity'] == 0 < identity['same_identity'] and math.isnan(identity['ratio'])
    assert '–' in disentanglement_table(result)


def test_codes_with_a_constant_offset_per_identity():
    offset = draw(P, 1, 1, N, seed=2)
    relative, absolute = (measure_disentanglement(make_grid(mode, measure=lambda target: target + offset), [])['motion']
                          for mode in ('relative', 'absolute'))
    assert relative['error'] == pytest.approx(0, abs=1e-6)  # since the first frame there is no offset
    assert absolute['error'] > 0.5 and absolute['correlation'] == pytest.approx(1) and absolute['ratio'] > 0.5


def test_codes_without_information():
    motion = measure_disentanglement(make_grid(measure=lambda target: draw(*target.shape, seed=3)), [])['motion']
    assert motion['error'] > 1 and motion['r2'] < 0 and abs(motion['correlation']) < 0.3 and motion['ratio'] > 0.7
    still = measure_disentanglement(make_grid(measure=lambda target: target[:, :, :1].expand_as(target)), [])['motion']
    assert math.isnan(still['correlation']) and math.isnan(still['ratio'])


def test_comparison_with_driving_videos():
    driving = torch.arange(M).mul(50).byte()[:, None, None, None, None].repeat(1, T, 3, SIZE, SIZE)
    driving[:, 1:] += 6
    result = measure_disentanglement(make_grid(driving=driving), [ColorStatistics()])
    identity, = result['identity'].values()
    assert 0 < identity['real']['ratio'] < 1
    assert result['motion']['pixel_change'] == dict(rendered=0, real=6)
    grid = make_grid(driving=driving)
    grid.motions.identities[1] = grid.motions.identities[0]  # one identity twice: nothing to compare
    assert 'real' not in measure_disentanglement(grid, [ColorStatistics()])['identity'][ColorStatistics().label]


def test_table_and_file(tmp_path):
    result = measure_disentanglement(make_grid(), [ColorStatistics()])
    lines = disentanglement_table(result).splitlines()
    assert lines[0] == '3 identities in 4 motions of 6 frames, relative transfer'
    assert max(map(len, lines)) < 120 and sum(line.startswith(f'| {n} ') for n in range(N) for line in lines) == N
    write_json(tmp_path / 'result.json', result)
    assert json.loads((tmp_path / 'result.json').read_text())['identities'] == ['p0', 'p1', 'p2']


def test_frames_without_a_feature_are_counted():
    """The extractor finds nothing in black frames; the first frame of a motion, which is the source, does not count."""
    color = torch.linspace(20, 220, P).byte()[:, None, None, None, None, None]
    frames = color.repeat(1, M, T, 3, SIZE, SIZE)
    frames[1, 2, 3] = frames[0, 1, 1] = frames[2, 3, 0] = 0
    identity, = measure_disentanglement(make_grid(frames=frames), [TinyImageFeatures()])['identity'].values()
    assert identity['undetected'] == pytest.approx(2 / (P * M * (T - 1)))
