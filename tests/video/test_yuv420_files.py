"""Files that are read in 4:2:0 have the colors and the errors of those that FFmpeg converts."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from leokit.utils import UserError
from leokit.video import iterate_frames, open_video
from leokit.video.readers import frame_pixels
from leokit.video.video_input import _on_device, _pinned_chunks
from leokit.video.yuv420 import Yuv420Frames


def colorful(count, size=96):
    """Edges between saturated colors, uint8 (count, size, size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, 12, 12, 3), np.uint8).repeat(8, 1).repeat(8, 2)[
        :, :size, :size]


def write(path, frames, params='', codec='libx264'):
    """A file as others write it: leokit's own have their chroma in the middle."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=25, options={'x264-params': params} if params else {})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], 'yuv420p'
        for number, frame in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format='rgb24')
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def chunks_for_gpu(path, size, chunk_size=4, **span):
    with open_video(path) as video:
        yield from _pinned_chunks(video, size, chunk_size, span.get('first', 0), span.get('last'), 'center')


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch):
    monkeypatch.setattr('torch.Tensor.pin_memory', lambda self: self)


def check(path, size, stored):
    """The same frames as on a CPU, ``stored`` of the chunks in 4:2:0."""
    chunks = list(chunks_for_gpu(path, size))
    assert [isinstance(chunk, Yuv420Frames) for chunk in chunks] == stored
    frames = torch.cat([_on_device(chunk, torch.device('cpu')) for chunk in chunks])
    wanted = torch.cat(list(iterate_frames(path, size, chunk_size=4)))
    assert (frames.int() - wanted.int()).abs().max() <= 1


@pytest.mark.parametrize('params, is_stored', [
    ('', True), ('chromaloc=0', True), ('chromaloc=1', True),  # untagged is left, left, center
    ('chromaloc=2', False), ('chromaloc=5', False), ('tff=1', False)])  # top left, bottom; interlaced
def test_chroma_is_where_the_file_says(tmp_path, params, is_stored):
    write(tmp_path / 'a.mp4', colorful(10), params)
    check(tmp_path / 'a.mp4', 96, [is_stored] * 3)


@pytest.mark.parametrize('codec', ['mpeg4', 'mpeg2video'])
def test_other_codecs_have_chroma_on_the_left(tmp_path, codec):
    write(tmp_path / 'a.mkv', colorful(10), codec=codec)
    check(tmp_path / 'a.mkv', 96, [True] * 3)


@pytest.mark.parametrize('params', ['', 'chromaloc=1'])
def test_frames_without_color_do_not_decide_for_later_ones(tmp_path, params):
    frames = colorful(8)
    frames[:6] = 128  # the second chunk begins without colors, too
    write(tmp_path / 'a.mp4', frames, params)
    check(tmp_path / 'a.mp4', 96, [True] * 2)


def test_a_change_of_the_resolution_is_scaled_as_on_a_cpu(tmp_path):
    for name, size in (('a.h264', 96), ('b.h264', 64)):
        write(tmp_path / name, colorful(4, size), 'bframes=0')
    both = (tmp_path / 'a.h264').read_bytes() + (tmp_path / 'b.h264').read_bytes()
    (tmp_path / 'c.h264').write_bytes(both)
    check(tmp_path / 'c.h264', 64, [False, True])  # such a file is decoded once to count its frames: 64 comes last


def test_errors_are_those_of_other_videos(tmp_path, monkeypatch):
    write(tmp_path / 'a.mp4', colorful(4))
    for span in (dict(last=6), dict(first=-1)):
        with pytest.raises(ValueError, match=r'frame numbers must be one or more of 0\.\.3'):
            list(chunks_for_gpu(tmp_path / 'a.mp4', 96, **span))
    with open_video(tmp_path / 'a.mp4') as video:
        pass
    with pytest.raises(ValueError, match='has been closed'):
        list(_pinned_chunks(video, 96, 4, 0, None, 'center'))

    def refuse(frame):
        raise UserError('is to be shown turned by 45 degrees')
    monkeypatch.setattr(frame_pixels, 'display_matrix', refuse)
    with pytest.raises(UserError, match=r'a\.mp4 is to be shown turned'):
        list(chunks_for_gpu(tmp_path / 'a.mp4', 96))
