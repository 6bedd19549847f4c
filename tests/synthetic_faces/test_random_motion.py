import numpy as np
import pytest

from leokit.synthetic_faces import BEHAVIORS, MOTION_NAMES, MOTION_PARAMETERS, sample_motion


def many(behavior, count=40, frames=96):
    return np.stack([sample_motion(frames, seed=(0, k), behavior=behavior)[0] for k in range(count)])


def column(motion, name):
    return motion[..., MOTION_NAMES.index(name)]


def band_power_fraction(signal, low, high, fps=25):
    """Fraction of the power of a signal (of its frame differences) between two frequencies."""
    steps = np.diff(signal, axis=-1)
    power = np.abs(np.fft.rfft(steps, axis=-1)) ** 2
    frequency = np.fft.rfftfreq(steps.shape[-1], 1 / fps)
    return power[..., (frequency >= low) & (frequency <= high)].sum() / power.sum()


def test_motion_depends_on_its_seed_only():
    first, behavior = sample_motion(48, seed=(1, 2, 3))
    again, same = sample_motion(48, seed=(1, 2, 3))
    assert np.array_equal(first, again) and behavior == same
    assert not np.array_equal(first, sample_motion(48, seed=(1, 2, 4))[0])


def test_parameters_stay_in_their_ranges():
    motion = np.concatenate([many(behavior) for behavior in BEHAVIORS])
    assert motion.dtype == np.float32
    for name, parameter in MOTION_PARAMETERS.items():
        values = column(motion, name)
        assert parameter.low - 1e-5 <= values.min() and values.max() <= parameter.high + 1e-5, name
        assert values.max() - values.min() > 0.4 * (parameter.high - parameter.low), name


def test_motion_is_smooth():
    """Except for eyelids and mouth, no parameter changes by more than a fifth of its range between two frames."""
    motion = np.concatenate([many(behavior) for behavior in BEHAVIORS])
    for name, parameter in MOTION_PARAMETERS.items():
        step = np.abs(np.diff(column(motion, name), axis=1)).max() / (parameter.high - parameter.low)
        assert step < (0.75 if name == 'blink' else 0.5 if name == 'mouth_open' else 0.2), name
    assert np.abs(np.diff(column(motion, 'yaw'), axis=1)).max() < 6


def test_nodding_oscillates_the_pitch_with_a_closed_mouth():
    nodding, talking = many('nodding'), many('talking')
    assert column(nodding, 'mouth_open').max() == 0
    assert column(nodding, 'pitch').std(axis=1).mean() > 1.5 * column(talking, 'pitch').std(axis=1).mean()
    assert band_power_fraction(column(nodding, 'pitch'), 0.7, 2.5) > 0.6
    pairs = zip(column(nodding, 'pitch'), column(nodding, 'ty'))
    assert np.mean([np.corrcoef(pitch, ty)[0, 1] for pitch, ty in pairs]) > 0.2  # the head moves down with the pitch


def test_talking_opens_the_mouth_in_the_rhythm_of_syllables():
    talking = many('talking')
    opened = column(talking, 'mouth_open')
    assert (opened.max(axis=1) > 0.4).all() and (opened < 0.02).mean() > 0.08  # with pauses
    assert band_power_fraction(opened, 2.0, 7.0) > 0.6
    beats = [np.corrcoef(np.diff(a), np.diff(b))[0, 1] for a, b in zip(opened, column(talking, 'pitch'))]
    assert np.mean(beats) > 0.1  # the head moves in the rhythm


def test_mixed_nods_and_talks():
    mixed = many('mixed')
    assert column(mixed, 'mouth_open').max() > 0.5 and band_power_fraction(column(mixed, 'pitch'), 0.7, 2.5) > 0.4


def test_blinks_are_events():
    blink = column(many('talking', count=80), 'blink')
    assert (blink < 0.01).mean() > 0.75
    assert 0.5 < (blink.max(axis=1) > 0.8).mean()  # most clips of four seconds contain a blink
    starts = ((blink[:, 1:] > 0.5) & (blink[:, :-1] <= 0.5)).sum() / (blink.size / 25)
    assert 0.2 < starts < 0.6  # per second


def test_all_behaviors_are_sampled():
    sampled = {sample_motion(8, seed=k)[1] for k in range(40)}
    assert sampled == set(BEHAVIORS)


@pytest.mark.parametrize('arguments', [dict(num_frames=0), dict(num_frames=8, fps=0),
                                       dict(num_frames=8, behavior='dancing')])
def test_invalid_arguments_are_refused(arguments):
    with pytest.raises(ValueError):
        sample_motion(**arguments)


def test_one_frame_is_a_motion():
    assert sample_motion(1, seed=0)[0].shape == (1, len(MOTION_NAMES))
