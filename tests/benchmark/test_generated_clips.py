"""Videos are generated once, belong to their settings, and an interrupted job resumes."""

import numpy as np
import pytest
import torch

from leokit.benchmark.generated_clips import GeneratedClips
from leokit.inference import FrameStream
from leokit.utils import UserError


def add(clips, numbers, frames=5, interrupted=False):
    codes = torch.stack([torch.full((frames, 2), float(number)) for number in numbers])
    video = torch.stack([torch.full((frames, 3, 8, 8), number / 10) for number in numbers])
    kept = []

    def chunks():
        for piece, part in zip(video.split(2, dim=1), codes.split(2, dim=1)):
            kept.append(part)
            yield piece
            if interrupted:
                raise RuntimeError('out of luck')
    clips.add(numbers, FrameStream(chunks(), frames, 8), kept, codes[:, 0] + 1)


@pytest.mark.parametrize('clip_format', ['npy', 'frames', 'mp4'])
def test_missing_videos_are_added(tmp_path, clip_format):
    clips = GeneratedClips(tmp_path / 'a', dict(seed=1), clip_format=clip_format)
    assert clips.missing(4) == [0, 1, 2, 3]
    add(clips, [0, 2])
    again = GeneratedClips(tmp_path / 'a', dict(seed=1), clip_format=clip_format)
    assert again.missing(4) == [1, 3]
    add(again, [1, 3])
    motion, read = again.codes(4)
    assert motion.shape == (4, 5, 2) and motion[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert read[:, 0].tolist() == [1, 2, 3, 4]
    assert len(list((tmp_path / 'a').iterdir())) == 4 and again.missing(4) == []


def test_an_interruption_leaves_no_partial_videos(tmp_path):
    clips = GeneratedClips(tmp_path / 'a', dict(seed=1))
    with pytest.raises(RuntimeError, match='out of luck'):
        add(clips, [0, 1], interrupted=True)
    assert not list((tmp_path / 'a').iterdir()) and clips.missing(2) == [0, 1]


def test_a_video_without_codes_is_replaced(tmp_path):
    clips = GeneratedClips(tmp_path / 'a', dict(seed=1), clip_format='frames')  # a folder would be refused
    add(clips, [0])
    (tmp_path / 'a_codes' / '00000.npz').unlink()
    assert clips.missing(1) == [0]
    add(clips, [0])
    assert clips.missing(1) == []


def test_other_settings_are_refused(tmp_path):
    add(GeneratedClips(tmp_path / 'a', dict(seed=1, model=dict(weights='x'))), [0])
    with pytest.raises(UserError, match=r'holds videos of other settings \(other model, seed=1, not 2\)'):
        GeneratedClips(tmp_path / 'a', dict(seed=2, model=dict(weights='y')))
    with pytest.raises(UserError, match=r'\(format=npy, not mp4\)'):
        GeneratedClips(tmp_path / 'a', dict(seed=1, model=dict(weights='x')), clip_format='mp4')
    (tmp_path / 'a.json').unlink()
    with pytest.raises(UserError, match='unknown settings'):
        GeneratedClips(tmp_path / 'a', dict(seed=1, model=dict(weights='x')))
    np.save(tmp_path / 'b.npy', np.zeros(1))
    GeneratedClips(tmp_path / 'c', dict(seed=3))


def test_space_is_needed_for_missing_videos_only(tmp_path):
    clips = GeneratedClips(tmp_path / 'a', dict(seed=1))
    with pytest.raises(UserError, match='2 videos of 1000000000000 frames'):
        clips.check_space(2, 10**12, 8)
    add(clips, [0, 1])
    clips.check_space(2, 10**12, 8)
