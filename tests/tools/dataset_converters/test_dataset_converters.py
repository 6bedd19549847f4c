"""The two converters one after the other, as a person would use them."""

import runpy
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from leokit.video import VideoFilter, VideoIndex

TOOLS = Path(__file__).parents[3] / 'tools' / 'dataset_converters'


def run(tool, *arguments):
    """Run a tool in this process; return its exit status."""
    sys.argv = [tool, *map(str, arguments)]
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(TOOLS / tool), run_name='__main__')
    return ended.value.code


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setattr(sys, 'argv', sys.argv)


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
    assert run('videos_to_manifest.py', raw, '--identity-pattern', '(.*)_', '--fractions', .4, .3, .3) == 0
    assert '4 videos of 3 people' in capsys.readouterr().out
    (raw / 'broken.mp4').write_bytes(b'broken')  # not in the manifest: nobody looks at it
    assert run('prepare_videos.py', raw, tmp_path / 'clips', '--size', 32, '--max-frames', 6) == 0
    assert '8 clips, 8 of them made now; 0 videos skipped' in capsys.readouterr().out
    people = [{video.identity for video in VideoIndex(tmp_path / 'clips', VideoFilter(split=split))}
              for split in ('train', 'val', 'test')]
    assert sorted(identity for part in people for identity in part) == ['anna', 'bert', 'carl']
    assert run('prepare_videos.py', raw, tmp_path / 'clips', '--size', 32, '--max-frames', 6) == 0
    assert '0 of them made now' in capsys.readouterr().out


def test_problems_end_in_one_sentence(raw, tmp_path, capsys):
    assert run('videos_to_manifest.py', raw, '--out', raw / 'manifest.csv') == 0
    for tool, arguments, message in (
            ('videos_to_manifest.py', [raw, '--out', raw / 'manifest.csv'], '--overwrite'),
            ('videos_to_manifest.py', [raw, '--identity-pattern', 'x(.*)'], 'does not match'),
            ('videos_to_manifest.py', [tmp_path / 'nowhere'], 'nowhere does not exist'),
            ('prepare_videos.py', [raw, tmp_path / 'clips', '--size', 31], 'even')):
        assert run(tool, *arguments) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith('error: ') and message in error
