"""Times of clips in frames, against the definition in exact arithmetic."""

from fractions import Fraction

import pytest

from leokit.preparation import ClipTimes
from leokit.preparation.clip_record import nominal_rate

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize('rate', [Fraction(25), NTSC, Fraction(24000, 1001), Fraction(60), Fraction(15)])
@pytest.mark.parametrize('unit', [Fraction(25), NTSC, Fraction(10)])
def test_frames_are_those_within_the_times(rate, unit):
    for start, end in ((0, 7), (100, 228), (999, 1127), (1, 3)):
        expected = [i for i in range(9000) if start * rate <= i * unit < end * rate]
        assert ClipTimes(Fraction(start), Fraction(end), unit).frames_at(rate) == (expected[0], expected[-1] + 1)


def test_seconds():
    times = ClipTimes(Fraction('12.34'), Fraction('15.61'))
    # frame 370 of 30000/1001 is shown at 12.3457 s, frame 467 at 15.5822 s, frame 468 at 15.6156 s
    assert times.frames_at(NTSC) == (370, 468)
    assert times.frames_at(Fraction(25)) == (309, 391)  # 12.36 s; 15.60 s is the last before 15.61 s


def test_rounded_rates_of_tables_do_not_shift_late_clips():
    """29.97 as it stands is not 30000/1001: after 33 s the frame numbers of the two differ by one."""
    assert Fraction(1000) * NTSC / Fraction('29.97') > 1000
    times = ClipTimes(Fraction(1000), Fraction(1128), nominal_rate(Fraction('29.97')))
    assert times.frames_at(NTSC) == (1000, 1128)


@pytest.mark.parametrize('text, rate', [
    ('29.97', NTSC), ('23.97', Fraction(24000, 1001)), ('23.976', Fraction(24000, 1001)), ('24.0', 24), ('25', 25),
    ('59.94', Fraction(60000, 1001)), ('30', 30), ('12.5', Fraction(25, 2)), ('15', 15)])
def test_nominal_rates(text, rate):
    assert nominal_rate(Fraction(text)) == rate
