"""Sound is copied in sync: a click and a flash at one time stay at one time."""

from fractions import Fraction

import av
import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video import VideoWriter
from leokit.video.sound import check_sound_file, copy_sound
from support.sounding import RATE, click_time, probe, write_sounding, write_wave


@pytest.mark.parametrize('delay', [0.0, 0.4])
@pytest.mark.parametrize('suffix', ['.mp4', '.mkv', '.mov'])
def test_sound_stays_in_sync(clips, tmp_path, suffix, delay):
    frames = clips.frames(50)
    source = write_sounding(tmp_path / f'talk{suffix}', frames, 4.0, delay)
    target = tmp_path / f'out{suffix}'
    with VideoWriter(target, 25) as writer:
        writer.write(frames)
    assert copy_sound(source, target) == ''
    moment, length = click_time(target)
    assert moment == pytest.approx(0.5, abs=1 / RATE)  # exact to the sample
    assert length == pytest.approx(2.0, abs=0.07 if suffix != '.mkv' else 0.15)  # Matroska hides no part of a packet
    with av.open(str(target)) as container:
        shown = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    assert clips.numbers(shown) == list(range(50))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, target.name])


def test_why_there_is_no_sound(clips, tmp_path):
    silent = clips.write(tmp_path / 'a.mp4', clips.frames(5))
    before = silent.read_bytes()
    assert 'has none' in copy_sound(silent, silent)
    assert 'only video files' in copy_sound(silent, tmp_path / 'a.gif')
    assert 'only video files' in copy_sound(tmp_path, silent)
    assert silent.read_bytes() == before


@pytest.mark.parametrize('suffix', ['.mp4', '.mov', '.mkv'])
@pytest.mark.parametrize('seconds', [4.0, 0.7])
def test_sound_is_written_with_the_frames_and_ends_with_them(clips, tmp_path, suffix, seconds):
    source = write_sounding(tmp_path / 'talk.mp4', clips.frames(100), seconds)
    target = tmp_path / f'out ü{suffix}'
    with VideoWriter(target, 25, sound=source) as writer:
        for frames in np.split(clips.frames(50), 5):
            writer.write(frames)
    moment, length = click_time(target)
    assert moment == pytest.approx(0.5, abs=1 / RATE)
    assert length == pytest.approx(min(seconds, 2.0), abs=0.07 if suffix != '.mkv' else 0.15)
    assert probe(target)['audio']['codec_name'] == 'aac'
    assert float(probe(target)['video'].get('duration', 2)) == 2.0
    assert len(clips.decode(target)) == 50


@pytest.mark.parametrize('rate, stated', [(Fraction(30000, 1001), '30000/1001'), (29.97, '30000/1001'),
                                          (23.976, '24000/1001'), (59.94, '60000/1001'), (12.5, '25/2')])
def test_rates_are_exact(clips, tmp_path, rate, stated):
    source = write_sounding(tmp_path / 'talk.mp4', clips.frames(20), 5.0)
    with VideoWriter(tmp_path / 'out.mp4', float(rate), sound=source) as writer:
        writer.write(clips.frames(60))
    streams = probe(tmp_path / 'out.mp4')
    assert streams['video']['r_frame_rate'] == stated and streams['video']['nb_frames'] == '60'
    exact = 60 / Fraction(stated)
    assert float(streams['video']['duration']) == pytest.approx(float(exact), abs=1e-4)
    assert abs(float(streams['audio']['duration']) - float(exact)) <= 0.5 * 1024 / RATE + 1e-3


def test_packets_are_copied_not_encoded_again(clips, tmp_path):
    source = write_sounding(tmp_path / 'talk.mp4', clips.frames(50), 2.0)
    with VideoWriter(tmp_path / 'out.mp4', 25, sound=source) as writer:
        writer.write(clips.frames(50))
    packets = []
    for path in (source, tmp_path / 'out.mp4'):
        with av.open(str(path)) as container:
            packets.append([bytes(packet) for packet in container.demux(audio=0) if packet.size])
    assert len(packets[1]) >= 30 and packets[1] == packets[0][:len(packets[1])]


@pytest.mark.parametrize('seconds', [3.0, 0.6])
@pytest.mark.parametrize('suffix, codec', [('.mp4', 'aac'), ('.mkv', 'aac')])
def test_sound_that_the_format_cannot_hold_is_encoded(clips, tmp_path, suffix, codec, seconds):
    source = write_wave(tmp_path / 'talk.wav', seconds)
    with VideoWriter(tmp_path / f'out{suffix}', 25, sound=source) as writer:
        writer.write(clips.frames(50))
    stream = probe(tmp_path / f'out{suffix}')['audio']
    assert (stream['codec_name'], stream['sample_rate'], stream['channels']) == (codec, '44100', 1)
    if suffix == '.mp4':
        assert float(stream['duration']) == pytest.approx(min(seconds, 2.0), abs=1e-3)
    with av.open(str(tmp_path / f'out{suffix}')) as container:
        blocks = [(float(frame.pts * frame.time_base), frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    times = np.concatenate([time + np.arange(len(block)) / 44100 for time, block in blocks])
    loud = np.abs(np.concatenate([block for _, block in blocks])) > 0.4
    assert times[np.argmax(loud)] == pytest.approx(0.5, abs=0.002)


def test_files_without_sound_are_named(clips, tmp_path):
    silent = clips.write(tmp_path / 'silent.mp4', clips.frames(5))
    (tmp_path / 'text.mp3').write_text('no sound')
    for path, sentence in ((silent, 'silent.mp4 has none'), (tmp_path / 'text.mp3', 'text.mp3 cannot be read'),
                           (write_wave(tmp_path / 'nothing.wav', 0), 'the sound of .*nothing.wav is empty; name'),
                           (tmp_path / 'missing.wav', 'does not exist'), (tmp_path, 'is a folder')):
        with pytest.raises(UserError, match=sentence):
            check_sound_file(path)
    check_sound_file(write_wave(tmp_path / 'short.wav', 0.001))
    sounding = write_sounding(tmp_path / 'talk.mp4', clips.frames(5), 1.0)
    for target in ('out.gif', 'out.npy', 'out'):
        with pytest.raises(UserError, match='only video files have sound'):
            VideoWriter(tmp_path / target, 25, sound=sounding)
    assert not list(tmp_path.glob('out*'))


def test_an_error_leaves_no_file(clips, tmp_path):
    sounding = write_sounding(tmp_path / 'talk.mp4', clips.frames(50), 2.0)
    with pytest.raises(RuntimeError):
        with VideoWriter(tmp_path / 'out.mp4', 25, sound=sounding) as writer:
            writer.write(clips.frames(30))
            raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ['talk.mp4']
