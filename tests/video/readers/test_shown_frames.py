"""Videos as a player shows them: time, edits, tracks, orientation, pixel shape, color, transparency, damage.

Expected values are by hand, or what the program ffmpeg 5.1 shows of the same file (stored).
"""

import logging
import os
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import VideoWriter, open_video
from leokit.video.clip_cutter import cut_clip
from leokit.video.face_crop import CropBox
from leokit.video.readers import AutoReader, PyAVReader, wide_color

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def write(path, frames, *, times=None, time_base=Fraction(1, 1000), codec='libx264', pixels='yuv444p', rate=25,
          options=None, mux=None, **context):
    """Write RGB or RGBA frames, one at each of ``times`` in units of ``time_base``."""
    with av.open(str(path), 'w', options=mux or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        stream.options = {'crf': '4', 'bf': '0'} if codec == 'libx264' else {}
        stream.options |= options or {}
        for key, value in context.items():
            setattr(stream.codec_context, key, value)
        if times is not None:
            stream.time_base = stream.codec_context.time_base = time_base
        for number, frame in enumerate(frames):
            image = av.VideoFrame.from_ndarray(frame, format='rgba' if frame.shape[-1] == 4 else 'rgb24')
            image = image.reformat(format=pixels)
            if times is not None:
                image.pts, image.time_base = int(times[number]), time_base
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def corners(height, width, count=1):
    """Black frames with red, green and blue in the corners top left, top right and bottom left."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[:, :12, :12], frames[:, :12, -12:], frames[:, -12:, :12] = RED, GREEN, BLUE
    return frames


def corner_names(frame):
    """Letters of the corners, as in 'RGB.' of an upright frame."""
    found = ''
    for row, column in ((4, 4), (4, -5), (-5, 4), (-5, -5)):
        color = frame[row, column].astype(int)
        found += next((letter for letter, wanted in zip('RGB', (RED, GREEN, BLUE))
                       if np.abs(color - wanted).max() < 60), '.')
    return found


def read_all(path, **options):
    with PyAVReader(**options).open(path) as video:
        return video.read(range(len(video)))


# ---- time ------------------------------------------------------------------

JITTER = np.cumsum(np.r_[0, np.tile([33, 34, 33, 34, 33, 50, 17, 33, 50], 10)[:89]])
SLOW = np.cumsum(np.r_[0, np.repeat([33, 67], [45, 44])])
PAUSE = np.cumsum(np.r_[0, [33] * 44, 2000, [33] * 44])


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv', 'a.webm'])
@pytest.mark.parametrize('times', [JITTER, SLOW, PAUSE], ids=['jitter', 'slow', 'pause'])
def test_variable_rates_are_read_by_time(clips, tmp_path, name, times):
    codec = dict(codec='libvpx', options={'b:v': '1M', 'crf': '4'}, pixels='yuv420p') if name == 'a.webm' else {}
    path = write(tmp_path / name, clips.frames(90), times=times, rate=1000, **codec)
    with PyAVReader().open(path) as video:
        assert video.fps == pytest.approx(89 / (times[-1] / 1000), rel=1e-6)
        assert video.is_variable_rate
        numbers = clips.numbers(video.read(range(len(video))))
    assert len(numbers) / video.fps == pytest.approx(times[-1] / 1000 + 1 / video.fps, abs=0.5 / video.fps)
    for index, number in enumerate(numbers):  # what is shown is at most half an output frame early
        assert times[number] / 1000 <= (index + 0.5) / video.fps + 1e-3
        assert number == 89 or times[number + 1] / 1000 >= (index + 0.5) / video.fps - 1e-3


def test_broadcast_rates_are_exact(clips, tmp_path):
    path = write(tmp_path / 'a.mkv', clips.frames(60), rate=Fraction(30000, 1001))
    with PyAVReader().open(path) as video:
        assert Fraction(video.fps).limit_denominator(1001) == Fraction(30000, 1001)
        assert not video.is_variable_rate


def test_a_gif_with_uneven_delays(clips, tmp_path):
    images = [Image.fromarray(frame) for frame in clips.frames(20)]
    images[0].save(tmp_path / 'a.gif', save_all=True, append_images=images[1:], duration=[40] * 10 + [80] * 10)
    with PyAVReader().open(tmp_path / 'a.gif') as video:
        assert video.fps == pytest.approx(19 / 1.12, rel=1e-6)  # ten intervals of 40 ms, nine of 80
        assert len(video) == 20
        half = clips.numbers(video.read([round(0.4 * video.fps)]))[0]
        assert half in (9, 10)  # frame 10 appears after 0.4 s


def test_at_another_rate(clips, tmp_path):
    path = write(tmp_path / 'a.mp4', clips.frames(60), rate=60)
    with PyAVReader().open(path) as video, video.at_rate(30) as slow:
        assert video.at_rate(60) is video
        assert (len(slow), slow.fps) == (30, 30)
        assert clips.numbers(slow.read(range(30))) == list(range(0, 60, 2))
        assert len(slow.at_rate(15)) == 15
    variable = write(tmp_path / 'b.mp4', clips.frames(90), times=PAUSE, time_base=Fraction(1, 1000))
    with PyAVReader().open(variable) as video, video.at_rate(1000 / 33) as fast:
        numbers = clips.numbers(fast.read(range(len(fast))))
    assert numbers[:45] == list(range(45)) and numbers[-45:] == list(range(45, 90))
    assert numbers.count(44) == 61  # 2 s at 30.3 fps: 60.6 frames, from frame 44 on


# ---- edit lists --------------------------------------------------------------

def find_atom(data, *names, start=0, end=None):
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack('>I4s', data[start:start + 8])
        if kind == names[0]:
            return (start, size) if len(names) == 1 else find_atom(data, *names[1:], start=start + 8, end=start + size)
        start += size
    return None


def edit(path, target, edits):
    """Give the track of an mp4 file an edit list of (frames, first frame)."""
    data = bytearray(path.read_bytes())
    scale = struct.unpack('>I', data[find_atom(data, b'moov', b'mvhd')[0] + 20:][:4])[0]
    media = struct.unpack('>I', data[find_atom(data, b'moov', b'trak', b'mdia', b'mdhd')[0] + 20:][:4])[0]
    old = find_atom(data, b'moov', b'trak', b'edts')
    delay = struct.unpack('>i', data[old[0] + 28:old[0] + 32])[0]  # presentation time of the first frame
    rows = b''.join(struct.pack('>IiHH', count * scale // 25, delay + first * media // 25, 1, 0)
                    for count, first in edits)
    entries = struct.pack('>I4sII', 16 + len(rows), b'elst', 0, len(edits)) + rows
    atom = struct.pack('>I4s', 8 + len(entries), b'edts') + entries
    moov, track = find_atom(data, b'moov'), find_atom(data, b'moov', b'trak')
    data[old[0]:old[0] + old[1]] = atom
    for start, size in (moov, track):
        data[start:start + 4] = struct.pack('>I', size + len(atom) - old[1])
    target.write_bytes(data)
    return target


EDITS = {'start_at_35': [(25, 35)], 'end_at_30': [(30, 0)], 'middle': [(14, 23)], 'two_pieces': [(10, 5), (10, 45)],
         'repeated': [(10, 0), (10, 0)], 'reordered': [(10, 40), (10, 0)]}
CODECS = {'plain': dict(b_frames=0, gop=10), 'b_frames': dict(gop=10),
          'open_gop': dict(gop=10, options={'x264-params': 'open-gop=1:bframes=3:b-adapt=0'}),
          'hevc': dict(gop=10, codec='libx265',
                       options={'x265-params': 'keyint=10:open-gop=1:log-level=error', 'crf': '10'})}


@pytest.mark.parametrize('codec', CODECS)
def test_lossless_trims_show_their_frames(clips, tmp_path, codec):
    try:
        whole = clips.write(tmp_path / 'whole.mp4', clips.frames(60), **CODECS[codec])
    except av.FFmpegError as error:
        pytest.skip(f'this FFmpeg does not encode {codec} ({error})')
    for name, edits in EDITS.items():
        path = edit(whole, tmp_path / f'{name}.mp4', edits)
        wanted = [number for count, first in edits for number in range(first, first + count)]
        with PyAVReader().open(path) as video:
            frames = video.read(range(len(video)))
            assert clips.numbers(frames) == wanted, name
            for index in np.random.default_rng(0).permutation(len(video))[:12]:
                assert np.array_equal(video.read([index])[0], frames[index]), name


def test_a_truncated_trim_is_refused(clips, tmp_path):
    whole = clips.write(tmp_path / 'whole.mp4', clips.frames(60), b_frames=0, gop=10)
    data = edit(whole, tmp_path / 'edited.mp4', [(25, 35)]).read_bytes()
    media, index = find_atom(data, b'mdat'), find_atom(data, b'moov')
    # The index first, as for streaming, and the end of the frames missing; chunk offsets grow by the index.
    moved = bytearray(data[index[0]:index[0] + index[1]])
    offsets = find_atom(moved, b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stco')[0] + 16
    count = struct.unpack('>I', moved[offsets - 4:offsets])[0]
    for place in range(offsets, offsets + 4 * count, 4):
        moved[place:place + 4] = struct.pack('>I', struct.unpack('>I', moved[place:place + 4])[0] + index[1])
    fast = data[:media[0]] + moved + data[media[0]:media[0] + media[1]]
    (tmp_path / 'fast.mp4').write_bytes(fast)
    assert clips.numbers(read_all(tmp_path / 'fast.mp4')) == list(range(35, 60))
    (tmp_path / 'cut.mp4').write_bytes(fast[:-media[1] // 4])
    with pytest.raises(UserError, match='is truncated'):
        PyAVReader().open(tmp_path / 'cut.mp4')


# ---- tracks ------------------------------------------------------------------

@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv'])
def test_the_default_track_is_read_not_a_preview(tmp_path, name):
    with av.open(str(tmp_path / name), 'w') as container:
        streams = []
        for size, default in ((16, False), (64, True), (48, False)):
            stream = container.add_stream('libx264', rate=25)
            stream.height = stream.width = size
            stream.pix_fmt = 'yuv420p'
            stream.disposition = av.stream.Disposition.default if default else 0
            streams.append(stream)
        for _ in range(5):
            for stream in streams:
                image = av.VideoFrame.from_ndarray(np.full((stream.height, stream.width, 3), 90, np.uint8), 'rgb24')
                container.mux(stream.encode(image))
        for stream in streams:
            container.mux(stream.encode(None))
    assert read_all(tmp_path / name).shape == (5, 64, 64, 3)


def test_a_picture_in_front_of_the_video_is_passed_over(tmp_path):
    with av.open(str(tmp_path / 'a.mkv'), 'w') as container:
        picture, video = container.add_stream('mjpeg', rate=25), container.add_stream('libx264', rate=25)
        picture.height = picture.width = 96
        picture.pix_fmt = 'yuvj420p'
        video.height = video.width = 64
        video.pix_fmt = 'yuv420p'
        for number in range(5):
            for stream in (picture, video)[number > 0:]:
                image = av.VideoFrame.from_ndarray(np.full((stream.height, stream.width, 3), 90, np.uint8), 'rgb24')
                container.mux(stream.encode(image.reformat(format=stream.pix_fmt)))
        for stream in (picture, video):
            container.mux(stream.encode(None))
    assert read_all(tmp_path / 'a.mkv').shape == (5, 64, 64, 3)


# ---- orientation and pixel shape -----------------------------------------------

@pytest.mark.parametrize('matrix, shape, shown', [
    ((1, 0, 0, 1), (48, 80), 'RGB.'), ((0, 1, -1, 0), (80, 48), 'BR.G'), ((-1, 0, 0, -1), (48, 80), '.BGR'),
    ((0, -1, 1, 0), (80, 48), 'G.RB'), ((-1, 0, 0, 1), (48, 80), 'GR.B'), ((1, 0, 0, -1), (48, 80), 'B.RG'),
    ((0, 1, 1, 0), (80, 48), 'RBG.'), ((0, -1, -1, 0), (80, 48), '.GBR')],
    ids=['id', 'r90', 'r180', 'r270', 'hflip', 'vflip', 'transpose', 'transverse'])
def test_display_matrices(tmp_path, matrix, shape, shown):
    frame = read_all(write_with_matrix(tmp_path / 'a.mp4', matrix))[0]
    assert frame.shape[:2] == shape and corner_names(frame) == shown


def write_with_matrix(path, matrix):
    data = bytearray(write(path, corners(48, 80)).read_bytes())
    start = find_atom(data, b'moov', b'trak', b'tkhd')[0] + 48
    a, b, c, d = (round(value * 2**16) for value in matrix)
    data[start:start + 36] = struct.pack('>9i', a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize('degrees', [45, -30, 100])
def test_other_angles_are_refused(tmp_path, degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    path = write_with_matrix(tmp_path / 'a.mp4', (cos, sin, -sin, cos))
    with pytest.raises(UserError, match=rf'a.mp4 is to be shown turned by {degrees} degrees, .* turn the frames'):
        read_all(path)
    with PyAVReader().open(path) as video, pytest.raises(UserError, match=f'a.mp4 .* {degrees} degrees'):
        cut_clip(video, tmp_path / 'clip.mp4', 0, 1, CropBox(0, 0, 48, 48), 32)
    assert not (tmp_path / 'clip.mp4').exists()


def test_a_fraction_of_a_degree_is_rounding(tmp_path):
    frame = read_all(write_with_matrix(tmp_path / 'a.mp4', (1, 0.005, -0.005, 1)))[0]
    assert corner_names(frame) == 'RGB.'


@pytest.mark.parametrize('orientation, shape, shown', [
    (1, (48, 80), 'RGB.'), (3, (48, 80), '.BGR'), (6, (80, 48), 'BR.G'), (8, (80, 48), 'G.RB')])
def test_a_jpeg_with_the_name_of_a_video(tmp_path, orientation, shape, shown):
    exif = Image.Exif()
    exif[0x0112] = orientation  # 3: turned by 180 degrees; 6: to be turned clockwise; 8: counterclockwise
    Image.fromarray(corners(48, 80)[0]).save(tmp_path / 'a.jpg', exif=exif, quality=98, subsampling=0)
    (tmp_path / 'a.jpg').rename(tmp_path / 'a.mp4')
    frame = read_all(tmp_path / 'a.mp4')[0]
    assert frame.shape[:2] == shape and corner_names(frame) == shown


@pytest.mark.parametrize('aspect, width', [((16, 11), 131), ((8, 9), 80), ((2, 1), 180), ((1, 1), 90)])
def test_pixels_become_square(tmp_path, aspect, width):
    path = write(tmp_path / 'a.mp4', corners(64, 90), sample_aspect_ratio=Fraction(*aspect))
    frame = read_all(path)[0]
    assert frame.shape == (64, width, 3)  # 90 columns times the aspect of a pixel
    assert corner_names(frame) == 'RGB.'


def test_interlaced_video_is_named_once(tmp_path, monkeypatch):
    path = write(tmp_path / 'a.mp4', corners(64, 64, 5), pixels='yuv420p', options={'x264-params': 'interlaced=1'})
    warnings = record_warnings(monkeypatch)
    read_all(path)
    read_all(path)
    assert len(warnings) == 1 and 'is interlaced' in warnings[0]


def record_warnings(monkeypatch):
    messages = []
    monkeypatch.setattr('leokit.video.readers.pyav_reader.print_log',
                        lambda message, logger=None, level=logging.INFO: messages.append(message))
    return messages


# ---- color and transparency ------------------------------------------------------

def gray_ycc(path, height, color=(180, 90, 200), tag=None):
    """A video of one YCbCr color; untagged unless ``tag`` names a matrix of ITU-T H.273."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.height, stream.width, stream.pix_fmt = height, 64, 'yuv444p'
        stream.options = {'crf': '0'}
        if tag:
            stream.codec_context.colorspace = tag
        image = av.VideoFrame(64, height, 'yuv444p')
        for plane, value in zip(image.planes, color):
            plane.update(bytes([value]) * plane.buffer_size)
        container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def rgb_of(ycc, red, blue):
    """Limited-range YCbCr to RGB by the definition, with the weights of red and blue in the luma."""
    luma, cb, cr = (ycc[0] - 16) / 219, (ycc[1] - 128) / 224, (ycc[2] - 128) / 224
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    return np.clip(255 * np.array([r, (luma - red * r - blue * b) / (1 - red - blue), b]), 0, 255)


BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)


