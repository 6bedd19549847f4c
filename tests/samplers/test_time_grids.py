"""Time grids."""

import pytest

from leokit.samplers import leading_grid, linspace_grid, next_in_grid, previous_by_stride, time_grid, trailing_grid
from leokit.utils import UserError


def test_grids_by_hand():
    assert leading_grid(10, 3) == [6, 3, 0]
    assert trailing_grid(10, 3) == [9, 6, 2]  # 10, 6.67, 3.33, rounded, minus one
    assert linspace_grid(10, 3) == [9, 6, 3]


@pytest.mark.parametrize('timestep_spacing', ['leading', 'trailing', 'linspace'])
@pytest.mark.parametrize('total', [1, 2, 7, 1000])
def test_every_grid_falls_inside_the_schedule(timestep_spacing, total):
    for num_inference_steps in {1, 2, 3, total // 2, total - 1, total}:
        if not 1 <= num_inference_steps <= (total - 1 if timestep_spacing == 'linspace' else total):
            continue
        times = time_grid(timestep_spacing, total, num_inference_steps)
        assert len(times) == num_inference_steps
        assert 0 <= times[-1] and times[0] <= total - 1
        assert all(a > b for a, b in zip(times, times[1:]))


@pytest.mark.parametrize('timestep_spacing', ['trailing', 'linspace'])
def test_grids_that_start_at_pure_noise(timestep_spacing):
    assert time_grid(timestep_spacing, 1000, 30)[0] == 999


def test_a_full_grid_is_every_time():
    assert time_grid('leading', 5, 5) == time_grid('trailing', 5, 5) == [4, 3, 2, 1, 0]


def test_pairings_agree_on_even_grids():
    for times in (leading_grid(1000, 50), trailing_grid(1000, 50), leading_grid(1000, 30)):
        assert next_in_grid(times) == previous_by_stride(times, 1000)
    assert next_in_grid([7, 3]) == ((7, 3), (3, -1))


def test_pairings_differ_on_uneven_grids():
    times = trailing_grid(1000, 30)
    assert previous_by_stride(times, 1000)[0] == (999, 966)
    assert next_in_grid(times)[0] == (999, 966) and next_in_grid(times)[1] == (966, 932)
    assert previous_by_stride(times, 1000)[1] == (966, 933)


@pytest.mark.parametrize('timestep_spacing, num_inference_steps', [('leading', 0), ('trailing', 11), ('linspace', 10)])
def test_too_many_or_few_steps_are_errors(timestep_spacing, num_inference_steps):
    with pytest.raises(UserError, match=f'num_inference_steps={num_inference_steps}.*between 1 and'):
        time_grid(timestep_spacing, 10, num_inference_steps)


def test_unknown_spacing_names_the_choices():
    with pytest.raises(UserError, match="'karras' is unknown.*'leading', 'trailing', 'linspace'"):
        time_grid('karras', 10, 3)


def test_halves_are_rounded_to_even():
    assert trailing_grid(10, 4) == [9, 7, 4, 1]  # 10, 7.5, 5, 2.5 become 10, 8, 5, 2
    assert linspace_grid(10, 2) == [9, 4]  # 9, 4.5
    assert leading_grid(11, 4) == [6, 4, 2, 0]


@pytest.mark.parametrize('timestep_spacing', ['leading', 'trailing', 'linspace'])
def test_no_steps_are_an_error_and_one_step_is_not(timestep_spacing):
    with pytest.raises(UserError, match='num_inference_steps=0.*between 1 and'):
        time_grid(timestep_spacing, 10, 0)
    assert time_grid(timestep_spacing, 10, 1) == [0 if timestep_spacing == 'leading' else 9]


def test_strides_end_at_the_data():
    assert previous_by_stride([9, 6, 2], 10) == ((9, 6), (6, 3), (2, -1))
