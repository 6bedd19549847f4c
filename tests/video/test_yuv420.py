"""Conversion between RGB and 4:2:0 on any device: against the values of the standards, and against FFmpeg."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from leokit.video import VideoWriter, iterate_frames, open_video
from leokit.video.h264 import H264Stream
from leokit.video.readers.frame_pixels import FrameConverter
from leokit.video.video_input import _pinned_chunks
from leokit.video.yuv420 import Yuv420Frames, rgb_to_yuv420, yuv420_to_rgb

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


@pytest.mark.parametrize('height, width', [(4, 5), (5, 4), (6, 4)])
def test_other_sizes_are_refused(height, width):
    with pytest.raises(ValueError, match=f'must be a multiple of four and the width even, got {height}x{width}'):
        rgb_to_yuv420(torch.zeros(3, height, width, dtype=torch.uint8))


@pytest.mark.parametrize('other', [(3, 36, 32), (3, 48, 16), (3, 30, 24), (3, 33, 24)])
def test_converted_frames_of_another_size_are_refused(tmp_path, other):
    with pytest.raises(ValueError, match='frames of .*a.mp4 are|not in 4:2:0'):
        with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
            writer.write_yuv420(np.zeros((3, 36, 24), np.uint8))
            writer.write_yuv420(np.zeros(other, np.uint8))
    assert not list(tmp_path.iterdir())


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


@pytest.mark.parametrize('color_matrix', ['bt601', 'bt709'])
@pytest.mark.parametrize('full_range', [False, True])
def test_planes_of_the_standard_have_saturated_colors(color_matrix, full_range):
    for color, values in COLOR_BARS[color_matrix].items():
        if full_range:  # 16 to 235 becomes 0 to 255, 16 to 240 around 128 as well
            values = ((values[0] - 16) * 255 / 219, *(128 + (value - 128) * 255 / 224 for value in values[1:]))
        luma, blue, red = (torch.full((rows, 8), round(max(0, min(255, value))), dtype=torch.uint8)
                           for rows, value in zip((12, 3, 3), values))
        frames = yuv420_to_rgb(Yuv420Frames(torch.cat([luma, blue, red])[None], color_matrix, full_range))
        assert frames.shape == (1, 3, 12, 8) and frames.dtype == torch.uint8
        assert (frames[0].int() - torch.tensor(color)[:, None, None]).abs().max() <= 3, color  # of rounded planes


@pytest.mark.parametrize('colorspace, kind', [(6, 'bt601'), (5, 'bt601'), (1, 'bt709'), (2, 'bt601')])
@pytest.mark.parametrize('color_range', [1, 2])
def test_frames_of_files_have_the_colors_of_ffmpeg(colorspace, kind, color_range):
    planes = np.random.default_rng(colorspace).integers(0, 256, (96, 48), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(planes, format='yuv420p')
    frame.colorspace, frame.color_range = colorspace, color_range
    convert = FrameConverter(None)
    assert convert.yuv420_kind(frame) == (kind, color_range == 2)
    converted = yuv420_to_rgb(Yuv420Frames(torch.from_numpy(planes), kind, color_range == 2))
    assert np.abs(converted.permute(1, 2, 0).numpy().astype(int) - convert(frame)).max() <= 1


def test_frames_of_other_kinds_are_converted_by_ffmpeg():
    frame = av.VideoFrame.from_ndarray(np.zeros((96, 48), np.uint8), format='yuv420p')
    assert FrameConverter(None).yuv420_kind(frame) is not None
    assert FrameConverter(None, 'bt709').yuv420_kind(frame) == ('bt709', False)  # states no matrix
    assert FrameConverter(2).yuv420_kind(frame) is None  # wide pixels
    for change in (dict(colorspace=9), dict(color_trc=16), dict(color_primaries=9)):  # BT.2020, PQ
        other = av.VideoFrame.from_ndarray(np.zeros((96, 48), np.uint8), format='yuv420p')
        for name, value in change.items():
            setattr(other, name, value)
        assert FrameConverter(None).yuv420_kind(other) is None, change
    assert FrameConverter(None).yuv420_kind(av.VideoFrame(48, 64, 'yuv444p')) is None


@pytest.mark.parametrize('color_matrix', ['bt601', 'bt709'])
def test_a_file_of_the_size_is_read_as_it_is_stored(clips, tmp_path, monkeypatch, color_matrix):
    monkeypatch.setattr('torch.Tensor.pin_memory', lambda self: self)  # needs a GPU
    with VideoWriter(tmp_path / 'a.mp4', 25, color_matrix=color_matrix) as writer:
        writer.write(clips.frames(40, 96, 96))
    with open_video(tmp_path / 'a.mp4') as video:
        assert video.yuv420_size == (96, 96)
        chunks = list(_pinned_chunks(video, 96, 16, 3, 38, 'center'))
    assert [(type(chunk), len(chunk.planes)) for chunk in chunks] == [
        (Yuv420Frames, 16), (Yuv420Frames, 16), (Yuv420Frames, 3)]
    frames = torch.cat(list(map(yuv420_to_rgb, chunks)))
    plain = torch.cat(list(iterate_frames(tmp_path / 'a.mp4', 96, chunk_size=16, first=3, last=38)))
    assert (frames.int() - plain.int()).abs().max() <= 1
    assert clips.numbers(frames.permute(0, 2, 3, 1).numpy()) == list(range(3, 38))


def test_a_file_of_another_size_or_format_is_read_as_rgb(clips, tmp_path, monkeypatch):
    monkeypatch.setattr('torch.Tensor.pin_memory', lambda self: self)
    for name, size, pixel_format in (('other.mp4', (96, 128), 'yuv420p'), ('format.mp4', (96, 96), 'yuv444p')):
        with VideoWriter(tmp_path / name, 25, pixel_format=pixel_format) as writer:
            writer.write(clips.frames(4, *size))
        with open_video(tmp_path / name) as video:
            chunk, = _pinned_chunks(video, 96, 16, 0, None, 'center')
        plain, = iterate_frames(tmp_path / name, 96, chunk_size=16)
        assert torch.equal(chunk, plain)


@pytest.mark.gpu
def test_frames_on_a_gpu_are_those_of_a_cpu(clips, tmp_path):
    with VideoWriter(tmp_path / 'a.mp4', 25) as writer:
        writer.write(clips.frames(40, 96, 96))
    for size, largest in ((96, 1), (48, 0)):
        cpu, gpu = (torch.cat(list(iterate_frames(tmp_path / 'a.mp4', size, chunk_size=16, device=device)))
                    for device in ('cpu', 'cuda'))
        assert gpu.is_cuda and (gpu.cpu().int() - cpu.int()).abs().max() <= largest
