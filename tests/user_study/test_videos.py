"""Videos are found, refused with a reason, and re-encoded without a trace of their origin."""

import io

import av
import numpy as np
import pytest

from leokit.user_study import encode_clip, open_moving_video, videos_by_name
from leokit.utils import UserError

from user_study.studies import moving_frames, write_video


def decode(data):
    with av.open(io.BytesIO(data)) as container:
        return np.stack([frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)])


def test_names_omit_folder_and_suffix(tmp_path):
    for name in ('b.mp4', 'deep/a.avi', 'deep/c.mkv', '.hidden.mp4'):
        write_video(tmp_path / name, moving_frames())
    (tmp_path / 'notes.txt').write_text('no video')
    assert list(videos_by_name(tmp_path)) == ['b', 'deep/a', 'deep/c']


def test_missing_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        videos_by_name(tmp_path / 'nowhere')
    with pytest.raises(UserError, match='there are no videos in'):
        videos_by_name(tmp_path)


def test_broken_and_single_frame_videos_are_refused(tmp_path):
    (tmp_path / 'junk.mp4').write_bytes(b'junk' * 500)
    with pytest.raises(UserError, match='junk.mp4'):
        open_moving_video(tmp_path / 'junk.mp4')
    write_video(tmp_path / 'one.mp4', moving_frames(length=1))
    with pytest.raises(UserError, match='single frame'):
        open_moving_video(tmp_path / 'one.mp4')


def test_clip_keeps_frames_rate_and_colors():
    frames = moving_frames(length=10)
    clip = encode_clip([frames[:4], frames[4:]], 30000 / 1001)
    assert (clip.frames, clip.size) == (10, (48, 48))
    assert clip.fps == pytest.approx(29.97, abs=1e-3)
    assert np.abs(decode(clip.data).astype(int) - frames).mean() < 6


def test_colors_are_tagged_with_their_matrix():
    red = np.zeros((4, 32, 32, 3), np.uint8)
    red[..., 0] = 200
    clip = encode_clip([red], 25)
    with av.open(io.BytesIO(clip.data)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.profile, context.pix_fmt) == ('h264', 'High', 'yuv420p')
        assert (context.colorspace, context.color_range) == (1, 1)  # BT.709, limited
        luma = next(container.decode(video=0)).to_ndarray()[0, 0]
    assert luma == pytest.approx(16 + 219 * 0.2126 * 200 / 255, abs=2)


def test_the_digest_is_that_of_the_frames():
    frames = moving_frames()
    digest = encode_clip([frames], 25).digest
    assert encode_clip([frames[:3], frames[3:]], 30).digest == digest != encode_clip([frames[::-1]], 25).digest


def test_no_metadata_survives(tmp_path):
    write_video(tmp_path / 'a.mp4', moving_frames(), title='zebramethod')
    assert b'zebramethod' in (tmp_path / 'a.mp4').read_bytes()
    with open_moving_video(tmp_path / 'a.mp4') as video:
        clip = encode_clip(video.chunks(3), video.fps)
    assert b'zebramethod' not in clip.data
    with av.open(io.BytesIO(clip.data)) as container:
        assert 'title' not in container.metadata and 'creation_time' not in container.metadata
        assert not container.streams.audio


@pytest.mark.parametrize('shape, height, size', [
    ((47, 33), None, (32, 46)), ((48, 96), 24, (48, 24)), ((30, 20), 61, (40, 60)), ((2, 2), None, (2, 2))])
def test_sizes_become_even(shape, height, size):
    frames = moving_frames(length=2, height=shape[0], width=shape[1])
    clip = encode_clip([frames], 25, height=height)
    assert clip.size == size
    assert decode(clip.data).shape == (2, size[1], size[0], 3)


def test_a_size_beyond_the_codec_is_refused():
    with pytest.raises(UserError, match='--height'):
        encode_clip([moving_frames(length=2, height=8, width=400)], 25, height=1000)
