"""Files that state no size are whole, or what is wrong with their end is said."""

import subprocess

import pytest

from leokit.video.readers.truncation import broken_end

SOURCE = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=25:duration=2']
CODECS = {'flv': ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '0'], 'gif': [],
          'live.flv': ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '0', '-flvflags', 'no_duration_filesize'],
          'ts': ['-c:v', 'mpeg2video'], 'm2ts': ['-c:v', 'mpeg2video', '-mpegts_m2ts_mode', '1'],
          'mp4': ['-c:v', 'mpeg4']}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """By ending, a whole file as the program ffmpeg writes it."""
    folder = tmp_path_factory.mktemp('whole')
    for ending, options in CODECS.items():
        subprocess.run(['ffmpeg', '-v', 'error', *SOURCE, *options, folder / f'a.{ending}'], check=True)
    return {ending: folder / f'a.{ending}' for ending in CODECS}


@pytest.mark.parametrize('ending', CODECS)
def test_a_whole_file_is_not_named(whole, ending):
    assert broken_end(whole[ending]) == '' == broken_end(whole[ending], whole[ending].read_bytes())


@pytest.mark.parametrize('ending, message', [
    ('flv', '{missing} bytes that its header states are missing'), ('live.flv', 'its last tag is cut off'),
    ('gif', 'the mark of its end is missing'), ('ts', 'its last packet has 101 of 188 bytes'),
    ('m2ts', 'its last packet has 101 of 192 bytes')])
def test_a_file_that_is_cut_off_is_named(whole, tmp_path, ending, message):
    content = whole[ending].read_bytes()
    length = dict(ts=188, m2ts=192).get(ending, 7)
    cut = content[:len(content) // 2 // length * length + (101 if length > 7 else 0)]
    (tmp_path / 'cut').write_bytes(cut)
    expected = message.format(missing=len(content) - len(cut))
    assert broken_end(tmp_path / 'cut') == expected == broken_end(tmp_path / 'cut', cut)


@pytest.mark.parametrize('content', [b'', b'FLV', b'GIF89a', b'\x47' * 5, b'FLV' + bytes(10)])
def test_fragments_do_not_raise(tmp_path, content):
    (tmp_path / 'a').write_bytes(content)
    assert isinstance(broken_end(tmp_path / 'a'), str)
