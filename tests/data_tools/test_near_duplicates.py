"""Near duplicates of made clips: copies with known changes, and other pieces of the same recording."""

import cv2
import numpy as np
import pytest

from leokit.data_tools.near_duplicates import (
    MIN_CORRELATION, find_near_duplicates, fingerprint, fingerprint_videos, motion_correlation, perceptual_hash)
from leokit.video import VideoIndex


def recording(count, seed=0, place=1, size=96):
    """A bright blob that wanders over the room ``place``."""
    room = cv2.resize(np.random.default_rng(place).integers(30, 200, (6, 6, 3), dtype=np.uint8), (size, size),
                      interpolation=cv2.INTER_CUBIC)
    path = np.cumsum(np.random.default_rng(seed).normal(0, 1.2, (count + 200, 2)), axis=0)
    path = size / 2 + size / 4 * np.sin(path / 6)
    rows, columns = np.mgrid[:size, :size]
    frames = np.stack([room] * count)
    for frame, (row, column) in zip(frames, path):
        frame[(rows - row)**2 + (columns - column)**2 < (size / 6)**2] = (235, 190, 170)
    return frames


CHANGES = {
    'resized': lambda frames: np.stack([cv2.resize(frame, (40, 56)) for frame in frames]),
    'brighter': lambda frames: np.clip(frames * 1.1 + 12, 0, 255).astype(np.uint8),
    'trimmed': lambda frames: frames[17:],
    'noisy': lambda frames: np.clip(frames + np.random.default_rng(3).normal(0, 8, frames.shape), 0, 255).astype(
        np.uint8),
    'cropped': lambda frames: frames[:, 2:-2, 2:-2]}


@pytest.mark.parametrize('change', CHANGES)
def test_changed_copies_are_found(change):
    frames = recording(150)
    prints = [fingerprint(frames, 25), fingerprint(CHANGES[change](frames), 25)]
    assert [(pair.first, pair.second) for pair in find_near_duplicates(prints)] == [(0, 1)]


def test_copies_at_another_frame_rate_are_found():
    frames = recording(150)
    slow = frames[np.arange(0, 150, 2)]  # 12.5 frames per second
    assert len(find_near_duplicates([fingerprint(frames, 25), fingerprint(slow, 12.5)])) == 1


def test_other_motion_in_the_same_place_is_no_duplicate():
    first, second = fingerprint(recording(150, seed=1), 25), fingerprint(recording(150, seed=2), 25)
    assert motion_correlation(first, second) < MIN_CORRELATION
    assert find_near_duplicates([first, second._replace(code=first.code)]) == []  # even if they looked alike


def test_equal_motion_in_another_place_is_no_duplicate():
    prints = [fingerprint(recording(150, place=1), 25), fingerprint(recording(150, place=2), 25)]
    assert find_near_duplicates(prints) == []


def test_stills_are_compared_by_what_they_show():
    room, other = recording(1, place=1)[0], recording(1, place=3)[0]
    prints = [fingerprint(np.stack([image] * 50), 25) for image in (room, room, other)]
    assert [(pair.first, pair.second) for pair in find_near_duplicates(prints)] == [(0, 1)]


def test_hash_has_64_bits_of_which_brightness_changes_none():
    image = recording(1, size=32)[0].mean(axis=2)
    assert perceptual_hash(image) == perceptual_hash(image + 40) == perceptual_hash(0.5 * image)
    assert 20 < bin(perceptual_hash(image)).count('1') < 44 and perceptual_hash(image) < 2**63


def test_chunks_give_what_the_whole_clip_gives():
    frames = recording(90)
    whole, parts = fingerprint(frames, 25), fingerprint((frames[start:start + 7] for start in range(0, 90, 7)), 25)
    assert whole.code == parts.code and np.allclose(whole.series, parts.series, atol=1e-3)
    assert whole.series.shape == (18, 8, 8)  # 3.6 seconds, five values each


def test_many_clips_are_compared_in_blocks(monkeypatch):
    monkeypatch.setattr('leokit.data_tools.near_duplicates.BLOCK', 2)
    prints = [fingerprint(recording(60, seed=seed, place=seed), 25) for seed in range(5)]
    prints[4] = prints[1]
    assert [(pair.first, pair.second) for pair in find_near_duplicates([*prints[:2], None, *prints[2:]])] == [(1, 5)]


def test_videos_that_cannot_be_read_are_named(video_folder):
    videos = VideoIndex(video_folder).videos
    videos[1] = type(videos[1])(name='gone', path=video_folder / 'gone.mp4', identity='x', fps=25.0)
    prints, skipped = fingerprint_videos(videos)
    assert [item is None for item in prints] == [False, True, False] and 'gone.mp4' in str(skipped[0])
