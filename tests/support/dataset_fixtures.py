"""Made videos in which every pixel tells its place and its frame, for tests that cut clips out of them."""

from fractions import Fraction

import av
import numpy as np

KINDS = av.video.reformatter.Interpolation
EXACT = KINDS.BICUBIC | KINDS.ACCURATE_RND | KINDS.FULL_CHR_H_INT  # the default darkens
NTSC = Fraction(30000, 1001)
BLUE_START, BLUE_STEP, MAX_FRAMES = 20, 2.4, 76
RED_IN_BLUE = 0.2  # so that the histogram of colors changes smoothly from frame to frame


def place_frame(number, width, height):
    """uint8 (H, W, 3): red grows with x, green with y, and blue with the frame number and x."""
    frame = np.empty((height, width, 3))
    frame[..., 0] = np.linspace(0, 255, width)
    frame[..., 1] = np.linspace(0, 255, height)[:, None]
    frame[..., 2] = BLUE_START + BLUE_STEP * number + RED_IN_BLUE * frame[..., 0]
    return frame.round().astype(np.uint8)


def place_frames(count, width=160, height=120, first=0):
    assert first + count <= MAX_FRAMES
    return [place_frame(first + number, width, height) for number in range(count)]


def write_frames(path, frames, rate=25, *, pixels='yuv420p', gop=12, crf=2, options=None):
    """Encode frames with x264; the rate is kept exactly."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=Fraction(rate).limit_denominator(1001))
        stream.pix_fmt, stream.options = pixels, {'crf': str(crf), 'preset': 'ultrafast', **(options or {})}
        stream.codec_context.gop_size, stream.codec_context.thread_count = gop, 1
        stream.height, stream.width = frames[0].shape[:2]
        for frame in frames:
            image = av.VideoFrame.from_ndarray(frame, format='rgb24')
            container.mux(stream.encode(image.reformat(format=pixels, interpolation=EXACT)))
        container.mux(stream.encode(None))
    return path


def read_frames(path):
    """Frames by plain decoding, float (T, H, W, 3), and the rate of the stream."""
    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate
        frames = [frame.reformat(format='rgb24', interpolation=EXACT).to_ndarray()
                  for frame in container.decode(video=0)]
    return np.stack(frames).astype(float), rate


def frame_numbers(frames):
    """Frame numbers in the source of frames made by :func:`place_frame`."""
    blue = (frames[..., 2] - RED_IN_BLUE * frames[..., 0]).mean(axis=(1, 2))
    return np.round((blue - BLUE_START) / BLUE_STEP).astype(int).tolist()


def crop_of(frames, width=160, height=120):
    """Left, top, right, bottom of the part of the source that frames show, by linear regression over the places."""
    sides = []
    for channel, axis, length in ((0, 1, width), (1, 2, height)):
        places = frames[..., channel].mean(axis=(0, axis)) / 255 * (length - 1)
        inner = np.arange(len(places))[2:-2]
        slope, start = np.polyfit(inner, places[2:-2], 1)
        sides.append((start - slope / 2 + 0.5, start + slope * (len(places) - 0.5) + 0.5))
    (left, right), (top, bottom) = sides
    return np.array([left, top, right, bottom])
