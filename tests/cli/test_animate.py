"""``leokit animate``: one frame out for each driving frame."""

import shutil

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video.readers import AutoReader
from support.tiny_models import SIZE
from support.calling import run_command
from support.sounding import probe, write_sounding, write_wave
from support.tiny_runs import write_leo


USAGE = shutil.disk_usage('.')


@pytest.fixture
def inputs(tmp_path):
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 2**16, (50, 50), dtype=np.uint16)).save(tmp_path / 'deep.png')
    np.save(tmp_path / 'driving.npy', generator.integers(0, 256, (9, 48, 40, 3), dtype=np.uint8))
    return tmp_path


def animate(models, inputs, out, *arguments, driving='driving.npy', source='deep.png'):
    run_command('animate', models['animator_config'], models['animator'], '--source', inputs / source,
        '--driving', inputs / driving, '--out', inputs / out, '--device', 'cpu', *arguments)


def test_modes_and_chunks(models, inputs):
    frames = {}
    for name, arguments in dict(relative=(), chunked=('--chunk-size', 2), absolute=('--mode', 'absolute')).items():
        animate(models, inputs, name, *arguments)
        with AutoReader().open(inputs / name) as video:
            frames[name] = video.read(range(len(video))).astype(int)
        assert frames[name].shape == (9, SIZE, SIZE, 3)
    assert np.abs(frames['relative'] - frames['chunked']).max() <= 1
    assert np.abs(frames['relative'] - frames['absolute']).max() > 5


def test_video_file_with_the_rate_of_the_driving_one(models, inputs):
    animate(models, inputs, 'out.mp4')
    animate(models, inputs, 'slow.mp4', '--fps', 5)
    # 9 frames at 25 frames per second are 0.36 s, which is nearest to 2 frames at 5
    for name, fps, count in (('out.mp4', 25, 9), ('slow.mp4', 5, 2)):
        with AutoReader().open(inputs / name) as video:
            assert len(video) == count and video.fps == fps


def test_bad_inputs_leave_no_file(models, inputs):
    (inputs / 'broken.mp4').write_bytes(b'')
    np.save(inputs / 'none.npy', np.zeros((0, 8, 8, 3), np.uint8))
    for options in (dict(driving='broken.mp4'), dict(driving='none.npy'), dict(driving='missing.mp4'),
                    dict(source='driving.npy'), dict(source='missing.png')):
        with pytest.raises(UserError, match=next(iter(options.values()))):
            animate(models, inputs, 'out.mp4', **options)
        assert not list(inputs.glob('out*'))


def test_the_animator_of_a_leo_config(models, inputs):
    config = write_leo(inputs / 'leo')
    animate(models, inputs, 'own.npy')
    run_command('animate', config, '--source', inputs / 'deep.png', '--driving', inputs / 'driving.npy', '--out',
        inputs / 'named.npy', '--device', 'cpu')
    assert np.array_equal(np.load(inputs / 'own.npy'), np.load(inputs / 'named.npy'))


def test_a_full_disk(monkeypatch, models, inputs):
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: type(USAGE)(1, 1, 100))
    with pytest.raises(UserError, match='out.npy of 9 frames with 32x32 pixels need about'):
        animate(models, inputs, 'out.npy')
    assert not list(inputs.glob('out*'))


def sounding(inputs):
    frames = np.ascontiguousarray(np.load(inputs / 'driving.npy').repeat(3, axis=0))
    return write_sounding(inputs / 'talk ü.mp4', frames, 2.0)


def said_of(capsys, out):
    return next(line for line in capsys.readouterr().out.splitlines() if line.startswith(str(out)))


def test_sound_of_the_driver_of_a_file_or_none(models, inputs, capsys):
    sounding(inputs)
    write_wave(inputs / 'music.wav', 0.52)  # of 27 / 25 = 1.08 s
    for name, arguments, codec, note in (('a.mp4', (), 'aac', 'with sound (it ends with the picture; 0.9 s of it'),
                                         ('b.mov', ('--audio', inputs / 'music.wav'), 'aac',
                                          'music.wav (it ends 0.6 s before the picture)'),
                                         ('c.mp4', ('--audio', 'none'), None, 'no sound'),
                                         ('d.npy', (), None, 'no sound: only video files')):
        animate(models, inputs, name, *arguments, driving='talk ü.mp4')
        assert note in said_of(capsys, inputs / name)
        if name != 'd.npy':
            streams = probe(inputs / name)
            assert streams['video']['nb_frames'] == '27' and streams['video']['r_frame_rate'] == '25/1'
            assert streams.get('audio', {}).get('codec_name') == codec
    assert float(probe(inputs / 'a.mp4')['audio']['duration']) == pytest.approx(27 / 25, abs=0.032)


