import json

import pytest

from leokit.utils import UserError
from leokit.video.readers import AutoReader
from leokit.video.video_probe import Probe, probe_cache_file, probe_video, probe_videos


class CountingReader(AutoReader):
    """Counts how often it opens a file."""

    def __init__(self):
        super().__init__()
        self.opened = []

    def open(self, path):
        self.opened.append(path.name)
        return super().open(path)


def test_probe_of_one_video(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(7, 32, 96))
    assert probe_video(path, AutoReader()) == Probe(7, 25.0, 32, 96)
    with pytest.raises(UserError):
        probe_video(tmp_path / 'b.mp4', AutoReader())


def test_reasons_replace_probes_of_unreadable_videos(clips, tmp_path):
    good = clips.write(tmp_path / 'a.mp4', clips.frames(3))
    (tmp_path / 'b.mp4').write_bytes(b'broken')
    probes = probe_videos([tmp_path / 'b.mp4', good, tmp_path / 'c.mp4'], AutoReader())
    assert 'b.mp4' in probes[0] and probes[1].frames == 3 and 'does not exist' in probes[2]


def test_unchanged_videos_are_not_opened_again(clips, tmp_path):
    paths = [clips.write(tmp_path / name, clips.frames(3)) for name in ('a.mp4', 'b ü.mp4')]
    (tmp_path / 'broken.mp4').write_bytes(b'broken')
    paths.append(tmp_path / 'broken.mp4')
    reader, cache = CountingReader(), tmp_path / 'cache' / 'probes.json'
    first = probe_videos(paths, reader, cache=cache)
    reader.opened.clear()
    assert probe_videos(paths, reader, cache=cache) == first
    assert reader.opened == ['broken.mp4']
    clips.write(paths[0], clips.frames(5))
    reader.opened.clear()
    assert probe_videos(paths[:2], reader, cache=cache)[0].frames == 5
    assert reader.opened == ['a.mp4']


def test_other_videos_of_the_folder_stay_cached(clips, tmp_path):
    paths = [clips.write(tmp_path / name, clips.frames(3)) for name in ('a.mp4', 'b.mp4')]
    reader, cache = CountingReader(), tmp_path / 'probes.json'
    probe_videos(paths[:1], reader, cache=cache)
    probe_videos(paths[1:], reader, cache=cache)
    reader.opened.clear()
    probe_videos(paths, reader, cache=cache)
    assert reader.opened == []


@pytest.mark.parametrize('content', ['', '[1]', '{"version": 0}', '{"version": 1, "probes": {"a": [1]}}', '\x00'])
def test_a_broken_cache_is_ignored(clips, tmp_path, content):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(3))
    (tmp_path / 'probes.json').write_text(content)
    assert probe_videos([path], AutoReader(), cache=tmp_path / 'probes.json')[0].frames == 3
    assert str(path) in json.loads((tmp_path / 'probes.json').read_text())['probes']


def test_a_cache_that_cannot_be_written_is_ignored(clips, tmp_path):
    path = clips.write(tmp_path / 'a.mp4', clips.frames(3))
    (tmp_path / 'file').write_text('in the way')
    assert probe_videos([path], AutoReader(), cache=tmp_path / 'file' / 'probes.json')[0].frames == 3


def test_cache_files_of_probes(tmp_path, monkeypatch):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path))
    files = {probe_cache_file(tmp_path / 'a', AutoReader()), probe_cache_file(tmp_path / 'b', AutoReader()),
             probe_cache_file(tmp_path / 'a', AutoReader(fps=10))}
    assert len(files) == 3 and all(file.is_relative_to(tmp_path) for file in files)
