"""Commands that write files, over tiny models, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from leokit.video import VideoWriter, open_video
from leokit.visualization import save_png
from support.tiny_models import SIZE
from support.tiny_runs import write_models

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    'extract': ['extract', '{models}/animator.py', '{models}/animator.pth', '--videos', '{models}/videos', '--out',
                '{out}/codes', '--workers', '1', '--device', 'cpu'],
    'extract in processes': [
        'extract', '{models}/animator.py', '{models}/animator.pth', '--videos', '{models}/videos', '--out',
        '{out}/codes', '--workers', '5', '--device', 'cpu'],
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


def write_inputs(folder):
    """The models, videos and image that the commands read."""
    write_models(folder)
    random = np.random.default_rng(0)
    (folder / 'videos').mkdir()
    for number in range(6):
        with VideoWriter(folder / 'videos' / f'{number}.mp4', 25) as writer:
            writer.write(random.integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8))
    save_png(folder / 'a.png', random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))
    return folder


def start(name, models, out, *, signal_at=0, number=9, **options):
    """Start a command that sends itself the signal ``number`` at its file event ``signal_at``; 0 is never.

    Args:
        name (str): Key of :data:`COMMANDS`.
        models (Path): Folder of :func:`write_inputs`.
        out (Path): Folder that the command writes into.
        signal_at (int): See ``killing.py``.
        number (int): The signal.
        **options: Of :class:`subprocess.Popen`.
    """
    out.mkdir(exist_ok=True)
    command = [text.format(models=models, out=out) for text in COMMANDS[name]]
    environment = {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "tests"}', 'OMP_NUM_THREADS': '1'}
    return subprocess.Popen(
        [sys.executable, ROOT / 'tests' / 'support' / 'killing.py', out, str(signal_at), str(int(number)), *command],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def end(process):
    """Status, standard output and standard error of a process."""
    out, error = process.communicate(timeout=300)
    return process.returncode, out, error


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