@pytest.mark.parametrize('height, options, weights', [
    (718, {}, BT601), (720, {}, BT709), (720, dict(untagged_matrix='bt601'), BT601),
    (64, dict(untagged_matrix='bt709'), BT709)])
def test_the_matrix_of_untagged_video(tmp_path, height, options, weights):
    color = (120, 110, 150)
    frame = read_all(gray_ycc(tmp_path / 'a.mp4', height, color), **options)[0]
    assert np.abs(frame[20, 20] - rgb_of(color, *weights)).max() <= 1.5


@pytest.mark.parametrize('height, tag, weights', [(720, 6, BT601), (64, 1, BT709)])
def test_a_tagged_matrix_is_believed(tmp_path, height, tag, weights):
    color = (120, 110, 150)
    frame = read_all(gray_ycc(tmp_path / 'a.mp4', height, color, tag))[0]
    assert np.abs(frame[20, 20] - rgb_of(color, *weights)).max() <= 1.5


# ITU-R BT.2100: cd/m² of a signal in [0, 1], and of the reference white (ITU-R BT.2408)
REFERENCE_WHITE = 203


def pq_light(signal):
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    return 10000 * (max(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def hlg_light(signal):
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = signal ** 2 / 3 if signal <= 0.5 else (np.exp((signal - c) / a) + b) / 12
    return 1000 * scene ** 1.2


def srgb_level(light):
    """8-bit sRGB value of a linear light, 1 is white."""
    light = min(light, 1)
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


def plain_color(path, ycc, *, transfer, primaries=9, matrix=9, full_range=False):
    """A 10-bit video of a YCbCr color in [0, 1] x [-0.5, 0.5]², each value a number or one of each of 48 columns."""
    scales, zeros = ((1023,) * 3, (0, 512, 512)) if full_range else ((876, 896, 896), (64, 512, 512))
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, 'yuv444p10le'
        stream.options = {'crf': '0'}
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = (
            transfer, primaries, matrix, 2 if full_range else 1)
        image = av.VideoFrame(48, 32, 'yuv444p10le')
        for plane, value, scale, zero in zip(image.planes, ycc, scales, zeros):
            row = np.zeros(plane.line_size // 2, np.uint16)
            row[:48] = np.round(zero + scale * np.asarray(value))
            plane.update(np.tile(row, plane.height).tobytes())
        container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize('transfer, light', [(16, pq_light), (18, hlg_light)], ids=['pq', 'hlg'])
@pytest.mark.parametrize('primaries', [9, 2], ids=['bt2020', 'untagged'])
def test_hdr_video_is_converted(tmp_path, transfer, light, primaries):
    """Stripes of eight columns: FFmpeg's table of colors takes seconds, however many there are."""
    signals = (0, 0.2, 0.4, 0.55, 0.75, 0.9)
    path = plain_color(tmp_path / 'a.mp4', (np.repeat(signals, 8), 0, 0), transfer=transfer, primaries=primaries)
    frame = read_all(path)[0]
    assert frame.shape == (32, 48, 3)
    for number, signal in enumerate(signals):
        assert np.abs(frame[16, 8 * number + 4] - srgb_level(light(signal) / REFERENCE_WHITE)).max() <= 2.5, signal


@pytest.mark.parametrize('transfer, threads', [(16, 1), (1, 3)])
def test_one_thread_has_the_table_of_colors_of_hdr(tmp_path, monkeypatch, transfer, threads):
    path, pools = plain_color(tmp_path / 'a.mp4', (0.5, 0, 0), transfer=transfer, primaries=1), []
    monkeypatch.setattr('leokit.video.readers.pyav_reader.ThreadPoolExecutor', pools.append)
    with open_video(path) as video:
        video.convert_in_threads(3)
        monkeypatch.setattr(video, '_converters', None)
    assert pools == [threads]


def test_a_wide_gamut_is_converted(tmp_path):
    # skin in BT.2020: 10-bit SDR
    red, green, blue = 0.6, 0.5, 0.4
    luma = 0.2627 * red + 0.678 * green + 0.0593 * blue
    path = plain_color(tmp_path / 'a.mp4', (luma, (blue - luma) / 1.8814, (red - luma) / 1.4746), transfer=14)
    linear = ((np.array((red, green, blue)) + 0.099) / 1.099) ** (1 / 0.45)
    primaries = np.array(((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)))
    expected = 255 * (1.099 * (primaries @ linear) ** 0.45 - 0.099)  # (169, 124, 98), and (153, 128, 102) unconverted
    assert np.abs(read_all(path)[0][16, 20] - expected).max() <= 3


@pytest.mark.parametrize('full_range', [False, True])
@pytest.mark.parametrize('matrix, red, blue', [(6, 0.299, 0.114), (1, 0.2126, 0.0722), (9, 0.2627, 0.0593)])
def test_ten_bits_of_every_matrix_and_range(tmp_path, matrix, red, blue, full_range):
    color = np.array((200, 150, 90)) / 255
    luma = red * color[0] + (1 - red - blue) * color[1] + blue * color[2]
    ycc = luma, (color[2] - luma) / (2 - 2 * blue), (color[0] - luma) / (2 - 2 * red)
    path = plain_color(tmp_path / 'a.mp4', ycc, transfer=1, primaries=1, matrix=matrix, full_range=full_range)
    assert np.abs(read_all(path)[0][16, 20] - 255 * color).max() <= 1.5


def test_hdr_that_this_ffmpeg_does_not_convert_is_refused(tmp_path, monkeypatch):
    path = plain_color(tmp_path / 'a.mp4', (0.5, 0, 0), transfer=16)
    monkeypatch.setitem(wide_color.TO_SRGB, 'no_such_option', 'x')
    with PyAVReader().open(path) as video, pytest.raises(UserError, match='a.mp4 has colors .PQ. that the FFmpeg of'):
        video.read([0])


def transparent_frames():
    frames = np.zeros((3, 64, 64, 4), np.uint8)
    frames[:, 16:32, 16:32] = (220, 170, 130, 255)
    frames[:, 40:56, 40:56] = (220, 170, 130, 127)
    return frames


@pytest.mark.parametrize('name, codec, pixels', [
    ('a.mov', 'png', 'rgba'), ('b.mov', 'qtrle', 'argb'), ('c.mkv', 'ffv1', 'bgra'),
    ('d.mov', 'prores_ks', 'yuva444p10le'), ('e.webm', 'libvpx-vp9', 'yuva420p'), ('f.webm', 'libvpx', 'yuva420p')])
def test_transparent_video_lies_over_white(tmp_path, name, codec, pixels):
    options = {'auto-alt-ref': '0', 'crf': '4', 'b:v': '2M'} if name.endswith('webm') else {}
    try:
        path = write(tmp_path / name, transparent_frames(), codec=codec, pixels=pixels, options=options)
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f'this FFmpeg does not write {codec} ({error})')
    frame = read_all(path)[1].astype(int)
    tolerance = 0 if pixels in ('rgba', 'argb', 'bgra') else 4
    assert np.abs(frame[4, 4] - 255).max() <= tolerance
    assert np.abs(frame[24, 24] - (220, 170, 130)).max() <= tolerance
    half = np.array([220, 170, 130]) * 127 / 255 + 255 * 128 / 255  # 237.6, 212.7, 192.7
    assert np.abs(frame[48, 48] - half).max() <= tolerance + 0.5


# ---- names and damage --------------------------------------------------------------

@pytest.mark.parametrize('name', [
    'a:b.mp4', 'http:clip.mp4', 'file:x.mp4', 'concat:a|b.mp4', 'data:c.mp4', 'pipe:0.mp4',
    'subfile,,start,0,end,0,,:c.mp4', '%03d.mp4', '-dash.mp4', '~tilde.mp4'])
def test_no_name_is_an_address(clips, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with VideoWriter(name, 25) as writer:
        writer.write(clips.frames(4))
    assert os.listdir(tmp_path) == [name]
    with AutoReader().open(name) as video:
        assert clips.numbers(video.read(range(4))) == [0, 1, 2, 3]


def test_addresses_are_refused_and_home_is_expanded(clips, tmp_path, monkeypatch):
    for address in ('https://example.org/a.mp4', 'rtsp://camera/1'):
        with pytest.raises(UserError, match='is an address'):
            AutoReader().open(address)
    monkeypatch.setenv('HOME', str(tmp_path))
    clips.write(tmp_path / 'a.mp4', clips.frames(3))
    with AutoReader().open('~/a.mp4') as video:
        assert len(video) == 3


def test_a_playlist_in_disguise_opens_no_other_file(clips, tmp_path):
    clips.write(tmp_path / 'secret.ts', clips.frames(5))
    (tmp_path / 'a.mp4').write_text('#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n')
    with pytest.raises(UserError, match='a.mp4'):
        AutoReader().open(tmp_path / 'a.mp4')


def test_frames_that_the_decoder_made_up_are_refused(clips, tmp_path):
    whole = clips.write(tmp_path / 'whole.mkv', clips.frames(60), b_frames=0, gop=20)
    with av.open(str(whole)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = bytearray(whole.read_bytes())
    start = data.index(packets[30])
    for place in range(start + len(packets[30]) // 4, start + len(packets[30]) - 4):
        data[place] ^= 0x5A
    (tmp_path / 'damaged.mkv').write_bytes(data)
    with PyAVReader().open(tmp_path / 'damaged.mkv') as video, PyAVReader().open(whole) as original:
        with pytest.raises(UserError, match='frame 30 of .*damaged.mkv'):
            video.read([30])
        for stretch in (range(20), range(40, 60)):  # the groups of pictures before and after
            assert np.array_equal(video.read(stretch), original.read(stretch))


def test_a_truncated_matroska_file_is_named(clips, tmp_path, monkeypatch):
    whole = clips.write(tmp_path / 'whole.mkv', clips.frames(60), b_frames=0).read_bytes()
    (tmp_path / 'cut.mkv').write_bytes(whole[:len(whole) // 2])
    warnings = record_warnings(monkeypatch)
    assert 20 < len(read_all(tmp_path / 'cut.mkv')) < 60
    assert len(warnings) == 1 and f'{len(whole) - len(whole) // 2} bytes' in warnings[0]
