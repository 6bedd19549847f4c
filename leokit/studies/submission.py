"""Runs of a study as jobs of Slurm: each job trains and tests one run, and is queued again after a stop."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from leokit.studies.runs import Run
from leokit.utils import UserError

JOB_SCRIPT = Path(__file__).resolve().parents[1] / 'engine' / 'slurm_job.sh'


def submit_runs(runs: Sequence[Run], command: Sequence[str], log: Callable[[str], None] = print) -> None:
    """Submit a job for each unfinished run.

    ``SBATCH_ARGS`` in the environment are options of the jobs, ``PYTHON`` is the interpreter.

    Args:
        runs (Sequence[Run]): The runs.
        command (Sequence[str]): Arguments of ``leokit``, which ``--only VARIANT:SEED`` is appended to.
        log (Callable): Receives one line per run.
    """
    interpreter = shlex.split(os.environ.get('PYTHON', '')) or [sys.executable]
    jobs: dict[tuple[str, int], str] = {}
    for run in runs:
        if run.state == 'done':
            log(f'{run.name}: done')
            continue
        run.folder.mkdir(parents=True, exist_ok=True)
        awaited = (run.variant.after, run.seed)
        step = ['bash', str(JOB_SCRIPT), str((run.folder / 'train').resolve()), 'srun', '--ntasks=1',
                *interpreter, '-u', '-m', 'leokit', *command,
                '--only', f'{run.variant.name}:{run.seed}']
        answer = _sbatch([
            '--parsable', f'--job-name={run.folder.parent.name}:{run.seed}', '--nodes=1', '--ntasks=1', '--requeue',
            '--signal=TERM@60', '--open-mode=append', f'--output={run.folder}/slurm_%j.log',
            *([f'--dependency=afterok:{jobs[awaited]}'] if awaited in jobs else []),
            *shlex.split(os.environ.get('SBATCH_ARGS', '')), f'--wrap={shlex.join(step)}'])
        jobs[run.variant.name, run.seed] = answer.split(';')[0]
        log(f'{run.name}: job {jobs[run.variant.name, run.seed]}, log in {run.folder}')


def _sbatch(arguments: list[str]) -> str:
    try:
        done = subprocess.run(['sbatch', *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError('sbatch is not on the PATH; submit from a login node of the cluster, or use --submit local'
                        ) from None
    if done.returncode:
        raise UserError(f'sbatch refused the job ({done.stderr.strip()}); mend the environment variable SBATCH_ARGS')
    return done.stdout.strip()


def select_runs(runs: Sequence[Run], selection: str | None) -> list[Run]:
    """The run ``VARIANT:SEED``, or all runs if the selection is None."""
    if selection is None:
        return list(runs)
    chosen = [run for run in runs if f'{run.variant.name}:{run.seed}' == selection]
    if not chosen:
        known = ', '.join(f'{run.variant.name}:{run.seed}' for run in runs[:8])
        raise UserError(f'--only {selection} is no run of the study; its runs are VARIANT:SEED, as in {known}')
    return chosen
