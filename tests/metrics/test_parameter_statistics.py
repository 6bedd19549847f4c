import math

import pytest
import torch

from leokit.metrics.parameter_statistics import parameter_correlations, parameter_ranges, mean_frequencies

FPS = 25.0


def waves(hertz, amplitude, seconds=4, offset=0.0):
    """Sines (1, T, K) of whole numbers of periods."""
    times = torch.arange(int(seconds * FPS), dtype=torch.float64)[:, None] / FPS
    return (torch.tensor(amplitude) * torch.sin(2 * math.pi * torch.tensor(hertz) * times) + offset)[None]


def test_a_sine_has_its_range_and_its_frequency():
    sequences = torch.cat([waves([1.0, 3.0], [2.0, 0.5], offset=offset) for offset in (0.0, 7.0)])
    torch.testing.assert_close(parameter_ranges(sequences), torch.tensor([[2.0, 0.5]] * 2).double() / math.sqrt(2))
    torch.testing.assert_close(mean_frequencies(sequences, FPS), torch.tensor([1.0, 3.0]).double(), rtol=0.01, atol=0)


def test_large_motion_dominates_the_frequency():
    mixed = torch.cat([waves([1.0], [2.0]), waves([4.0], [0.02])])
    assert mean_frequencies(mixed, FPS) == pytest.approx(1.0, rel=0.01)
    still = torch.zeros(2, 10, 1)
    assert parameter_ranges(still).eq(0).all()
    assert mean_frequencies(still, FPS).isnan() and parameter_correlations(still).isnan()


def test_offsets_between_sequences_are_no_correlation():
    apart = torch.tensor([[5.0, -5.0], [-5.0, 5.0]])[:, None]  # opposite offsets between sequences
    sequences = waves([1.0, 1.0], [1.0, 3.0]).expand(2, -1, -1) + apart
    torch.testing.assert_close(parameter_correlations(sequences), torch.ones(2, 2).double())
    assert parameter_correlations(waves([1.0, 2.0], [1.0, 1.0]))[0, 1].abs() < 1e-6


def test_shapes_are_checked():
    with pytest.raises(ValueError, match='sequences'):
        parameter_ranges(torch.zeros(3, 2))
    with pytest.raises(ValueError, match='two frames'):
        mean_frequencies(torch.zeros(3, 1, 2), FPS)
