import numpy as np
import pytest
from support.calling import run_command

from leokit.synthetic_faces import MOTION_NAMES, SyntheticFacesPlan, sample_motion
from leokit.utils import UserError


def test_clips_have_unique_names_and_motions():
    plan = SyntheticFacesPlan(num_identities=5, clips_per_identity=2, num_frames=8)
    clips = plan.clips()
    assert len({clip.name for clip in clips}) == len({clip.file for clip in clips}) == 10
    motions = np.stack([plan.motion(clip)[0] for clip in clips])
    assert len(np.unique(motions.reshape(10, -1), axis=0)) == 10
    assert np.array_equal(plan.appearance(clips[0]), plan.appearance(clips[1]))
    assert not np.array_equal(plan.appearance(clips[0]), plan.appearance(clips[2]))


def test_splits_are_by_identity_with_their_fractions():
    plan = SyntheticFacesPlan(num_identities=100, clips_per_identity=2, train=0.8, val=0.15, test=0.05)
    splits = plan.identity_splits()
    assert [splits.count(name) for name in ('train', 'val', 'test')] == [80, 15, 5]
    by_identity = {}
    for clip in plan.clips():
        by_identity.setdefault(clip.identity, set()).add(clip.split)
    assert all(len(names) == 1 for names in by_identity.values())
    assert splits != sorted(splits)  # random, not in the order of the identities


@pytest.mark.parametrize('identities, expected', [
    (3, {'train', 'val', 'test'}), (2, {'train'}), (30, {'train', 'val', 'test'})])
def test_small_sets_have_all_splits_if_possible(identities, expected):
    assert set(SyntheticFacesPlan(num_identities=identities).identity_splits()) == expected


def test_one_behavior_in_all_clips():
    options = dict(num_identities=20, clips_per_identity=1, num_frames=100)
    plan, default = SyntheticFacesPlan(**options, behavior='talking'), SyntheticFacesPlan(**options)
    opened = MOTION_NAMES.index('mouth_open')
    for clip in plan.clips():
        motion, behavior = plan.motion(clip)
        assert behavior == 'talking' and motion[:, opened].max() > 0.3
        np.testing.assert_array_equal(
            motion, sample_motion(100, seed=(0, clip.identity_number, 0), behavior='talking')[0])
    assert {default.motion(clip)[1] for clip in default.clips()} == {'nodding', 'talking', 'mixed'}
    # folders of datasets from before the option remain valid
    assert 'behavior' not in default.settings() and plan.settings()['behavior'] == 'talking'


def test_a_split_with_fraction_zero_is_empty():
    splits = SyntheticFacesPlan(num_identities=20, train=1, val=1, test=0).identity_splits()
    assert splits.count('test') == 0 and splits.count('train') == 10


@pytest.mark.parametrize('key, value', [
    ('num_identities', 0), ('num_frames', -1), ('fps', 0.0), ('size', 33), ('size', 8), ('seed', -1), ('train', -0.1),
    ('behavior', 'singing')])
def test_invalid_settings_are_refused_by_name(key, value):
    with pytest.raises(UserError, match=key):
        SyntheticFacesPlan(**{key: value})


@pytest.mark.parametrize('fractions', [(2, 2, 2), (0.5, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_the_command_takes_fractions_as_every_other_command(tmp_path, fractions):
    with pytest.raises(UserError, match='sum to 1'):
        run_command('synthetic-faces', '--out', tmp_path / 'faces', '--num-identities', 3, '--num-frames', 2,
                    '--split-fractions', *fractions)
    assert not (tmp_path / 'faces').exists()
