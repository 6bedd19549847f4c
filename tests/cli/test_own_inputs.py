"""No command replaces a file that it reads."""

import os

import numpy as np
import pytest
from PIL import Image
from support.calling import call_command

from leokit.video import VideoWriter, write_manifest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    frames = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    Image.fromarray(frames[0]).save(tmp_path / 'a.png')
    (tmp_path / 'clips').mkdir()
    for name in ('talk.mp4', 'clips/x.mp4', 'clips/x_0000.mp4'):
        with VideoWriter(tmp_path / name, 25) as writer:
            writer.write(frames)
    write_manifest(tmp_path / 'clips/manifest.json', [dict(file='x.mp4', name='x', frames=4, fps=25.0)])
    os.symlink('talk.mp4', tmp_path / 'link.mp4')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.mark.parametrize('command', [
    'animate leo_synthetic --source a.png --driving talk.mp4 --out {folder}/talk.mp4',
    'animate leo_synthetic --source a.png --driving a.png --out ./a.png',
    'animate leo_synthetic --source a.png --driving clips/x.mp4 --audio talk.mp4 --out talk.mp4',
    'edit leo_synthetic --video talk.mp4 --edited a.png --out talk.mp4',
    'edit leo_synthetic --video talk.mp4 --edited a.png --editor-options path=clips/x.mp4 --out clips/x.mp4',
    'manipulate leo_synthetic --video talk.mp4 --apply 1=1 --out link.mp4',
    'manipulate leo_synthetic --image a.png --apply 1=1 --out a.png',
    'live --camera talk.mp4 --source a.png --out talk.mp4',
    'compare clips/x.mp4 talk.mp4 --out talk.mp4',
    'data stats --videos clips --out clips/manifest.json',
    'data check --videos clips/manifest.json --out clips/../clips/manifest.json'])
def test_an_output_that_is_an_input_is_refused(folder, command):
    before = contents(folder)
    status, said = call_command(*command.format(folder=folder).split())
    assert status == 2 and 'would replace an input' in said.splitlines()[-1], said
    assert said.endswith('name another file\n') and contents(folder) == before


@pytest.mark.parametrize('inputs, out', [
    (['--videos', 'clips'], 'clips'), (['--videos', 'clips/manifest.json'], 'clips'),
    (['--continue', 'clips/x.mp4', 'clips/x_0000.mp4'], 'clips')])  # the first result is x_0000.mp4
def test_generated_videos_replace_no_input(folder, models, inputs, out):
    before = contents(folder)
    status, said = call_command('generate', models['motion_config'], models['motion'], '--animator-config',
                                models['animator_config'], '--animator-checkpoint', models['animator'], *inputs,
                                '--num-frames', 2, '--out', out, '--device', 'cpu')
    assert status == 2 and 'is one of the inputs and would be replaced by a result' in said, said
    assert contents(folder) == before


def test_other_files_of_an_input_folder_can_be_outputs(folder):
    status, said = call_command('data', 'stats', '--videos', 'clips', '--out', 'clips/stats.json')
    assert status == 0 and (folder / 'clips/stats.json').exists(), said
