import pytest

from leokit.nn import channels_by_resolution, check_size


def test_channels_follow_the_paper():
    assert channels_by_resolution(1024) == {
        4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}


def test_multiplier_applies_from_resolution_64_and_limit_everywhere():
    channels = channels_by_resolution(128, channel_multiplier=0.5, max_channels=200)
    assert channels == {4: 200, 8: 200, 16: 200, 32: 200, 64: 128, 128: 64}


@pytest.mark.parametrize('size', [16, 48, 100, 2048])
def test_other_sizes_are_errors(size):
    with pytest.raises(ValueError, match=f'a power of two from 32 to 1024, got {size}'):
        check_size(size)


def test_the_limits_are_allowed():
    assert check_size(32) == 32 and check_size(1024) == 1024
    assert set(channels_by_resolution(32, max_channels=3).values()) == {3}
    assert channels_by_resolution(64, 64, max_channels=10**6)[64] == 256 * 64


def test_lia_x_scales_all_resolutions():
    assert channels_by_resolution(64, 0.5, first_scaled=4) == {4: 256, 8: 256, 16: 256, 32: 256, 64: 128}


@pytest.mark.parametrize('options', [dict(max_channels=2), dict(channel_multiplier=0.01)])
def test_fewer_than_three_channels_are_an_error(options):
    with pytest.raises(ValueError, match='channels; at least 3 are needed'):
        channels_by_resolution(64, **options)


@pytest.mark.parametrize('multiplier', [0, -1, float('nan'), float('inf'), 1e9])
def test_multipliers_that_are_mistakes(multiplier):
    with pytest.raises(ValueError, match='channel_multiplier must be above 0 and at most 64'):
        channels_by_resolution(32, multiplier)
