import pytest
import torch

from leokit.metrics import diversity, drift, jerk, jitter, boundary_jerk_ratio, dispersion


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_smooth_motion_has_no_jitter():
    t = torch.arange(12.0)
    parabola = torch.stack([t**2, 3 * t - 1], dim=-1)[None]
    assert jitter(parabola).tolist() == pytest.approx([0], abs=1e-9)
    cubic = (t**3)[None, :, None]
    assert jitter(cubic).tolist() == pytest.approx([6])


def test_one_bad_frame_affects_four_third_differences():
    codes = torch.zeros(1, 12, 1)
    codes[0, 6] = 1
    assert jerk(codes).tolist() == [[0, 0, 0, 1, 3, 3, 1, 0, 0]]


def test_diversity_is_zero_for_copies_and_the_distance_for_constants():
    one = noise(2, 1, 8, 5)
    assert diversity(one.expand(2, 4, 8, 5)).tolist() == pytest.approx([0, 0], abs=1e-12)
    apart = torch.tensor([0.0, 3.0]).view(1, 2, 1, 1).expand(1, 2, 8, 1)
    assert diversity(apart).tolist() == [3]
    three = torch.tensor([0.0, 3.0, 9.0]).view(1, 3, 1, 1).expand(1, 3, 8, 1)  # distances 3, 6 and 9
    assert diversity(three).tolist() == pytest.approx([6])


def test_an_invisible_boundary_has_ratio_one_and_a_jump_has_more():
    codes = noise(1, 4000, 3).cumsum(1)
    boundaries = list(range(20, 4000, 20))
    assert float(boundary_jerk_ratio(codes, boundaries)) == pytest.approx(1, abs=0.1)
    jumps = codes.clone()
    for boundary in boundaries:
        jumps[:, boundary:] += 10 * (-1) ** boundary
    assert float(boundary_jerk_ratio(jumps, boundaries)) > 2


def test_only_differences_across_a_boundary_count_as_boundary():
    codes = torch.zeros(1, 20, 1)
    codes[0, 10:] = 1  # the jump is between 9 and 10, and nothing else moves
    assert float(boundary_jerk_ratio(codes, [10])) == float('inf')
    assert float(boundary_jerk_ratio(codes, [14])) == pytest.approx(0)


def test_drift_and_dispersion_of_known_sequences():
    ramp = torch.arange(8.0)[None, :, None]
    assert drift(ramp, 4).tolist() == [[0, 2, 4, 6]]
    torch.testing.assert_close(dispersion(ramp, 2), torch.full((1, 2), 1.25, dtype=torch.float64).sqrt())


def test_remaining_frames_are_ignored():
    ramp = torch.arange(9.0)[None, :, None]
    torch.testing.assert_close(drift(ramp, 4), drift(ramp[:, :8], 4))


def test_values_do_not_depend_on_the_batch():
    codes = noise(3, 30, 4)
    for function in (jitter, drift, dispersion):
        torch.testing.assert_close(function(codes)[1:2], function(codes[1:2]))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match='at least 4 frames'):
        jitter(noise(1, 3, 2))
    with pytest.raises(ValueError, match='at least two sequences'):
        diversity(noise(1, 1, 4, 2))
    with pytest.raises(ValueError, match='boundaries must be frame numbers'):
        boundary_jerk_ratio(noise(1, 20, 2), [20])
    with pytest.raises(ValueError, match='nothing to compare'):
        boundary_jerk_ratio(noise(1, 4, 2), [2])
    with pytest.raises(ValueError, match='segments must be in'):
        drift(noise(1, 5, 2), 6)


def test_the_limits_of_boundaries_and_segments():
    codes = noise(1, 12, 2)
    for boundary in (1, 11):
        assert boundary_jerk_ratio(codes, [boundary]).isfinite()
    for wrong in ([0], [12], [], [3, 12]):
        with pytest.raises(ValueError, match='boundaries must be frame numbers in 1 … 11'):
            boundary_jerk_ratio(codes, wrong)
    assert jitter(noise(1, 4, 2)).shape == (1,)
    assert drift(codes, 12).shape == (1, 12) and dispersion(codes, 1).shape == (1, 1)
    with pytest.raises(ValueError, match='segments must be in 1 … 12'):
        dispersion(codes, 0)
