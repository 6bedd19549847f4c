"""Features and codes of which it is known what they depend on."""

import math

import pytest
import torch

from leokit.metrics import code_agreement, factor_distances, recognition

P, M, T, N = 3, 4, 6, 5


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_features_of_the_person_and_of_the_motion_alone():
    person = draw(P, 1, 1, 7).expand(P, M, T, 7)
    motion = draw(1, M, T, 7).expand(P, M, T, 7)
    assert factor_distances(person).motion_changes == 0 < factor_distances(person).person_changes
    assert factor_distances(motion).person_changes == 0 < factor_distances(motion).motion_changes


def test_distances_by_hand():
    features = torch.tensor([[[[0.0]], [[1.0]]], [[[10.0]], [[14.0]]]])  # two people, two motions, one frame
    assert factor_distances(features) == (2.5, 11.5)  # 1 and 4; 10 and 13


def test_frames_without_a_detection_do_not_count():
    features = draw(P, M, T, 7)
    features[0, 0, 0] = math.nan
    features[:, :, 1] = math.nan
    left = features[:, :, 2:]
    assert factor_distances(features[:, :, 1:]) == pytest.approx(factor_distances(left))
    assert all(math.isfinite(value) for value in factor_distances(features))
    assert all(math.isnan(value) for value in factor_distances(features[:1, :1]))


def test_recognition():
    references = draw(P, 7)
    near = references[:, None] + 0.01 * draw(P, 8, 7, seed=1)
    assert recognition(near, references) == 1
    assert recognition(near.roll(1, 0), references) == 0
    near[0], near[1, :4] = math.nan, near[2, :4]  # of the 16 that are left, four are taken for somebody else
    assert recognition(near, references) == 0.75
    references[1] = math.nan  # a class without a reference is left out
    assert recognition(near, references) == 1
    assert math.isnan(recognition(torch.full((P, 8, 7), math.nan), references))


def test_codes_that_are_what_was_asked_for():
    asked = draw(P, T, N)
    agreement = code_agreement(asked, asked)
    assert agreement.error.max() == 0 and agreement.total_r2 == 1
    assert agreement.total_correlation == pytest.approx(1)


def test_an_offset_costs_error_and_no_correlation():
    asked = draw(P, T, N)
    agreement = code_agreement(asked, asked + draw(P, 1, N, seed=1))
    assert agreement.total_error > 0.5
    torch.testing.assert_close(agreement.correlation, torch.ones(N).double())
    torch.testing.assert_close(agreement.r2, 1 - agreement.error ** 2)


def test_the_mean_code_has_no_r2():
    asked = draw(P, T, N)
    mean = asked.mean((0, 1)).expand_as(asked)
    agreement = code_agreement(asked, mean)
    assert agreement.total_error == pytest.approx(1) and agreement.total_r2 == pytest.approx(0, abs=1e-6)


def test_a_dimension_in_which_nothing_moves():
    asked = draw(P, T, N)
    asked[..., 2] = 0
    agreement = code_agreement(asked, asked + 0.1 * draw(P, T, N, seed=1))
    assert agreement.r2[2].isnan() and agreement.correlation[2].isnan()
    assert agreement.r2[[0, 1, 3, 4]].min() > 0.9 and math.isfinite(agreement.total_r2)


def test_shapes():
    with pytest.raises(ValueError, match='found'):
        code_agreement(draw(P, T, N), draw(P, T, N + 1))
    with pytest.raises(ValueError, match='references'):
        recognition(draw(P, T, N), draw(P + 1, N))
    with pytest.raises(ValueError, match='features'):
        factor_distances(draw(P, T, N))
