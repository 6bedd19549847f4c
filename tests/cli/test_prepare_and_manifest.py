"""``leokit manifest`` and ``leokit prepare`` one after the other, as a user would run them."""

import av
import numpy as np
import pytest
from support.calling import run_command

from leokit.utils import UserError
from leokit.video import VideoFilter, VideoIndex


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))


@pytest.fixture
def raw(tmp_path):
    (tmp_path / 'raw').mkdir()
    for name in ('anna_1', 'anna_2', 'bert_1', 'carl_1'):
        with av.open(str(tmp_path / 'raw' / f'{name}.mp4'), 'w') as container:
            stream = container.add_stream('libx264', rate=25)
            stream.height, stream.width, stream.pix_fmt = 48, 64, 'yuv420p'
            for _ in range(12):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format='rgb24')
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return tmp_path / 'raw'


def test_raw_videos_to_a_data_set(raw, tmp_path, capsys):
    run_command('manifest', '--videos', raw, '--identity-pattern', '(.*)_', '--split-fractions', .4, .3, .3,
                '--seed', 4)
    assert '4 videos of 3 identities' in capsys.readouterr().out
    (raw / 'broken.mp4').write_bytes(b'broken')  # not in the manifest: never opened
    run_command('prepare', '--videos', raw, '--out', tmp_path / 'clips', '--size', 32, '--max-frames', 6)
    assert '8 clips, 8 of them new; 0 videos skipped' in capsys.readouterr().out
    people = [{video.identity for video in VideoIndex(tmp_path / 'clips', VideoFilter(split=split))}
              for split in ('train', 'val', 'test')]
    assert sorted(identity for part in people for identity in part) == ['anna', 'bert', 'carl']
    run_command('prepare', '--videos', raw, '--out', tmp_path / 'clips', '--size', 32, '--max-frames', 6)
    assert '0 of them new' in capsys.readouterr().out


def test_problems_end_in_one_sentence(raw, tmp_path, capsys):
    run_command('manifest', '--videos', raw, '--out', raw / 'manifest.csv')
    capsys.readouterr()
    for command, arguments, message in (
            ('manifest', ['--videos', raw, '--out', raw / 'manifest.csv'], '--overwrite'),
            ('manifest', ['--videos', raw, '--identity-pattern', 'x(.*)'], 'does not match'),
            ('manifest', ['--videos', tmp_path / 'nowhere'], 'nowhere does not exist'),
            ('prepare', ['--videos', raw, '--out', tmp_path / 'clips', '--size', 31], 'even')):
        with pytest.raises(UserError, match=message) as error:
            run_command(command, *arguments)
        assert '\n' not in str(error.value)
