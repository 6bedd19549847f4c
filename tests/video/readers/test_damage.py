"""Damaged packets: which frames they cost, by comparing all decoded frames with those of the whole file."""

import numpy as np
import pytest
from support.damaged_videos import FRAMES, GROUP, make_damaged, needs_ffmpeg

from leokit.video.readers import AutoReader
from leokit.video.readers.damage import Damage, DamagedFrameError, suspect_frames, until_next_key


@needs_ffmpeg
@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv'])
@pytest.mark.parametrize('b_frames', [0, 3])
def test_every_changed_frame_is_found_and_other_groups_are_intact(tmp_path, name, b_frames):
    made = make_damaged(tmp_path / 'raw', name, [32, 80], b_frames=b_frames)
    assert made.changed
    with AutoReader().open(made.path) as video, AutoReader().open(made.whole) as whole:
        damage = Damage(video)
        found = np.flatnonzero(damage.frames)
        assert len(video) == FRAMES and set(made.changed) <= set(found)
        assert {number // GROUP for number in found} == {1, 3}
        intact, damaged = damage.stretches()
        assert sorted(number for stretch in (*intact, *damaged) for number in range(*stretch)) == list(range(FRAMES))
        for stretch in intact:
            assert np.array_equal(video.read(range(*stretch)), whole.read(range(*stretch)))


@needs_ffmpeg
def test_frames_that_a_transport_stream_has_lost(tmp_path):
    made = make_damaged(tmp_path / 'raw', 'a.ts', [32])
    assert made.changed == list(range(32, 48))  # 32 is missing, and the others refer to it
    with AutoReader().open(made.path) as video:
        assert video.marked_damaged == 1 and Damage(video).is_expected
        assert np.flatnonzero(video.find_damage()).tolist() == list(range(32, 47))  # by the frames that are there
    with AutoReader().open(made.whole) as whole:
        assert whole.marked_damaged == 0 and not whole.find_damage().any()


@needs_ffmpeg
def test_a_whole_file_has_no_damage(tmp_path):
    made = make_damaged(tmp_path / 'raw', 'a.mp4', [], b_frames=3)
    assert made.changed == []
    with AutoReader().open(made.path) as video:
        assert Damage(video).stretches(10, 50) == ([(10, 50)], []) and not Damage(video).is_expected


@needs_ffmpeg
def test_at_another_rate(tmp_path):
    made = make_damaged(tmp_path / 'raw', 'a.mp4', [32])
    assert made.changed == list(range(32, 48))
    with AutoReader().open(made.path) as opened, opened.at_rate(12.5) as video:
        # every second frame
        assert Damage(video).stretches() == ([(0, 16), (24, 60)], [(16, 24)])


@needs_ffmpeg
def test_frames_that_refer_to_a_concealed_one_are_refused(tmp_path):
    made = make_damaged(tmp_path / 'raw', 'a.mp4', [30])
    number = max(made.changed)
    with AutoReader().open(made.path) as video, AutoReader().open(made.whole) as whole:
        with pytest.raises(DamagedFrameError, match='frame .* of .*a.mp4'):
            video.read([number])
        assert np.array_equal(video.read([0, 50]), whole.read([0, 50]))


@needs_ffmpeg
@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv'])
@pytest.mark.parametrize('packets', [[32, 80], [49], [57, 101]])
def test_random_access_returns_no_changed_frame(tmp_path, name, packets):
    """B frames before a concealed one refer to it, and come out of the decoder first."""
    made = make_damaged(tmp_path / 'raw', name, packets, b_frames=3)
    intact, refused = [], []
    with AutoReader().open(made.whole) as whole:
        right = whole.read(range(FRAMES))
    for number in range(FRAMES):
        with AutoReader().open(made.path) as video:  # nothing was decoded before
            try:
                assert np.array_equal(video.read([number])[0], right[number]), number
                intact.append(number)
            except DamagedFrameError:
                refused.append(number)
    with AutoReader().open(made.path) as video:
        assert refused == np.flatnonzero(video.find_damage()).tolist() and set(made.changed) <= set(refused)
        for number in np.random.default_rng(0).permutation(intact):
            assert np.array_equal(video.read([number])[0], right[number])


def test_suspect_frames_of_groups_of_pictures():
    # two groups with B frames, I0 P3 B1 B2 P6 B4 B5 | I9 B7 B8 P12 B10 B11: the second is open
    order = np.array((0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11))
    keys = np.isin(order, (0, 9))

    def suspects(*damaged):
        return sorted(order[suspect_frames(order, keys, np.isin(order, damaged))].tolist())
    assert suspects() == []
    assert suspects(6) == [4, 5, 6, 7, 8]  # decoded after it, and what refers back from the next group
    assert suspects(3) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert suspects(12) == [10, 11, 12]
    assert suspects(9) == [7, 8, 9, 10, 11, 12]


def test_frames_up_to_the_next_key_frame():
    damaged = np.array([0, 1, 0, 0, 0, 0, 0, 1, 1, 0], bool)
    keys = np.array([1, 0, 0, 1, 0, 1, 0, 0, 1, 0], bool)
    expected = [0, 1, 1, 0, 0, 0, 0, 1, 1, 1]
    assert until_next_key(damaged, keys).tolist() == [bool(value) for value in expected]
