import pytest
import torch

from leokit.metrics import FeatureStatistics


def numbers(rows=50, dim=7, seed=0):
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed)) * 3 + 100


def test_streaming_equals_one_pass_and_numpy():
    features = numbers()
    streamed = FeatureStatistics(7)
    for part in features.split([1, 0, 20, 29]):
        streamed.update(part)
    assert streamed.count == 50
    exact = features.double()
    torch.testing.assert_close(streamed.mean, exact.mean(0), rtol=1e-13, atol=0)
    torch.testing.assert_close(streamed.covariance(), torch.cov(exact.T, correction=0), rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(streamed.covariance(unbiased=True), torch.cov(exact.T), rtol=1e-11, atol=1e-11)


def test_merging_halves_equals_the_whole_and_leaves_the_other_alone():
    features = numbers()
    first, second = FeatureStatistics.of(features[:13]), FeatureStatistics.of(features[13:])
    before = second.scatter.clone()
    merged = first.merge(second)
    assert merged is first and merged.count == 50
    torch.testing.assert_close(merged.scatter, FeatureStatistics.of(features).scatter, rtol=1e-11, atol=1e-9)
    assert torch.equal(second.scatter, before)


def test_merging_nothing_changes_nothing():
    statistics = FeatureStatistics.of(numbers())
    scatter = statistics.scatter.clone()
    statistics.merge(FeatureStatistics(7))
    assert torch.equal(statistics.scatter, scatter)
    empty = FeatureStatistics(7).merge(statistics)
    torch.testing.assert_close(empty.mean, statistics.mean)


def test_state_survives_a_file(tmp_path):
    statistics = FeatureStatistics.of(numbers())
    torch.save(statistics.state_dict(), tmp_path / 'statistics.pt')
    loaded = FeatureStatistics(7)
    loaded.load_state_dict(torch.load(tmp_path / 'statistics.pt', weights_only=True))
    assert loaded.count == statistics.count and torch.equal(loaded.scatter, statistics.scatter)


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_values_that_are_no_numbers_are_refused(bad):
    features = numbers()
    features[3, 2] = bad
    with pytest.raises(ValueError, match='NaN or infinity'):
        FeatureStatistics.of(features)


def test_wrong_width_and_too_few_rows_are_refused():
    with pytest.raises(ValueError, match='features must have shape'):
        FeatureStatistics(7).update(numbers(dim=6))
    with pytest.raises(ValueError, match='cannot merge'):
        FeatureStatistics(7).merge(FeatureStatistics(6))
    with pytest.raises(ValueError, match='at least 2 feature vectors'):
        FeatureStatistics.of(numbers(rows=1)).covariance(unbiased=True)
