"""Run the main job from nothing, at small scale on the CPU: a tour of the commands, and a check that all of it works.

    bash tools/quickstart.sh        # installs leokit first
    leokit quickstart               # where it is installed

Renders synthetic faces, trains both stages on them, generates, animates, evaluates, in about five minutes on two CPU
cores. Every command is printed before it runs; its full output is kept in work_dirs/quickstart/logs. Run again after
an interruption, it continues.
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
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from leokit.cli.argument_types import positive_int

PROGRAM = [sys.executable, '-m', 'leokit']
OUT = Path('work_dirs/quickstart')  # as in configs/quickstart
CONFIGS = Path('configs/quickstart')
SHIPPED = 'leo_synthetic'
NUM_FRAMES = 32  # per clip
FRACTIONS = (0.85, 0.05, 0.1)  # of the identities in train, val and test
MAX_THREADS = 8  # at this scale, more threads only wait for each other
# the first line of a message of the training log, and the messages that show progress
LOG_LINE = re.compile(r'\d\d/\d\d \d\d:\d\d:\d\d - mmengine - (\w+) - (.*)')
PROGRESS = re.compile(r'Iter\(train\)|resumed')
SHOWN_SCORES = ('fvd', 'kvd', 'acd', 'dispersion', 'jitter')  # prefixes of the metrics of generated videos


MINUTES = 5  # measured with the defaults; see docs/results/synthetic_faces.md
MEANING = """What the numbers mean:
- l1, perceptual: error of a reconstructed frame; lower is better. The ratio says how many times larger the error of a
  copied source is; below 1 the animator is worse than no animator.
- fvd, kvd, acd: distance of generated from real videos, and change of content within a video; lower is better. A
  generated video should be closer to the real ones than a frozen image. They compare within this table only: the
  network is a stand-in for I3D, and the clips are few.
- dispersion, jitter: size and trembling of the motion; best where they equal those of real videos. A jitter many times
  that of real videos is trembling, one far below it stiffness.
