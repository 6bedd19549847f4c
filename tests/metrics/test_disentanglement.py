"""Features and codes that depend on known factors."""

import math

import pytest
import torch

from leokit.metrics import motion_code_consistency, between_within_distances, retrieval_accuracy

P, M, T, N = 3, 4, 6, 5


def sample(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_features_of_one_factor_change_with_that_factor_alone():
    identity = sample(P, 1, 1, 7).expand(P, M, T, 7)
    motion = sample(1, M, T, 7).expand(P, M, T, 7)
    distances = between_within_distances(identity)
    assert distances.within_identity == 0 < distances.between_identities
    distances = between_within_distances(motion)
    assert distances.between_identities == 0 < distances.within_identity


def test_distances_by_hand():
    features = torch.tensor([[[[0.0]], [[1.0]]], [[[10.0]], [[14.0]]]])  # two identities, two motions, one frame
    assert between_within_distances(features) == (2.5, 11.5)  # 1 and 4; 10 and 13


def test_distances_of_several_frames_and_dimensions_by_hand():
    features = sample(P, M, T, 7).double()
    pairs = dict(within=[], between=[])
    for t in range(T):
        pairs['within'] += [(features[p, a, t] - features[p, b, t]).norm() for p in range(P) for a in range(M)
                            for b in range(a)]
        pairs['between'] += [(features[a, m, t] - features[b, m, t]).norm() for m in range(M) for a in range(P)
                             for b in range(a)]
    expected = [float(sum(distances) / len(distances)) for distances in pairs.values()]
    assert between_within_distances(features) == pytest.approx(expected)


def test_frames_without_a_detection_do_not_count():
    features = sample(P, M, T, 7)
    features[0, 0, 0] = math.nan
    features[:, :, 1] = math.nan
    left = features[:, :, 2:]
    assert between_within_distances(features[:, :, 1:]) == pytest.approx(between_within_distances(left))
    assert all(math.isfinite(value) for value in between_within_distances(features))
    assert all(math.isnan(value) for value in between_within_distances(features[:1, :1]))


def test_retrieval_accuracy_counts_nearest_references():
    references = sample(P, 7)
    near = references[:, None] + 0.01 * sample(P, 8, 7, seed=1)
    assert retrieval_accuracy(near, references) == 1
    assert retrieval_accuracy(near.roll(1, 0), references) == 0
    near[0], near[1, :4] = math.nan, near[2, :4]  # of the 16 that are left, four are nearest to another identity
    assert retrieval_accuracy(near, references) == 0.75
    references[1] = math.nan  # a class without a reference is left out
    assert retrieval_accuracy(near, references) == 1
    assert math.isnan(retrieval_accuracy(torch.full((P, 8, 7), math.nan), references))


def test_codes_equal_to_their_targets():
    target = sample(P, T, N)
    agreement = motion_code_consistency(target, target)
    assert agreement.error.max() == 0 and agreement.total_r2 == 1
    assert agreement.total_correlation == pytest.approx(1)


def test_an_offset_changes_the_error_and_not_the_correlation():
    target = sample(P, T, N)
    agreement = motion_code_consistency(target, target + sample(P, 1, N, seed=1))
    assert agreement.total_error > 0.5
    torch.testing.assert_close(agreement.correlation, torch.ones(N).double())
    torch.testing.assert_close(agreement.r2, 1 - agreement.error ** 2)


def test_the_mean_code_has_no_r2():
    target = sample(P, T, N)
    mean = target.mean((0, 1)).expand_as(target)
    agreement = motion_code_consistency(target, mean)
    assert agreement.total_error == pytest.approx(1) and agreement.total_r2 == pytest.approx(0, abs=1e-6)


def test_a_dimension_in_which_nothing_moves():
    target = sample(P, T, N)
    target[..., 2] = 0
    agreement = motion_code_consistency(target, target + 0.1 * sample(P, T, N, seed=1))
    assert agreement.r2[2].isnan() and agreement.correlation[2].isnan()
    assert agreement.r2[[0, 1, 3, 4]].min() > 0.9 and math.isfinite(agreement.total_r2)


def test_shapes():
    with pytest.raises(ValueError, match='measured'):
        motion_code_consistency(sample(P, T, N), sample(P, T, N + 1))
    with pytest.raises(ValueError, match='references'):
        retrieval_accuracy(sample(P, T, N), sample(P + 1, N))
    with pytest.raises(ValueError, match='features'):
        between_within_distances(sample(P, T, N))
    with pytest.raises(ValueError, match='features must have shape'):
        retrieval_accuracy(sample(P, N), sample(P, N))
    with pytest.raises(ValueError, match='target must have shape'):
        motion_code_consistency(sample(T, N), sample(T, N))
