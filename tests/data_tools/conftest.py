"""A small dataset whose numbers are known."""

import shutil

import pytest

from leokit.utils.hashing import file_sha256
from leokit.video import write_manifest


LENGTHS = (10, 20, 20, 50)


@pytest.fixture(scope='module')
def original(tmp_path_factory, clips):
    """Four videos of three people, of 10, 20, 20 and 50 frames at 25 frames per second; b and c are one person."""
    folder = tmp_path_factory.mktemp('original')
    for name, length, seed in zip('abcd', LENGTHS, range(4)):
        clips.write(folder / f'{name}.mp4', clips.frames(length, 32, 96 if name == 'd' else 80, seed=seed), gop=5)
    rows = [dict(file=f'{name}.mp4', name=name, identity=person, split=split, take=number,
                 sha256=file_sha256(folder / f'{name}.mp4'))
            for number, (name, person, split) in enumerate(
                zip('abcd', ('p1', 'p2', 'p2', 'p3'), ('train', 'train', 'test', 'test')))]
    write_manifest(folder / 'manifest.json', rows)
    return folder


@pytest.fixture
def data(original, tmp_path):
    shutil.copytree(original, tmp_path / 'my data')
    return tmp_path / 'my data'
