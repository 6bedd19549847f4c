import pytest
import torch

from leokit.metrics import drift, long_motion, recurrence, relative_long_motion

SEAMS = [16, 32, 48]


def walks(number, frames=64, seed=0):
    return torch.randn(number, frames, 3, generator=torch.Generator().manual_seed(seed)).cumsum(1)


def test_shapes_and_agreement_with_the_single_statistics():
    codes = walks(4)
    found = long_motion(codes, SEAMS, 4)
    assert found['drift'].shape == found['jitter'].shape == found['dispersion'].shape == (4,)
    assert torch.allclose(found['drift'], drift(codes, 4).mean(0)) and found['boundary_jerk_ratio'].shape == ()


def test_a_sequence_that_freezes_or_shakes_shows_in_the_segment():
    codes = walks(4)
    codes[:, 32:] = codes[:, 32:33]
    found = long_motion(codes, SEAMS, 4)
    assert found['dispersion'][2:].max() == 0 and found['jitter'][2:].max() == 0 and found['dispersion'][1] > 0.1


def test_a_loop_recurs():
    loop = walks(4, 16).repeat(1, 4, 1)
    assert recurrence(loop.unflatten(1, (4, 16))) == 0
    noise = torch.randn(64, 4, 16, 3, generator=torch.Generator().manual_seed(1))
    assert recurrence(noise) > 0.9  # nearest of 3 own and of 252 others
    assert recurrence(walks(1).unflatten(1, (4, 16))).isnan()
    with pytest.raises(ValueError, match='at least two segments'):
        recurrence(noise[:, :1])


def test_real_motion_has_relative_values_of_one():
    real = walks(40, 16, seed=3)
    found = relative_long_motion(walks(40, 70), real, [16, 32, 48, 66])
    assert found['jitter'].shape == found['dispersion'].shape == found['drift'].shape == (4,)
    assert (found['jitter'] - 1).abs().max() < 0.1 and (found['dispersion'] - 1).abs().max() < 0.3
    assert found['drift'][0] == 0 < found['drift'][3] and 0.9 < found['boundary_jerk_ratio'] < 1.1
    wild = relative_long_motion(walks(40, 70) * 3, real, [16])
    assert (wild['jitter'] / found['jitter'] - 3).abs().max() < 1e-6


def test_short_motion_has_one_segment():
    found = relative_long_motion(walks(5, 20), walks(5, 16, seed=3), [])
    assert set(found) == {'jitter', 'dispersion'} and all(values.shape == (1,) for values in found.values())
    assert 'boundary_jerk_ratio' not in relative_long_motion(walks(5, 40), walks(5, 16, seed=3), [])


def test_drift_is_in_units_of_the_dispersion():
    """By hand: steps of 0.3 from segment to segment, over a real sequence that alternates between -2 and 2."""
    steps = torch.arange(3.0).mul(0.3).repeat_interleave(4)[None, :, None]  # (1, 12, 1)
    real = torch.tensor([-2.0, 2.0, -2.0, 2.0])[None, :, None]
    found = relative_long_motion(steps, real, [])
    torch.testing.assert_close(found['drift'], torch.tensor([0.0, 0.15, 0.3], dtype=torch.float64), atol=1e-6, rtol=0)
    assert found['dispersion'].tolist() == [0, 0, 0] and found['jitter'].tolist() == [0, 0, 0]
    # third differences of the alternation are +-16, its dispersion is 2
    wild = relative_long_motion(4 * real.repeat(2, 2, 1), real, [])
    assert wild['dispersion'].tolist() == [4, 4] and wild['jitter'].tolist() == [4, 4]
