"""What a model sees of H.264 files, against a conversion in floating point, and against whole frames by FFmpeg."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from leokit.croppers import CroppedVideo, CropRegion, CropTrack, crop_region
from leokit.utils import UserError
from leokit.video import fit_frames, iterate_frames, open_video
from leokit.video.face_crop import CropBox
from leokit.video.frame_fit import SquareFit
from leokit.video.readers.frame_parts import ALIGNMENT, MARGIN, PartCutter

WEIGHTS = {'bt601': (0.299, 0.114), 'bt709': (0.2126, 0.0722)}  # of red and blue in luma


def random_planes(count, height, width):
    """Y, U and V of edges between saturated colors, some of them beyond RGB, uint8.

    Not far beyond: FFmpeg's integers overflow at twice the brightest blue.
    """
    rng = np.random.default_rng(height)
    return [np.stack([rng.integers(30, 226, (-(-rows // 6), -(-columns // 6)), np.uint8).repeat(6, 0).repeat(6, 1)[
        :rows, :columns] for _ in range(count)])
        for rows, columns in [(height, width), *[((height + 1) // 2, (width + 1) // 2)] * 2]]


def write(path, planes, params='', *, aspect=None, pixels='yuv420p'):
    """A file whose decoded planes are exactly these."""
    with av.open(str(path), 'w') as container:
        odd = planes[0].shape[1] % 2 or planes[0].shape[2] % 2  # which x264 has not in 4:2:0
        options = {} if odd else {'qp': '0', 'x264-params': f'bframes=0{params}'}
        stream = container.add_stream('ffv1' if odd else 'libx264', rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *planes[0].shape[1:], pixels
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for number in range(len(planes[0])):
            frame = av.VideoFrame(stream.width, stream.height, pixels)
            for plane, values in zip(frame.planes, planes):
                padded = np.zeros((values.shape[1], plane.line_size), np.uint8)
                padded[:, :values.shape[2]] = values[number]
                plane.update(padded)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def to_rgb(planes, matrix, full_range=False, location='left'):
    """RGB (T, H, W, 3) in floating point, by the standards; chroma is interpolated linearly."""
    luma, *chroma = (plane.astype(float) for plane in planes)

    def doubled(values, axis, centered):
        padded = np.concatenate([values.take([0], axis), values, values.take([-1], axis)], axis)
        before, here, after = (padded.take(range(k, k + values.shape[axis]), axis) for k in range(3))
        both = (0.25 * before + 0.75 * here, 0.75 * here + 0.25 * after) if centered else (here, (here + after) / 2)
        shape = list(values.shape)
        shape[axis] *= 2
        return np.stack(both, axis + 1).reshape(shape)

    blue, red = (doubled(doubled(plane - 128, 1, True), 2, location == 'center') for plane in chroma)
    if not full_range:
        luma, blue, red = (luma - 16) * 255 / 219, blue * 255 / 224, red * 255 / 224
    red_weight, blue_weight = WEIGHTS[matrix]
    red, blue = luma + 2 * (1 - red_weight) * red, luma + 2 * (1 - blue_weight) * blue
    green = (luma - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.stack([red, green, blue], -1).clip(0, 255)


def average(frames, size):
    """The means over the areas of S x S pixels."""
    def weights(length):
        edges = np.arange(size + 1) * length / size
        low, high = np.maximum(edges[:-1, None], np.arange(length)), np.minimum(edges[1:, None], np.arange(length) + 1)
        return (high - low).clip(0) * size / length
    return np.einsum('ih,thwc,jw->tijc', weights(frames.shape[1]), frames, weights(frames.shape[2]), optimize=True)


def seen(video, size, crop='center', chunk_size=2):
    """What a model gets, (T, S, S, 3)."""
    return np.concatenate(list(iterate_frames(video, size, chunk_size=chunk_size, crop=crop))).transpose(0, 2, 3, 1)


def check(found, wanted):
    assert found.shape == wanted.shape
    difference = np.abs(found - wanted)
    assert difference.max() < 2 and difference.mean() < 0.6


@pytest.mark.parametrize('shape, params, colors', [
    ((96, 160), '', dict(matrix='bt601')), ((720, 960), '', dict(matrix='bt709')),
    ((160, 98), '', dict(matrix='bt601')),
    ((96, 160), ':colormatrix=bt709', dict(matrix='bt709')), ((720, 960), ':colormatrix=bt470bg', dict(matrix='bt601')),
    ((96, 160), ':colormatrix=bt709:fullrange=on', dict(matrix='bt709', full_range=True)),
    ((94, 158), ':chromaloc=1', dict(matrix='bt601', location='center'))])
@pytest.mark.parametrize('crop', ['center', 'none'])
def test_frames_have_the_colors_of_the_standards(tmp_path, shape, params, colors, crop):
    planes = random_planes(3, *shape)
    video = write(tmp_path / 'a.mp4', planes, params)
    frames, side = to_rgb(planes, **colors), min(shape)
    if crop == 'center':
        top, left = ((length - side) // 2 for length in shape)
        frames = frames[:, top:top + side, left:left + side]
    check(seen(video, 40, crop), average(frames, 40))


@pytest.mark.parametrize('box', [(33, 11, 64, 64), (0, 0, 50, 50), (301, 77, 83, 61), (314, 59, 70, 91)])
@pytest.mark.parametrize('threads', [0, 2])
def test_faces_have_the_colors_of_the_standards(tmp_path, box, threads):
    planes = random_planes(5, 150, 384)
    left, top, width, height = box
    wanted = average(to_rgb(planes, 'bt601')[:, top:top + height, left:left + width], 32)
    with open_video(write(tmp_path / 'a.mp4', planes)) as video:
        if threads:
            video.convert_in_threads(threads)
        region = CropRegion(left + width / 2, top + height / 2, width, height)
        check(seen(CroppedVideo(video, CropTrack.resting(region), 32), 32), wanted)


def test_a_face_of_a_high_frame_keeps_the_matrix_of_the_frame(tmp_path):
    planes = random_planes(1, 720, 640)
    with open_video(write(tmp_path / 'a.mp4', planes)) as video:
        face = CroppedVideo(video, CropTrack.resting(CropRegion(300, 200, 80, 80)), 40)
        check(face.read([0]), average(to_rgb(planes, 'bt709')[:, 160:240, 260:340], 40))


def test_a_face_beyond_the_frame_repeats_its_border(tmp_path):
    planes = random_planes(1, 96, 160)
    frame = np.pad(to_rgb(planes, 'bt601'), ((0, 0), (0, 14), (0, 20), (0, 0)), mode='edge')
    with open_video(write(tmp_path / 'a.mp4', planes)) as video:
        face = CroppedVideo(video, CropTrack.resting(CropRegion(150, 80, 60, 60)), 30)
        check(face.read([0]), average(frame[:, 50:110, 120:180], 30))
        outside = CroppedVideo(video, CropTrack.resting(CropRegion(250, 80, 60, 60)), 30)
        with pytest.raises(UserError, match='the crop around 250, 80 has no pixel of the frame, which has 160x96'):
            outside.read([0])


# ---- parts are those of whole frames ---------------------------------------------

BOXES = [CropBox(*box) for box in ((0, 0, 7, 5), (35, 30, 36, 31), (41, 9, 75, 46), (50, 3, 86, 58), (12, 20, 51, 31))]


def by_ffmpeg(path):
    """Whole frames (T, H, W, 3), converted to RGB at once."""
    kind = av.video.reformatter.Interpolation
    with av.open(str(path)) as container:
        return np.stack([frame.reformat(
            format='rgb24', interpolation=kind.BILINEAR | kind.ACCURATE_RND | kind.FULL_CHR_H_INT).to_ndarray()
            for frame in container.decode(video=0)])


def parts(video, box):
    """The pixels in a box of all frames of an open video."""
    region = CropRegion((box.left + box.right) / 2, (box.top + box.bottom) / 2, box.right - box.left,
                        box.bottom - box.top)
    return CroppedVideo(video, CropTrack.resting(region), None).read(range(len(video)))


def check_parts(video, whole):
    for box in BOXES:
        np.testing.assert_array_equal(parts(video, box), whole[:, box.top:box.bottom, box.left:box.right])


@pytest.mark.parametrize('shape, params, pixels', [
    ((62, 90), '', 'yuv420p'), ((62, 90), '', 'yuvj420p'), ((61, 90), '', 'yuv420p'), ((62, 89), '', 'yuv420p'),
    ((64, 96), ':tff=1', 'yuv420p'), ((62, 90), ':colormatrix=bt2020nc', 'yuv420p'), ((62, 90), '', 'yuv444p'),
    ((62, 90), ':chromaloc=2', 'yuv420p'), ((62, 90), ':chromaloc=5', 'yuv420p')])
def test_a_part_has_the_pixels_of_the_frame(tmp_path, shape, params, pixels):
    planes = random_planes(3, *shape)
    if pixels == 'yuv444p':
        planes = [planes[0]] * 3
    path = write(tmp_path / 'a.mkv', planes, params, pixels=pixels)
    whole = by_ffmpeg(path)
    with open_video(path) as video:
        check_parts(video, whole)
        np.testing.assert_array_equal(video.read(range(3)), whole)


def write_transparent(path):
    frames = np.random.default_rng(0).integers(0, 256, (2, 62, 90, 4), np.uint8)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('qtrle', rate=25)
        stream.height, stream.width, stream.pix_fmt = 62, 90, 'argb'
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgba').reformat(format='argb')))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize('make', [
    lambda folder: write(folder / 'wide.mp4', random_planes(2, 62, 60), aspect=Fraction(3, 2)),
    lambda folder: write(folder / 'hdr.mp4', random_planes(2, 62, 90),
                         ':colormatrix=bt2020nc:colorprim=bt2020:transfer=smpte2084'),
    lambda folder: write_transparent(folder / 'transparent.mov')], ids=['wide pixels', 'HDR', 'transparent'])
def test_a_part_of_other_videos(tmp_path, make):
    path = make(tmp_path)
    with open_video(path) as video:
        whole = video.read(range(2))
        assert whole.shape == (2, 62, 90, 3)
        check_parts(video, whole)


@pytest.mark.parametrize('matrix, shown', [
    ((0, 1, -1, 0), lambda frames: np.rot90(frames, -1, (1, 2))),
    ((-1, 0, 0, -1), lambda frames: frames[:, ::-1, ::-1]),
    ((0, -1, 1, 0), lambda frames: np.rot90(frames, 1, (1, 2))), ((-1, 0, 0, 1), lambda frames: frames[:, :, ::-1]),
    ((1, 0, 0, -1), lambda frames: frames[:, ::-1]), ((0, 1, 1, 0), lambda frames: frames.swapaxes(1, 2)),
    ((0, -1, -1, 0), lambda frames: frames.swapaxes(1, 2)[:, ::-1, ::-1])],
    ids=['r90', 'r180', 'r270', 'hflip', 'vflip', 'transpose', 'transverse'])
def test_a_part_of_a_turned_video(tmp_path, matrix, shown):
    plain = write(tmp_path / 'plain.mp4', random_planes(2, 90, 94))
    content = bytearray(plain.read_bytes())
    start = content.index(b'tkhd') + 44
    a, b, c, d = (value << 16 for value in matrix)
    content[start:start + 36] = struct.pack('>9i', a, b, 0, c, d, 0, 0, 0, 1 << 30)
    (tmp_path / 'turned.mp4').write_bytes(content)
    whole = shown(by_ffmpeg(plain))
    with open_video(tmp_path / 'turned.mp4') as video:
        check_parts(video, whole)
    np.testing.assert_array_equal(seen(tmp_path / 'turned.mp4', 30), fit_frames(whole, 30))


def test_only_the_part_and_a_margin_are_converted(tmp_path):
    path = write(tmp_path / 'a.mp4', random_planes(1, 94, 300))
    cut = PartCutter()
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        for box in (CropBox(101, 31, 180, 60), CropBox(0, 0, 5, 5), CropBox(290, 90, 300, 94)):
            part, inner = cut(frame, box)
            assert (inner.right - inner.left, inner.bottom - inner.top) == (box.right - box.left, box.bottom - box.top)
            assert part.width <= box.right - box.left + 2 * MARGIN + ALIGNMENT
            assert part.height <= box.bottom - box.top + 2 * MARGIN + 2
            luma = np.frombuffer(part.planes[0], np.uint8).reshape(-1, part.planes[0].line_size)
            np.testing.assert_array_equal(luma[inner.top:inner.bottom, inner.left:inner.right],
                                          frame.to_ndarray()[box.top:box.bottom, box.left:box.right])
        assert cut(frame, CropBox(0, 0, 300, 94))[0] is frame


# ---- times and sizes -------------------------------------------------------------

def test_a_moving_face_at_a_higher_rate_moves_in_repeated_frames(tmp_path):
    path = write(tmp_path / 'a.mp4', random_planes(4, 96, 160))
    track = CropTrack(np.array([0, 0.16]), np.array([(50.3, 40.2, 41, 41, 0.1), (99.6, 52.4, 47, 47, -0.2)]))
    with open_video(path) as video:
        face = CroppedVideo(video.at_rate(50), track, 24)
        assert len(face) == 8
        found = face.read([5, 0, 1, 4, 5])
    whole = by_ffmpeg(path).repeat(2, 0)
    for number, image in zip((5, 0, 1, 4, 5), found):
        wanted = crop_region(whole[number], track.at(number / 50), 24, exact=True)
        assert np.abs(image.astype(int) - wanted).max() <= 1
    assert not np.array_equal(found[0], found[3])  # the same frame of the file, at another time


def test_frames_of_several_sizes_are_refused_in_one_chunk_only(tmp_path):
    for name, shape in (('a.h264', (64, 96)), ('b.h264', (48, 48))):
        write(tmp_path / name, random_planes(2, *shape))
    path = tmp_path / 'c.h264'
    path.write_bytes((tmp_path / 'a.h264').read_bytes() + (tmp_path / 'b.h264').read_bytes())
    with open_video(path) as video:
        with pytest.raises(UserError, match='c.h264 has frames of different sizes; convert it to one size'):
            video.read_fitted([1, 2], SquareFit(32))
        wanted = [fit_frames(video.read([number]), 32) for number in range(4)]
        np.testing.assert_array_equal(list(video.fitted_chunks(SquareFit(32), 1)), wanted)