def test_sound_that_is_not_there_is_an_error_before_the_work(models, inputs):
    sounding(inputs)
    for arguments, out, sentence in ((('--audio', 'driving'), 'out.mp4', 'only video files have sound'),
                                     (('--audio', 'source'), 'out.mp4', 'source is not possible'),
                                     (('--audio', inputs / 'no.wav'), 'out.mp4', 'no.wav does not exist'),
                                     (('--audio', inputs / 'talk ü.mp4'), 'out.gif', 'only video files')):
        with pytest.raises(UserError, match=sentence):
            animate(models, inputs, out, *arguments)
    assert not list(inputs.glob('out*'))


def test_saved_codes_drive_like_the_video(models, inputs):
    animate(models, inputs, 'video.npy', '--save-codes', inputs / 'codes.npz')
    run_command('animate', models['animator_config'], models['animator'], '--driving', inputs / 'driving.npy',
                '--save-codes', inputs / 'alone.npz', '--device', 'cpu')
    assert (inputs / 'codes.npz').read_bytes() == (inputs / 'alone.npz').read_bytes()
    animate(models, inputs, 'codes.npy', driving='codes.npz')
    assert np.abs(np.load(inputs / 'video.npy').astype(int) - np.load(inputs / 'codes.npy')).max() <= 1
    animate(models, inputs, 'slow.mp4', '--fps', 5, driving='codes.npz')
    assert probe(inputs / 'slow.mp4')['video']['nb_frames'] == '2'


def test_an_image_as_driver_gives_an_image(models, inputs):
    frames = np.load(inputs / 'driving.npy')
    Image.fromarray(frames[4]).save(inputs / 'pose.png')
    animate(models, inputs, 'out.png', driving='pose.png')
    animate(models, inputs, 'all.npy', '--mode', 'absolute')
    shown = np.asarray(Image.open(inputs / 'out.png')).astype(int)
    assert np.abs(shown - np.load(inputs / 'all.npy')[4]).max() <= 1
    with pytest.raises(UserError, match='pose.png is an image, which has no motion'):
        animate(models, inputs, 'two.png', '--mode', 'relative', driving='pose.png')
    for out, driving in (('two.mp4', 'pose.png'), ('two.png', 'driving.npy')):
        with pytest.raises(UserError, match='does not fit'):
            animate(models, inputs, out, driving=driving)
    assert not list(inputs.glob('two*'))


def test_start_frame_smoothing_and_what_is_reported(models, inputs, capsys):
    animate(models, inputs, 'out.npy', '--smooth', 0.2, '--anchor', 1)
    said = said_of(capsys, inputs / 'out.npy')
    assert 'start frame ' in said and 'jitter of the codes' in said
    before, after = (float(number) for number in said.rsplit('codes ', 1)[1].split(' -> '))
    assert after < before
    moved = {}
    for start in (0, 8, 'first'):
        animate(models, inputs, f'{start}.npy', '--start-frame', start)
        moved[start] = np.load(inputs / f'{start}.npy').astype(int)
    assert np.abs(moved[0] - moved['first']).max() <= 1
    assert np.abs(moved[8][8] - moved[0][0]).max() <= 1  # both are the source itself
    assert np.abs(moved[8][0] - moved[0][0]).max() > 5


@pytest.mark.parametrize('arguments, sentence', [
    (('--start-frame', 9), 'the start frame 9 does not exist'), (('--regions', 'mouth'), 'no direction of the region'),
    (('--regions', '0=x'), '--regions 0=x is not of the form')])
def test_motion_options_that_do_not_fit(models, inputs, arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        animate(models, inputs, 'out.mp4', *arguments)
    assert not list(inputs.glob('out*'))


def test_missing_arguments_are_named(models, inputs):
    common = ('animate', models['animator_config'], models['animator'], '--driving', inputs / 'driving.npy')
    for arguments, sentence in ((('--source', 'a.png'), '--out is missing'),
                                (('--out', 'a.mp4'), '--source is missing'),
                                (('--save-codes', 'a.npz', '--out', 'a.mp4'), '--source is missing')):
        with pytest.raises(UserError, match=sentence):
            run_command(*common, *arguments)