After five minutes of training, expect blurred faces and trembling motion; docs/results shows what more gives.
"""


class Step(NamedTuple):
    """A command of the tour: its title, its arguments after ``leokit``, and the last file or folder it writes."""

    title: str
    arguments: list[str]
    result: Path

    @property
    def command(self) -> str:
        """The command as a user would type it."""
        return shlex.join(['leokit', *self.arguments])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('--num-identities', type=positive_int, default=120, metavar='N',
        help='number of synthetic identities (default: %(default)s)')
    add('--long-frames', type=positive_int, default=160, metavar='N',
        help='frames of the long videos (default: %(default)s)')
    add('--animator-options', nargs='+', default=[], metavar='KEY=VALUE',
        help='--cfg-options of the training of stage 1, e.g. max_iters=3000')
    add('--motion-options', nargs='+', default=[], metavar='KEY=VALUE', help='the same for stage 2')
    parser.accept_deprecated({'--identities': '--num-identities'})


def step(title: str, command: str, *arguments: object, result: Path) -> Step:
    """A command of the tour; ``command`` may name a group and its subcommand."""
    return Step(title, [*command.split(), *map(str, arguments)], result)


def plan(args: argparse.Namespace) -> list[Step]:
    """All commands, in order."""
    faces, animator, motion = OUT / 'faces', OUT / 'animator', OUT / 'motion'
    # a training saves its config, options included, next to its checkpoints
    stage1, stage2 = (animator / 'animator.py', animator), (motion / 'lmdm.py', motion)
    unseen = unseen_clips(args.num_identities)
    portrait, driving = OUT / 'portrait.png', faces / f'videos/{unseen[-1]}.mp4'
    starts = [faces / f'videos/{name}.mp4' for name in unseen[:4]]

    def cfg_options(given: list[str]) -> list[str]:
        return ['--cfg-options', *given] if given else []

    return [
        step('the trained models that come with leokit: people who do not exist', 'generate', SHIPPED,
             '--unconditional', 2, '--num-frames', NUM_FRAMES, '--out', OUT / 'shipped', result=OUT / 'shipped'),
        step('the data: videos of synthetic faces that nod and talk', 'synthetic-faces', '--out', faces,
             '--num-identities', args.num_identities, '--clips-per-identity', 1, '--num-frames', NUM_FRAMES,
             '--split-fractions', *FRACTIONS, result=faces / 'manifest.json'),
        step('stage 1: train the animator, which renders a source image with given motion codes', 'train',
             CONFIGS / 'animator.py', '--work-dir', animator, '--resume', *cfg_options(args.animator_options),
             result=animator / 'last_checkpoint'),
        step('reconstruction of unseen identities', 'test', *stage1, '--work-dir', OUT / 'test_animator',
             '--out', OUT / 'reconstruction.json', result=OUT / 'reconstruction.json'),
        step('extract the motion codes of all videos', 'extract', *stage1, '--videos', faces, '--out',
             OUT / 'faces_codes', result=OUT / 'faces_codes/index.json'),
        step('stage 2: train the motion diffusion on the codes', 'train', CONFIGS / 'lmdm.py', '--work-dir',
             motion, '--resume', *cfg_options(args.motion_options), result=motion / 'last_checkpoint'),
        step('generate from the first frames of unseen videos, and compare with the real videos', 'test', *stage2,
             '--work-dir', OUT / 'test_motion', '--out', OUT / 'generation.json', result=OUT / 'generation.json'),
        step('the same with frozen motion, as a baseline', 'test', *stage2, '--work-dir',
             OUT / 'test_frozen', '--out', OUT / 'frozen.json', '--cfg-options', 'test_cfg.motion=frozen',
             result=OUT / 'frozen.json'),
        step('several videos from one first frame', 'generate', *stage2, '--video', starts[0], '--num-sequences', 3,
             '--out', OUT / 'generated', result=OUT / 'generated'),
        step('long videos: windows of motion that overlap', 'generate', *stage2,
             '--video', *starts, '--num-frames', args.long_frames, '--seed', 1, '--out', OUT / 'long',
             result=OUT / 'long'),
        step('an image: the first frame of a video', 'edit', *stage1, '--video', starts[0], '--save-first-frame',
             portrait, result=portrait),
        step('motion transfer: animate the image with the video of another identity', 'animate', *stage1, '--source',
             portrait, '--driving', driving, '--out', OUT / 'animated.mp4', result=OUT / 'animated.mp4'),
        step('evaluate a folder of videos against another, whatever made them', 'evaluate', '--real', faces,
             '--split', 'test', '--fake', OUT / 'test_motion/generated', '--extractor', 'EfficientNetLite0Features',
             '--metrics', 'fid', '--protocol', CONFIGS / 'lmdm.py',
             '--out', OUT / 'evaluation.json', result=OUT / 'evaluation.json'),
        step('a contact sheet of everything', 'analyze contact-sheet', *stage1, '--source', portrait, '--driving',
             driving, '--videos', OUT / 'generated', OUT / 'long', '--out', OUT / 'contact_sheet.png',
             result=OUT / 'contact_sheet.png'),
    ]


def unseen_clips(num_identities: int) -> list[str]:
    """Names of the clips of the test identities."""
    from leokit.synthetic_faces import SyntheticFacesPlan
    train, val, test = FRACTIONS
    faces = SyntheticFacesPlan(num_identities=num_identities, clips_per_identity=1, num_frames=NUM_FRAMES,
                               train=train, val=val, test=test)
    return [clip.name for clip in faces.clips() if clip.split == 'test']


def run_step(step: Step, number: int, count: int) -> None:
    """Print the command, run it and show its progress.

    Args:
        step (Step): The command.
        number (int): Its position in the tour, from 1.
        count (int): Number of commands.
    """
    from leokit.utils import UserError
    from leokit.utils.lifeline import Lifeline
    print(f'\n[{number}/{count}] {step.title}\n$ {step.command}', flush=True)
    log = OUT / 'logs' / f'{number:02d}_{Path(step.arguments[0]).stem}.log'
    log.parent.mkdir(parents=True, exist_ok=True)
    threads = os.environ.get('OMP_NUM_THREADS') or str(min(MAX_THREADS, os.cpu_count() or 1))
    environment = dict(os.environ, OMP_NUM_THREADS=threads, PYTHONUNBUFFERED='1')
    began = time.monotonic()
    lifeline = Lifeline()  # a killed quickstart leaves no training behind
    with closing(lifeline), log.open('a') as file, subprocess.Popen(
            [*PROGRAM, *step.arguments], stdout=subprocess.PIPE, text=True, **lifeline.options(environment)) as process:
        shown = True
        for line in process.stdout:
            file.write(line)
            message = LOG_LINE.match(line)
            if message:  # of the log only the progress; a message may span several lines
                shown = message[1] != 'INFO' or PROGRESS.search(line) is not None
            if shown:
                print(f'  {message[2]}\n' if message else f'  {line}', end='', flush=True)
    if process.returncode:
        raise UserError(f'step {number} of {count} failed (status {process.returncode}); its output is in {log}. '
                        f'The quickstart continues from there when it is started again')
    print(f'  done in {time.monotonic() - began:.0f} s', flush=True)


def read_scores(name: str) -> dict[str, float]:
    """The metrics that ``leokit test --out`` wrote, by their keys without the metric's prefix."""
    scores = json.loads((OUT / name).read_text())
    return {key.partition('/')[2]: value for key, value in scores.items()}


