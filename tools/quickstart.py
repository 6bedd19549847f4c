"""The main job from nothing, at small scale on the CPU: a tour of the tools, and a check that everything works.

    bash tools/quickstart.sh        # installs leokit first
    python tools/quickstart.py      # where it is installed, from the root of the repository

Draws people who nod and talk, trains both stages on them, generates, animates, measures. Every command is printed
before it runs; all that it says is kept in work_dirs/quickstart/logs. Given again, it goes on where it stopped.
"""

import argparse
import json
import os
import re
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.synthetic_faces import SyntheticFacesPlan  # noqa: E402
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.arguments import positive_int  # noqa: E402
from leokit.utils.files import write_bytes  # noqa: E402

OUT = Path('work_dirs/quickstart')  # as in configs/quickstart
CONFIGS = Path('configs/quickstart')
FRAMES = 32  # of a clip
TEST_SHARE = 0.1  # of the people
MAX_THREADS = 8  # more only wait for each other at this scale
# the first line of a message of the training log, and the messages that everybody wants to see
LOG_LINE = re.compile(r'\d\d/\d\d \d\d:\d\d:\d\d - mmengine - (\w+) - (.*)')
PROGRESS = re.compile(r'Iter\(train\)|resumed')
SHOWN_SCORES = ('fvd', 'kvd', 'acd', 'dispersion', 'jitter')  # of generated videos; metrics start with these


class Step(NamedTuple):
    """One command of the tour.

    Attributes:
        title (str): What it does.
        arguments (list[str]): The tool and its arguments.
        result (Path): The last thing it writes.
    """

    title: str
    arguments: list[str]
    result: Path

    @property
    def command(self) -> str:
        """The command as a person would type it."""
        return shlex.join(['python', *self.arguments])


def step(title: str, tool: str, *arguments: object, result: Path) -> Step:
    """One command of the tour; ``tool`` is its path below tools/, without the suffix."""
    return Step(title, [f'tools/{tool}.py', *map(str, arguments)], result)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--identities', type=positive_int, default=120, help='people to draw (default: %(default)s)')
    add('--long-frames', type=positive_int, default=160, help='frames of the long videos (default: %(default)s)')
    add('--animator-options', nargs='+', default=[], metavar='KEY=VALUE',
        help='--cfg-options of the training of stage 1, such as max_iters=3000')
    add('--motion-options', nargs='+', default=[], metavar='KEY=VALUE', help='the same for stage 2')
    return parser.parse_args()


