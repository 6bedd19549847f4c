"""Time from the start of ``leokit animate`` to its first written frame, on the model in the box and drawn faces."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from leokit.app.examples import draw_examples
from leokit.benchmark.speed.bench import SpeedBench
from leokit.utils import UserError

LIMIT = 300.0  # seconds
POLL = 0.005


def bench_first_frame(bench: SpeedBench) -> None:
    """A new process each time; every file has been read before. The rest of the video is not waited for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = draw_examples(folder / 'drawn')
        seconds = [time_first_frame(drawn.portraits[0], drawn.clips[0], folder / f'run_{number}', bench.options.device)
                   for number in range(min(bench.options.repeats, 5) + 1)][1:]
    row = dict(name='leokit animate, first frame written', unit='s', median=float(np.median(seconds)),
               lowest=min(seconds), highest=max(seconds))
    bench.rows.append(row)
    print(f'{row["name"]}: {row["median"]:.2f} s  [{row["lowest"]:.2f}, {row["highest"]:.2f}]', flush=True)


def time_first_frame(source: Path, driving: Path, folder: Path, device: str) -> float:
    """Seconds from the start of the process to the first PNG file of its output."""
    out = folder / 'frames'
    folder.mkdir()
    command = [sys.executable, '-m', 'leokit', 'animate', 'leo_synthetic', '--source', source, '--driving', driving,
               '--out', out, '--device', device]
    start = time.perf_counter()
    with (folder / 'log.txt').open('w') as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log)
    try:
        while not any(folder.glob('frames*/000000.png')):
            if process.poll() is not None or time.perf_counter() - start > LIMIT:
                raise UserError(f'leokit animate wrote no frame: {(folder / "log.txt").read_text().strip()[-500:]}')
            time.sleep(POLL)
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()
