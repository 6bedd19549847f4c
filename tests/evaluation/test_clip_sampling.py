import numpy as np
import pytest

from leokit.evaluation.clip_sampling import Clip, plan_over_time, plan_trials, unique_clips
from leokit.evaluation.protocol import ClipRule, Protocol
from leokit.utils import UserError


def build(num_clips=4, length=4, **sampling):
    return Protocol.from_dict(dict(name='t', clips=dict(length=length), sampling=dict(num_clips=num_clips, **sampling)))


def test_stride_and_length_give_the_span():
    rule = ClipRule(length=4, stride=3)
    assert rule.span == 10
    assert rule.frame_numbers(2, frames=20, fps=25).tolist() == [2, 5, 8, 11]
    assert rule.available_frames(20, 25) == 20


def test_resampling_takes_the_nearest_frames():
    rule = ClipRule(length=4, fps=10)
    assert rule.available_frames(31, 30.0) == 11  # one second and the frame at its end
    assert rule.frame_numbers(0, 31, 30.0).tolist() == [0, 3, 6, 9]
    assert rule.frame_numbers(7, 31, 30.0).tolist() == [21, 24, 27, 30]
    assert ClipRule(length=4, fps=50).frame_numbers(0, 31, 25.0).tolist() == [0, 0, 1, 2]  # half to even


def test_clips_depend_on_seed_and_trial():
    protocol = build(num_clips=5, trials=3, real='random')
    windows = [30] * 9
    first = plan_trials(windows, protocol, 'real')
    assert first == plan_trials(windows, protocol, 'real')
    assert first[0] != first[1] != first[2]
    assert first != plan_trials(windows, protocol.changed({'sampling.seed': 1}), 'real')


def test_one_clip_per_video():
    for mode in ('first', 'random'):
        clips = plan_trials([5, 9, 1, 7, 3], build(num_clips=5, real=mode), 'real')[0]
        assert [clip.video for clip in clips] == [0, 1, 2, 3, 4]
        assert all(0 <= clip.start < windows for clip, windows in zip(clips, [5, 9, 1, 7, 3]))
        assert mode == 'random' or all(clip.start == 0 for clip in clips)


def test_tiles_cover_each_video_without_overlap():
    clips = plan_trials([9, 4, 5], build(num_clips=6, real='tiles'), 'real')[0]  # spans of 4 frames
    assert clips == [Clip(0, 0), Clip(0, 4), Clip(0, 8), Clip(1, 0), Clip(2, 0), Clip(2, 4)]


def test_windows_are_all_equally_likely():
    protocol = build(num_clips=3, real='windows', trials=3000)
    plans = plan_trials([1, 2, 3], protocol, 'real')
    counts = dict.fromkeys([Clip(0, 0), Clip(1, 0), Clip(1, 1), Clip(2, 0), Clip(2, 1), Clip(2, 2)], 0)
    for plan in plans:
        assert len(set(plan)) == 3
        for clip in plan:
            counts[clip] += 1
    assert all(count == pytest.approx(1500, abs=150) for count in counts.values())


def test_too_few_clips_are_an_error_that_names_the_remedy():
    with pytest.raises(UserError, match=r'requires 4 generated clips of 4 frames, but there are only 3.*num_clips=3'):
        plan_trials([5, 5, 5], build(), 'fake')
    with pytest.raises(UserError, match='at least two'):
        plan_trials([5], build(fewer='both'), 'fake')


@pytest.mark.parametrize(('fewer', 'set_name', 'allowed'), [
    ('none', 'real', False), ('real', 'real', True), ('real', 'fake', False), ('both', 'fake', True)])
def test_fewer_clips_only_where_the_protocol_allows(fewer, set_name, allowed):
    protocol = build(fewer=fewer, real='first')
    if allowed:
        assert len(plan_trials([5, 5, 5], protocol, set_name)[0]) == 3
    else:
        with pytest.raises(UserError, match='only 3'):
            plan_trials([5, 5, 5], protocol, set_name)


def test_over_time_takes_successive_windows_of_all_videos():
    plans = plan_over_time([9, 6, 13], build(num_clips=3))  # spans of 4; the shortest has 9 frames
    assert plans == [[Clip(video, start) for video in range(3)] for start in (0, 4)]


def test_unique_clips_and_their_indices():
    a, b, c = Clip(0, 1), Clip(0, 5), Clip(2, 0)
    clips, indices = unique_clips([[c, a], [b, a]])
    assert clips == [a, b, c]
    assert [index.tolist() for index in indices] == [[2, 0], [1, 0]]
    assert all(index.dtype == np.int64 for index in indices)


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match='set_name must be one of'):
        plan_trials([5, 5], build(), 'left')


def test_interleaved_clips_take_every_frame_of_a_segment_once():
    """Segments of length * stride frames, with as many clips as the stride; a remainder is ignored."""
    protocol = Protocol.from_dict(dict(name='t', clips=dict(length=3, stride=2), sampling=dict(
        num_clips=6, real='interleaved')))
    frames = [13, 6, 5]  # two segments of 6, one, none
    clips = plan_trials([count - 4 for count in frames], protocol, 'real')[0]  # 5 frames are spanned
    assert clips == [Clip(0, 0), Clip(0, 1), Clip(0, 6), Clip(0, 7), Clip(1, 0), Clip(1, 1)]


def test_sets_and_trials_have_random_numbers_of_their_own():
    """NumPy's generator of (seed, trial, set) by the definition."""
    protocol = build(num_clips=5, trials=2, real='random', fake='random', seed=3)
    for number, name in enumerate(('real', 'fake')):
        for trial, plan in enumerate(plan_trials([30] * 9, protocol, name)):
            random = np.random.default_rng((3, trial, number))
            videos = np.sort(random.choice(9, 5, replace=False))
            assert plan == [Clip(int(video), int(start)) for video, start in zip(videos, random.integers([30] * 5))]


@pytest.mark.parametrize('shortest, starts', [(1, [0]), (4, [0]), (5, [0, 4]), (8, [0, 4]), (9, [0, 4, 8])])
def test_over_time_ends_with_the_last_window_of_the_shortest_video(shortest, starts):
    plans = plan_over_time([shortest, 20], build(num_clips=2))
    assert plans == [[Clip(video, start) for video in range(2)] for start in starts]


def test_over_time_shows_the_videos_of_the_first_trial():
    plans = plan_over_time([9] * 30, build(num_clips=4, seed=5))
    videos = np.sort(np.random.default_rng((5, 0, 1)).choice(30, 4, replace=False)).tolist()
    assert [[clip.video for clip in plan] for plan in plans] == [videos] * 3
    assert plan_over_time([9], build(num_clips=4))[2] == [Clip(0, 8)]  # fewer videos than clips


def test_two_clips_are_enough():
    assert plan_trials([3, 3], build(num_clips=2), 'fake') == [[Clip(0, 0), Clip(1, 0)]]


def test_random_starts_of_all_videos_take_no_numbers_for_the_choice():
    windows = [30, 40, 50, 60]
    starts = np.random.default_rng((0, 0, 0)).integers(windows).tolist()
    assert [clip.start for clip in plan_trials(windows, build(real='random'), 'real')[0]] == starts


def test_an_empty_plan_has_no_indices():
    assert unique_clips([[Clip(0, 0)], []])[1][1].dtype == np.int64