def plan(args: argparse.Namespace) -> list[Step]:
    """All commands, in order.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        list[Step]: What to run.
    """
    faces, animator, motion = OUT / 'faces', OUT / 'animator', OUT / 'motion'
    # a training saves its config, options included, beside its checkpoints
    stage1, stage2 = (animator / 'animator.py', animator), (motion / 'lmdm.py', motion)
    unseen = unseen_people(args.identities)
    portrait, driving = OUT / 'portrait.png', faces / f'videos/{unseen[-1]}.mp4'
    starts = [faces / f'videos/{name}.mp4' for name in unseen[:4]]

    def options(given: list[str]) -> list[str]:
        return ['--cfg-options', *given] if given else []

    return [
        step('the data: drawn people who nod and talk, as mp4 files', 'dataset_converters/make_synthetic_faces', faces,
             '--identities', args.identities, '--clips', 1, '--frames', FRAMES, '--split', 0.95 - TEST_SHARE, 0.05,
             TEST_SHARE, result=faces / 'manifest.json'),
        step('stage 1: the animator learns to turn a picture and motion codes into a video', 'train',
             CONFIGS / 'animator.py', '--work-dir', animator, '--resume', *options(args.animator_options),
             result=animator / 'last_checkpoint'),
        step('how well it reconstructs people it has not seen', 'test', *stage1, '--work-dir', OUT / 'test_animator',
             '--out', OUT / 'reconstruction.json', result=OUT / 'reconstruction.json'),
        step('all videos to motion codes', 'extract_motion_codes', *stage1, '--videos', faces, '--out',
             OUT / 'faces_codes', result=OUT / 'faces_codes/index.json'),
        step('stage 2: the motion diffusion learns how the codes move', 'train', CONFIGS / 'lmdm.py', '--work-dir',
             motion, '--resume', *options(args.motion_options), result=motion / 'last_checkpoint'),
        step('unseen videos, generated anew from their first frames and held against the real ones', 'test', *stage2,
             '--work-dir', OUT / 'test_motion', '--out', OUT / 'generation.json', result=OUT / 'generation.json'),
        step('the same frozen: a video that does not move, for comparison', 'test', *stage2, '--work-dir',
             OUT / 'test_frozen', '--out', OUT / 'frozen.json', '--cfg-options', 'test_cfg.motion=frozen',
             result=OUT / 'frozen.json'),
        step('one picture, several futures', 'generate', *stage2, '--video', starts[0], '--num-sequences', 3, '--out',
             OUT / 'generated', result=OUT / 'generated'),
        step('long videos: each window goes on from the last code of the one before', 'generate', *stage2, '--video',
             *starts, '--num-frames', args.long_frames, '--seed', 1, '--out', OUT / 'long', result=OUT / 'long'),
        step('a picture: the first frame of a video', 'edit', *stage1, '--video', starts[0], '--first-frame', portrait,
             result=portrait),
        step("motion transfer: the picture moves as somebody else's video", 'animate', *stage1, '--source', portrait,
             '--driving', driving, '--out', OUT / 'animated.mp4', result=OUT / 'animated.mp4'),
        step('two folders of videos, whoever made them, held against each other', 'evaluate', '--real', faces,
             '--split', 'test', '--fake', OUT / 'test_motion/generated', '--extractor', 'EfficientNetLite0Features',
             'acd=ColorStatistics', '--metrics', 'fvd', 'kvd', 'acd', '--protocol', CONFIGS / 'protocol.py',
             '--out', OUT / 'evaluation.json', result=OUT / 'evaluation.json'),
        step('everything on one picture', 'analysis_tools/contact_sheet', *stage1, '--pictures', portrait, '--driving',
             driving, '--generated', OUT / 'generated', OUT / 'long', '--out', OUT / 'contact_sheet.png',
             result=OUT / 'contact_sheet.png'),
    ]


def unseen_people(identities: int) -> list[str]:
    """Names of the clips of the people held out for the test."""
    faces = SyntheticFacesPlan(num_identities=identities, clips_per_identity=1, num_frames=FRAMES,
                               train=0.95 - TEST_SHARE, val=0.05, test=TEST_SHARE)
    return [clip.name for clip in faces.clips() if clip.split == 'test']


def run(step: Step, number: int, count: int) -> None:
    """Print the command, run it and show its progress.

    Args:
        step (Step): What to run.
        number (int): Its place, from 1.
        count (int): How many there are.

    Raises:
        UserError: If it fails.
    """
    print(f'\n[{number}/{count}] {step.title}\n$ {step.command}', flush=True)
    log = OUT / 'logs' / f'{number:02d}_{Path(step.arguments[0]).stem}.log'
    log.parent.mkdir(parents=True, exist_ok=True)
    threads = os.environ.get('OMP_NUM_THREADS') or str(min(MAX_THREADS, os.cpu_count() or 1))
    environment = dict(os.environ, OMP_NUM_THREADS=threads, PYTHONUNBUFFERED='1')
    began = time.monotonic()
    with log.open('a') as file, subprocess.Popen([sys.executable, *step.arguments], stdout=subprocess.PIPE, text=True,
                                                 env=environment) as process:
        shown = True
        for line in process.stdout:
            file.write(line)
            message = LOG_LINE.match(line)
            if message:  # of the log only what tells how far it is; a message may have several lines
                shown = message[1] != 'INFO' or PROGRESS.search(line) is not None
            if shown:
                print(f'  {message[2]}\n' if message else f'  {line}', end='', flush=True)
    if process.returncode:
        raise UserError(f'step {number} of {count} failed (status {process.returncode}); {log} has all that it said. '
                        f'The quickstart goes on from there when it is started again')
    print(f'  done in {time.monotonic() - began:.0f} s', flush=True)


