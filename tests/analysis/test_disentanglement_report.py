"""Crossings of which it is known how well their factors are told apart."""

import json
import math

import pytest
import torch

from leokit.analysis.disentanglement_report import disentanglement_table, measure_disentanglement
from leokit.analysis.factor_grid import FactorGrid, IdentityBatch, MotionBatch
from leokit.feature_extractors import ColorStatistics
from leokit.utils.files import write_json

P, M, T, N, SIDE = 3, 4, 6, 5, 8


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def make(mode='relative', frames=None, found=None, driving=None):
    """Frames of one color a person, codes found as asked, unless something else is given."""
    codes = draw(M, T, N)
    codes[1:, 0] = codes[0, 0]
    asked = codes.expand(P, M, T, N) if mode == 'absolute' else codes - codes[:, :1] + draw(P, 1, 1, N, seed=1)
    color = torch.linspace(20, 220, P).byte()[:, None, None, None, None, None]
    frames = color.expand(P, M, T, 3, SIDE, SIDE) if frames is None else frames
    people = IdentityBatch([f'p{number}' for number in range(P)], frames[:, 0, 0].float() / 127.5 - 1)
    names, seen = ([f'{letter}{number}' for number in range(M)] for letter in 'mq')
    motions = MotionBatch(names, codes, driving, seen, 25.0)
    return FactorGrid(people, motions, mode, frames, asked, asked if found is None else found(asked))


@pytest.mark.parametrize('mode', ['relative', 'absolute'])
def test_perfect(mode):
    result = measure_disentanglement(make(mode), [ColorStatistics()])
    (label, identity), = result['identity'].items()
    assert label == ColorStatistics().label and identity['fingerprint'] == ColorStatistics().fingerprint()
    assert identity['same_person'] == identity['ratio'] == identity['undetected'] == 0 < identity['other_person']
    assert identity['recognized'] == 1 and identity['chance'] == pytest.approx(1 / P) and 'real' not in identity
    motion = result['motion']
    assert motion['error'] == pytest.approx(0, abs=1e-6) and motion['r2'] == pytest.approx(1)
    assert motion['ratio'] == pytest.approx(0, abs=1e-5) and motion['recognized'] == 1 and motion['chance'] == 1 / M
    assert motion['movement'] == dict(rendered=0) and motion['people'] == pytest.approx([0] * P, abs=1e-6)
    assert len(motion['by_dimension']['r2']) == N


def test_people_that_change_with_the_motion():
    color = torch.linspace(20, 220, M).byte()[None, :, None, None, None, None]
    result = measure_disentanglement(make(frames=color.expand(P, M, T, 3, SIDE, SIDE)), [ColorStatistics()])
    identity, = result['identity'].values()
    assert identity['other_person'] == 0 < identity['same_person'] and math.isnan(identity['ratio'])
    assert '-' in disentanglement_table(result)


def test_codes_with_an_offset_for_each_person():
    offset = draw(P, 1, 1, N, seed=2)
    relative, absolute = (measure_disentanglement(make(mode, found=lambda asked: asked + offset), [])['motion']
                          for mode in ('relative', 'absolute'))
    assert relative['error'] == pytest.approx(0, abs=1e-6)  # since the first frame there is no offset
    assert absolute['error'] > 0.5 and absolute['correlation'] == pytest.approx(1) and absolute['ratio'] > 0.5


def test_codes_that_tell_nothing():
    motion = measure_disentanglement(make(found=lambda asked: draw(*asked.shape, seed=3)), [])['motion']
    assert motion['error'] > 1 and motion['r2'] < 0 and abs(motion['correlation']) < 0.3 and motion['ratio'] > 0.7
    still = measure_disentanglement(make(found=lambda asked: asked[:, :, :1].expand_as(asked)), [])['motion']
    assert math.isnan(still['correlation']) and math.isnan(still['ratio'])


def test_real_videos_and_movement_beside_it():
    driving = torch.arange(M).mul(50).byte()[:, None, None, None, None].repeat(1, T, 3, SIDE, SIDE)
    driving[:, 1:] += 6
    result = measure_disentanglement(make(driving=driving), [ColorStatistics()])
    identity, = result['identity'].values()
    assert 0 < identity['real']['ratio'] < 1
    assert result['motion']['movement'] == dict(rendered=0, real=6)
    grid = make(driving=driving)
    grid.motions.identities[1] = grid.motions.identities[0]  # one person twice: nothing to compare
    assert 'real' not in measure_disentanglement(grid, [ColorStatistics()])['identity'][ColorStatistics().label]


def test_table_and_file(tmp_path):
    result = measure_disentanglement(make(), [ColorStatistics()])
    lines = disentanglement_table(result).splitlines()
    assert lines[0] == '3 people in 4 motions of 6 frames, relative transfer'
    assert max(map(len, lines)) < 100 and sum(line.startswith('  ') for line in lines) >= N
    write_json(tmp_path / 'result.json', result)
    assert json.loads((tmp_path / 'result.json').read_text())['people'] == ['p0', 'p1', 'p2']
