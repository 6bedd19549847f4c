"""Conversion of RGB to 4:2:0 on any device: against the values of the standards, and against FFmpeg."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from leokit.video import VideoWriter
from leokit.video.h264 import H264Stream
from leokit.video.yuv420 import rgb_to_yuv420

# 8-bit (Y, Cb, Cr) of saturated colors, limited range, as tables of color bars list them
COLOR_BARS = {
    'bt601': {(255, 255, 255): (235, 128, 128), (255, 0, 0): (81, 90, 240), (0, 255, 0): (145, 54, 34),
              (0, 0, 255): (41, 240, 110), (0, 0, 0): (16, 128, 128), (255, 255, 0): (210, 16, 146)},
    'bt709': {(255, 255, 255): (235, 128, 128), (255, 0, 0): (63, 102, 240), (0, 255, 0): (173, 42, 26),
              (0, 0, 255): (32, 240, 118), (0, 0, 0): (16, 128, 128), (255, 255, 0): (219, 16, 138)},
}


def by_ffmpeg(frame, color_matrix):
    """(H, W, 3) as the writer of H.264 converts it on the CPU, (H * 3 / 2, W)."""
    with av.open(io.BytesIO(), 'w', format='mp4') as container:
        stream = H264Stream(container, Fraction(25), options={}, color_matrix=color_matrix, interpolation='BICUBIC')
        return stream.convert(frame, frame.shape[1], frame.shape[0]).to_ndarray()


@pytest.mark.parametrize('color_matrix', ['bt601', 'bt709'])
def test_saturated_colors_have_the_values_of_the_standard(color_matrix):
    for color, (luma, blue, red) in COLOR_BARS[color_matrix].items():
        frame = torch.tensor(color, dtype=torch.uint8)[:, None, None].expand(3, 12, 8)
        planes = rgb_to_yuv420(frame, color_matrix)
        assert planes.shape == (18, 8) and planes.dtype == torch.uint8
        for plane, wanted in ((planes[:12], luma), (planes[12:15], blue), (planes[15:], red)):
            assert (plane.int() - wanted).abs().max() <= 1, (color, wanted)


@pytest.mark.parametrize('color_matrix', ['bt601', 'bt709'])
@pytest.mark.parametrize('detail', [1, 8])
def test_bytes_are_those_of_ffmpeg_up_to_rounding(color_matrix, detail):
    coarse = np.random.default_rng(detail).integers(0, 256, (2, 3, 64 // detail, 48 // detail, 3), dtype=np.uint8)
    frames = coarse.repeat(detail, 2).repeat(detail, 3)  # noise, or edges between saturated colors
    planes = rgb_to_yuv420(torch.from_numpy(frames).permute(0, 1, 4, 2, 3), color_matrix).numpy().astype(int)
    wanted = np.stack([[by_ffmpeg(frame, color_matrix) for frame in video] for video in frames])
    assert planes.shape == wanted.shape == (2, 3, 96, 48)
    assert np.abs(planes - wanted).max() <= 1 and (planes != wanted).mean() < 0.1


def test_odd_sizes_are_refused():
    with pytest.raises(ValueError, match='must be even, got 4x5'):
        rgb_to_yuv420(torch.zeros(3, 4, 5, dtype=torch.uint8))


def test_converted_frames_make_the_same_file(clips, tmp_path):
    frames = clips.frames(40, 48, 96)
    with VideoWriter(tmp_path / 'rgb.mp4', 25, threads=1) as writer:
        writer.write(frames)
    planes = rgb_to_yuv420(torch.from_numpy(frames).permute(0, 3, 1, 2)).numpy()
    with VideoWriter(tmp_path / 'yuv.mp4', 25, threads=1) as writer:
        writer.write_yuv420(planes[:33])
        writer.write_yuv420(planes[33:])
        assert writer.num_frames == 40
    rgb, yuv = (clips.decode(tmp_path / name).astype(int) for name in ('rgb.mp4', 'yuv.mp4'))
    assert clips.numbers(yuv.astype(np.uint8)) == list(range(40))
    assert np.abs(rgb - yuv).mean() < 0.5
    tags = [[getattr(av.open(str(tmp_path / name)).streams.video[0].codec_context, key)
             for key in ('pix_fmt', 'colorspace', 'color_range', 'color_primaries', 'color_trc', 'width', 'height')]
            for name in ('rgb.mp4', 'yuv.mp4')]
    assert tags[0] == tags[1]


@pytest.mark.parametrize('name, options', [('a.gif', {}), ('a.npy', {}), ('a.mp4', dict(pixel_format='yuv444p'))])
def test_other_formats_refuse_converted_frames(tmp_path, name, options):
    with pytest.raises(ValueError, match='does not write H.264|not in yuv420p'):
        with VideoWriter(tmp_path / name, 25, **options) as writer:
            writer.write_yuv420(np.zeros((1, 24, 16), np.uint8))
    assert not list(tmp_path.iterdir())
