"""SIGKILL at a file event of a command: the same command then ends with the result of an undisturbed run."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.calling import call_command
from support.tiny_models import SIZE
from support.tiny_runs import write_models

from leokit.video import VideoWriter, open_video
from leokit.visualization import save_png

ROOT = Path(__file__).resolve().parents[2]
KILLS = 4  # of each command, spread over its events
COMMANDS = {
    'extract': ['extract', '{models}/animator.py', '{models}/animator.pth', '--videos', '{models}/videos', '--out',
                '{out}/codes', '--workers', '1', '--device', 'cpu'],
    'generate': ['generate', '{models}/motion.py', '{models}/motion.pth', '--animator-config', '{models}/animator.py',
                 '--animator-checkpoint', '{models}/animator.pth', '--image', '{models}/a.png', '--num-sequences', '2',
                 '--out', '{out}/made', '--device', 'cpu'],
    'prepare': ['prepare', '--videos', '{models}/videos', '--out', '{out}/clips', '--size', '16', '--workers', '1'],
    'manifest': ['manifest', '--videos', '{models}/videos', '--out', '{out}/manifest.json', '--overwrite'],
    'synthetic-faces': ['synthetic-faces', '--out', '{out}/faces', '--num-identities', '3', '--clips-per-identity', '1',
                        '--num-frames', '3', '--size', '32', '--workers', '0', '--split-fractions', '1', '0', '0'],
    'edit': ['edit', '{models}/animator.py', '{models}/animator.pth', '--video', '{models}/videos/0.mp4', '--editor',
             'Recolor', '--out', '{out}/edited.mp4', '--device', 'cpu'],
}


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp('models')
    write_models(folder)
    random = np.random.default_rng(0)
    (folder / 'videos').mkdir()
    for number in range(3):
        with VideoWriter(folder / 'videos' / f'{number}.mp4', 25) as writer:
            writer.write(random.integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8))
    save_png(folder / 'a.png', random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
    return folder


def contents(folder):
    """By name, frames of videos and bytes of other files, without the folder's own path."""
    found = {}
    for path in sorted(folder.rglob('*')):
        name = path.relative_to(folder).as_posix()
        if path.suffix == '.mp4':
            with open_video(path) as video:
                found[name] = video.read(range(len(video))).tobytes()
        elif path.is_file() and path.suffix != '.log':
            found[name] = path.read_bytes().replace(str(folder).encode(), b'')
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('name', COMMANDS)
def test_the_same_command_completes_a_killed_one(models, tmp_path, monkeypatch, name):
    monkeypatch.setenv('LEOKIT_CACHE', str(tmp_path / 'cache'))

    def command(out):
        return [text.format(models=models, out=out) for text in COMMANDS[name]]

    def killed_at(number, out):
        out.mkdir()
        environment = {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "tests"}', 'OMP_NUM_THREADS': '1'}
        return subprocess.run([sys.executable, ROOT / 'tests' / 'support' / 'killing.py', out, str(number),
                               *command(out)], env=environment, capture_output=True, text=True, check=False)
    whole = killed_at(0, tmp_path / 'whole')
    assert whole.returncode == 0, whole.stderr
    expected, events = contents(tmp_path / 'whole'), int(whole.stdout.split()[-1])
    assert expected and events >= 2
    for number in np.unique(np.linspace(1, events, KILLS).round().astype(int)):
        out = tmp_path / f'killed_{number}'
        assert killed_at(number, out).returncode == -9
        status, said = call_command(name, *command(out)[1:])
        assert status == 0, said
        assert contents(out) == expected, f'killed at event {number} of {events}'