def metrics_tables() -> str:
    """Markdown tables: reconstructions next to copies, generated videos next to frozen and real ones."""
    scores = read_scores('reconstruction.json')
    pairs = []
    for part in ('', 'moving_'):
        for name in [key.removeprefix(f'{part}copy_') for key in scores if key.startswith(f'{part}copy_')]:
            pairs.append([part + name, scores[part + name], scores[f'{part}copy_{name}'],
                          scores.get(f'{part}ratio_{name}', '')])
    generated, frozen = read_scores('generation.json'), read_scores('frozen.json')
    videos = [[name, value, frozen[name], generated.get(f'real_{name}', '')] for name, value in generated.items()
              if name.startswith(SHOWN_SCORES) and not name.endswith(('_std', '_rate', '_ratio'))]
    return (format_scores(['unseen identities', 'reconstruction', 'copied source', 'ratio'], pairs) + '\n\n'
            + format_scores(['unseen identities', 'generated video', 'frozen image', 'real video'], videos) + '\n')


def format_scores(head: list[str], rows: list[list]) -> str:
    """A Markdown table of scores with four significant digits."""
    from leokit.utils.tables import markdown_table
    cells = [[cell if isinstance(cell, str) else f'{cell:.4g}' for cell in row] for row in rows]
    return markdown_table(head, cells, pad=True)


def summary() -> str:
    """The tables of metrics, and the paths of all results."""
    videos = sorted(OUT.glob('generated/*.mp4')) + sorted(OUT.glob('long/*.mp4')) + [OUT / 'animated.mp4']
    lines = ['', metrics_tables(), MEANING, 'videos:', *(f'  {path}' for path in videos)]
    lines += [f'  {OUT / "test_motion/generated"} (one for each unseen video)', f'metrics: {OUT / "metrics.md"}',
              f'contact sheet: {OUT / "contact_sheet.png"}']
    return '\n'.join(lines)


def cost(seconds: float) -> str:
    """Time and memory of the commands that ran."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 2**30 if sys.platform == 'darwin' else 2**20  # ru_maxrss is in bytes there, in KiB elsewhere
    return (f'{seconds / 60:.1f} minutes, {usage.ru_utime + usage.ru_stime:.0f} s of processor time; the largest '
            f'process took {usage.ru_maxrss / unit:.1f} GiB of memory')


def run(args: argparse.Namespace) -> None:
    """Run the commands that have not finished yet, then print a summary."""
    from leokit.utils.files import write_bytes
    began, steps, stale = time.monotonic(), plan(args), False
    print(f'{len(steps)} steps, about {MINUTES} minutes on two CPU cores')
    for number, step in enumerate(steps, 1):
        done = OUT / 'logs' / f'{number:02d}.done'
        if not stale and done.is_file() and done.read_text() == step.command and step.result.exists():
            print(f'[{number}/{len(steps)}] {step.title}: already done')
            continue
        stale = True  # all later steps depend on this one
        run_step(step, number, len(steps))
        write_bytes(done, step.command.encode())
    write_bytes(OUT / 'metrics.md', f'{metrics_tables()}\n{MEANING}'.encode())
    print(summary())
    if stale:
        print(cost(time.monotonic() - began))
    print(f'to start from nothing again, remove {OUT}')
