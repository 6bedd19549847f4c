"""``leokit edit``: write the first frame, edit it, carry the edit through the video."""

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import read_image
from leokit.video.readers import AutoReader
from support.tiny_models import SIZE
from support.calling import run_command
from support.sounding import click_time, probe, write_sounding


@pytest.fixture
def video(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 40, 48, 3), dtype=np.uint8)
    np.save(tmp_path / 'talk.npy', frames)
    return tmp_path / 'talk.npy'


@pytest.fixture
def edit(models, video):
    def call(*arguments):
        run_command('edit', models['animator_config'], models['animator'], '--video', video, '--device', 'cpu',
            *arguments)
    return call


def read(path):
    with AutoReader().open(path) as opened:
        return opened.read(range(len(opened))).astype(int)


def test_the_round_trip_through_a_file(edit, video, tmp_path):
    edit('--save-first-frame', tmp_path / 'first.png')
    first = read_image(tmp_path / 'first.png')
    assert np.array_equal(first, np.load(video)[0])
    Image.fromarray(255 - first).save(tmp_path / 'edited.png')
    for name in ('first', 'edited'):
        edit('--edited', tmp_path / f'{name}.png', '--out', tmp_path / name)
    assert read(tmp_path / 'first').shape == (5, SIZE, SIZE, 3)
    assert np.abs(read(tmp_path / 'first') - read(tmp_path / 'edited')).max() > 5


def test_built_in_editor_and_its_coherence(edit, tmp_path, capsys):
    edit('--editor', 'BlurRegion', '--editor-options', 'box=0.2,0.2,0.8,0.8', 'strength=0.2', '--measure', '--out',
         tmp_path / 'blurred.mp4')
    out = capsys.readouterr().out
    assert len(read(tmp_path / 'blurred.mp4')) == 5
    lines = [line.rsplit(maxsplit=2) for line in out.splitlines() if line.startswith('edited ')]
    assert [line[0] for line in lines] == ['edited by the first frame', 'edited frame by frame']
    assert all(float(number) > 0 for line in lines for number in line[1:]) and 'animated without the edit' in out


@pytest.mark.parametrize('arguments, message', [
    (('--editor', 'Paint', '--out', 'x.mp4'), "'Paint' is not a type of the registry"),
    (('--editor', 'Recolor'), '--out is missing'),
    (('--editor', 'BlurRegion', '--editor-options', 'box=0.5', '--out', 'x.mp4'), 'a box is .* got 0.5'),
    (('--edited', 'missing.png', '--editor-options', 'hue=3', '--out', 'x.mp4'), '--editor-options are the argum'),
    (('--save-first-frame', 'x.png', '--out', 'x.mp4'), '--save-first-frame edits nothing; leave --out out'),
    (('--save-first-frame', 'x.png', '--measure'), '--save-first-frame edits nothing; leave --measure out'),
    (('--edited', 'missing.png', '--out', 'x.mp4'), 'missing.png')])
def test_bad_input(edit, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        edit(*arguments)
    assert not list(tmp_path.glob('x.*'))


def test_coherence_of_one_frame_is_refused_before_the_edit(models, tmp_path):
    np.save(tmp_path / 'one.npy', np.zeros((1, SIZE, SIZE, 3), np.uint8))
    with pytest.raises(UserError, match=r'--measure compares each frame with the one before, and .*one.npy has one'):
        run_command('edit', models['animator_config'], models['animator'], '--video', tmp_path / 'one.npy', '--editor',
                    'Recolor', '--measure', '--out', tmp_path / 'out.mp4', '--device', 'cpu')
    assert not (tmp_path / 'out.mp4').exists()


def test_video_without_frames(models, tmp_path):
    np.save(tmp_path / 'empty.npy', np.zeros((0, 8, 8, 3), np.uint8))
    with pytest.raises(UserError, match='empty.npy') as error:
        run_command('edit', models['animator_config'], models['animator'], '--video', tmp_path / 'empty.npy',
            '--editor', 'Recolor', '--out', tmp_path / 'x.mp4', '--device', 'cpu')
    assert '\n' not in str(error.value) and not (tmp_path / 'x.mp4').exists()


def test_checkpoint_of_another_kind(models, video, tmp_path):
    with pytest.raises(UserError) as error:
        run_command('edit', models['animator_config'], models['motion'], '--video', video, '--editor', 'Recolor',
            '--out', tmp_path / 'x.mp4', '--device', 'cpu')
    assert '\n' not in str(error.value) and 'motion.pth' in str(error.value)


def test_sound_of_the_video_is_kept(models, tmp_path):
    frames = np.random.default_rng(1).integers(0, 256, (30, 48, 48, 3), dtype=np.uint8)
    talk = write_sounding(tmp_path / 'talk.mp4', frames, 2.0)
    for name, arguments, codec in (('a.mp4', (), 'aac'), ('b.mp4', ('--audio', 'none'), None)):
        run_command('edit', models['animator_config'], models['animator'], '--video', talk, '--editor', 'Recolor',
                    '--out', tmp_path / name, '--device', 'cpu', *arguments)
        streams = probe(tmp_path / name)
        assert streams['video']['nb_frames'] == '30' and streams.get('audio', {}).get('codec_name') == codec
    moment, length = click_time(tmp_path / 'a.mp4')
    assert moment == pytest.approx(0.5, abs=1e-4) and length == pytest.approx(1.2, abs=0.04)