def read_scores(name: str) -> dict[str, float]:
    """The metrics that ``tools/test.py --out`` wrote, by their keys without the metric's prefix."""
    scores = json.loads((OUT / name).read_text())
    return {key.partition('/')[2]: value for key, value in scores.items()}


def metrics_table() -> str:
    """What was measured, as Markdown: reconstructions beside copies, generated videos beside frozen and real ones."""
    scores = read_scores('reconstruction.json')
    pairs = [('unseen people', 'reconstruction', 'copied source', 'ratio')]
    for part in ('', 'moving_'):
        for name in [key.removeprefix(f'{part}copy_') for key in scores if key.startswith(f'{part}copy_')]:
            pairs.append((part + name, scores[part + name], scores[f'{part}copy_{name}'],
                          scores.get(f'{part}ratio_{name}', '')))
    made, frozen = read_scores('generation.json'), read_scores('frozen.json')
    videos = [('unseen people', 'generated video', 'frozen picture', 'real video')]
    for name, value in made.items():
        if name.startswith(SHOWN_SCORES) and not name.endswith(('_std', '_rate', '_ratio')):
            videos.append((name, value, frozen[name], made.get(f'real_{name}', '')))
    return '\n'.join(markdown(rows) for rows in (pairs, videos))


def markdown(rows: list[tuple]) -> str:
    """A table with aligned columns; the first row is its head."""
    texts = [[cell if isinstance(cell, str) else f'{cell:.4g}' for cell in row] for row in rows]
    texts.insert(1, ['---'] * len(rows[0]))
    widths = [max(len(row[column]) for row in texts) for column in range(len(rows[0]))]
    return ''.join('| ' + ' | '.join(text.ljust(width) for text, width in zip(row, widths)) + ' |\n' for row in texts)


def summary() -> str:
    """The table of metrics, and where everything is."""
    videos = sorted(OUT.glob('generated/*.mp4')) + sorted(OUT.glob('long/*.mp4')) + [OUT / 'animated.mp4']
    lines = ['', metrics_table(), 'videos:', *(f'  {path}' for path in videos)]
    lines += [f'  {OUT / "test_motion/generated"} (one for each unseen video)', f'metrics: {OUT / "metrics.md"}',
              f'contact sheet: {OUT / "contact_sheet.png"}']
    return '\n'.join(lines)


def cost(seconds: float) -> str:
    """Time and memory of the commands that ran."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 2**30 if sys.platform == 'darwin' else 2**20  # of ru_maxrss: bytes there, KiB elsewhere
    return (f'{seconds / 60:.1f} minutes, {usage.ru_utime + usage.ru_stime:.0f} s of processor time; the largest '
            f'process took {usage.ru_maxrss / unit:.1f} GiB of memory')


def main() -> None:
    """Run what has not been run yet, then say what there is."""
    args = parse_args()
    if not CONFIGS.is_dir():
        raise UserError(f'{CONFIGS} is not here; start the quickstart from the root of the repository')
    began, steps, again = time.monotonic(), plan(args), False
    for number, step in enumerate(steps, 1):
        done = OUT / 'logs' / f'{number:02d}.done'
        if not again and done.is_file() and done.read_text() == step.command and step.result.exists():
            print(f'[{number}/{len(steps)}] {step.title}: there already')
            continue
        again = True  # whatever follows is made of this
        run(step, number, len(steps))
        write_bytes(done, step.command.encode())
    write_bytes(OUT / 'metrics.md', metrics_table().encode())
    print(summary())
    if again:
        print(cost(time.monotonic() - began))
    print(f'to start from nothing again, remove {OUT}')


if __name__ == '__main__':
    run_tool(main)
