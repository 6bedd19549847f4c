from dataclasses import replace

import numpy as np
import pytest
import torch

from leokit.datasets import FrameDecoder
from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video import VideoIndex, fit_frames, write_manifest


def test_read_and_stream_agree(clips, video_folder):
    decoder = FrameDecoder(32)
    for video in VideoIndex(video_folder):
        streamed = np.concatenate(list(decoder.stream(video)))
        assert streamed.shape == (video.frames, 3, 32, 32) and streamed.dtype == np.uint8
        frames = np.array([3, video.frames - 1, 0])
        assert torch.equal(decoder.read(video, frames), torch.from_numpy(streamed[frames]))


def test_frames_are_cropped_and_resized(clips, video_folder):
    video = VideoIndex(video_folder).videos[0]
    whole = clips.decode(video.path)[:2]
    for crop in ('center', 'none'):
        got = FrameDecoder(24, crop).read(video, np.arange(2)).numpy()
        assert np.array_equal(got.transpose(0, 2, 3, 1), fit_frames(whole, 24, crop=crop))


def test_many_frames_in_any_order(clips, tmp_path):
    video, = VideoIndex(clips.write(tmp_path / 'a.mp4', clips.frames(70, 96, 96))).videos
    order = np.random.default_rng(0).permutation(70)
    frames = FrameDecoder(96).read(video, order)
    assert clips.numbers(frames.permute(0, 2, 3, 1).numpy()) == order.tolist()


def test_another_reader(video_folder):
    video = VideoIndex(video_folder).videos[0]
    decord = FrameDecoder(32, reader=VIDEO_READERS.build(dict(type='DecordReader')))
    one, same, other = (decoder.read(video, np.array([number])).float()
                        for decoder, number in ((decord, 4), (FrameDecoder(32), 4), (FrameDecoder(32), 9)))
    assert (one - same).abs().mean() < 3 < (one - other).abs().mean()  # decord rounds colors down


def test_a_changed_file_is_an_error(video_folder):
    video = replace(VideoIndex(video_folder).videos[0], frames=25, last=25)
    with pytest.raises(UserError, match='20 frames now'):
        FrameDecoder(32).read(video, np.array([22]))
    with pytest.raises(UserError, match='20 frames now'):
        list(FrameDecoder(32).stream(video))
    with pytest.raises(UserError, match='crop'):
        FrameDecoder(32, 'top')


def test_a_rate_that_a_manifest_rounds_gives_the_frames_of_the_file(clips, tmp_path):
    """147 frames at 22 per second are 100 at 15; at the manifest's 22.2 they would be 99."""
    clips.write(tmp_path / 'a.mp4', clips.frames(147), rate=22)
    write_manifest(tmp_path / 'manifest.json', [dict(file='a.mp4', fps=22.2)])
    video, = VideoIndex(tmp_path).videos
    assert video.fps == 22
    assert len(np.concatenate(list(FrameDecoder(16, fps=15.0).stream(video)))) == 100
    write_manifest(tmp_path / 'manifest.json', [dict(file='a.mp4', fps=30)])  # another rate counts
    video, = VideoIndex(tmp_path).videos
    assert video.fps == 30
    assert len(np.concatenate(list(FrameDecoder(16, fps=15.0).stream(video)))) == 74
