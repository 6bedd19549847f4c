"""A page over tiny models, with small examples."""

import numpy as np
import pytest
from support.tiny_runs import write_leo

from leokit.app import AppContext, Limits, load_models
from leokit.app.examples import draw_examples
from leokit.app.files import PrivateFiles
from leokit.video import VideoWriter


@pytest.fixture(scope='session')
def models(tmp_path_factory):
    return load_models(str(write_leo(tmp_path_factory.mktemp('leo'))))


@pytest.fixture(scope='session')
def drawn(tmp_path_factory):
    return draw_examples(tmp_path_factory.mktemp('examples'), size=32)


@pytest.fixture
def files(tmp_path):
    files = PrivateFiles(root=tmp_path / 'private')
    yield files
    files.close()


@pytest.fixture
def context(models, files):
    return AppContext(models, Limits(max_upload_mb=1, max_pixels=100_000, max_frames=60), files)


@pytest.fixture(scope='session')
def wrong_files(tmp_path_factory):
    """Files that are not what their names say, by name."""
    folder = tmp_path_factory.mktemp('wrong')
    (folder / 'text.png').write_text('no image')
    (folder / 'text.mp4').write_text('no video')
    (folder / 'playlist.mp4').write_text('#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n')
    (folder / 'empty.png').write_bytes(b'')
    (folder / 'archive.mp4').write_bytes(b'PK\x03\x04' + bytes(60))
    (folder / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\n' + bytes(60))
    (folder / 'broken.mp4').write_bytes(b'\0\0\0\x20ftypisom' + bytes(500))
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope='session')
def clip(tmp_path_factory):
    """A clip of 7 frames at 12.5 per second, 40x24 pixels, whose frames get brighter."""
    path = tmp_path_factory.mktemp('clip') / 'seven frames.mp4'
    with VideoWriter(path, 12.5) as writer:
        writer.write(np.stack([np.full((24, 40, 3), 20 * number + 40, np.uint8) for number in range(7)]))
    return path
