"""Carrying out the runs of a study: training and testing in processes of their own, in turn or side by side.

A stop signal is passed on, so that every training writes a checkpoint; the next time it is continued from there.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from leokit.studies.runs import Run
from leokit.utils import UserError
from leokit.utils.locks import FileLock

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
POLL_SECONDS = 0.2
PROGRAM = (sys.executable, '-m', 'leokit')
LOCK_FILE = 'study.lock'


class StudyRunner:
    """Runs what is not done yet.

    Args:
        runs (Sequence[Run]): The runs, in the order in which they are to be started.
        work_dir (str | Path): The study's folder.
        program (Sequence[str]): The program whose commands ``train`` and ``test`` are run.
        jobs (int): Runs side by side.
        devices (Sequence[str]): GPUs to share out, as ``CUDA_VISIBLE_DEVICES`` names them; none leaves the processes
            whatever this one sees.
        say (Callable): Told, in one line each, what happens.

    Attributes:
        stopped_by (str | None): The signal that ended the study early.
    """

    def __init__(self, runs: Sequence[Run], work_dir: str | Path, *, program: Sequence[str] = PROGRAM, jobs: int = 1,
                 devices: Sequence[str] = (), say: Callable[[str], None] = print) -> None:
        self.runs = list(runs)
        self.work_dir = Path(work_dir)
        self.program = list(program)
        self.jobs = jobs
        self.devices = list(devices)
        self.say = say
        self.stopped_by: str | None = None
        self._processes: set[subprocess.Popen] = set()
        self._guard = threading.Lock()

    def run(self) -> None:
        """Do everything that is left.

        Raises:
            UserError: If another process does so in the same folder, a run belongs to another config, or a run fails;
                the others are finished first.
        """
        self.work_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.work_dir / LOCK_FILE)
        if not lock.acquire():
            raise UserError(f'another process runs a study in {self.work_dir}; wait for it or pass another --work-dir')
        try:
            for run in self.runs:
                run.prepare()
            failures = self._run_all([run for run in self.runs if run.state != 'done'])
        finally:
            lock.release()
        if failures and self.stopped_by is None:
            raise UserError(f'{len(failures)} of {len(self.runs)} runs failed; the first: {failures[0]}')

    def _run_all(self, runs: list[Run]) -> list[str]:
        slots: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        for slot in range(self.jobs):
            slots.put(self.devices[slot % len(self.devices)] if self.devices else None)
        with self._forwarded_signals(), ThreadPoolExecutor(self.jobs) as pool:
            waiting = {pool.submit(self._complete, run, slots) for run in runs}
            failures: list[str] = []
            while waiting:  # in short waits: a signal's handler runs between two of them
                finished, waiting = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
                failures += [failure for future in finished if (failure := future.result())]
        return failures

    def _complete(self, run: Run, slots: queue.SimpleQueue) -> str | None:
        """Train and test one run; return what went wrong."""
        device = slots.get()
        try:
            train = [run.config_file, '--work-dir', run.folder / 'train', '--resume']
            test = [run.config_file, run.checkpoint, '--work-dir', run.folder / 'test', '--out', run.metrics_file]
            for stage, arguments, result in (('train', train, run.checkpoint), ('test', test, run.metrics_file)):
                if self.stopped_by is not None:
                    return None
                if result.is_file():
                    continue
                self.say(f'{run.name}: {stage} ({run.state})')
                failure = self._call(run, stage, arguments, device)
                if failure is None and not result.is_file():
                    failure = f'leokit {stage} left no {result}'
                if failure and self.stopped_by is None:
                    self.say(f'{run.name}: {failure}')
                    return f'{run.name}: {failure}'
            if self.stopped_by is None:
                self.say(f'{run.name}: done')
        finally:
            slots.put(device)
        return None

    def _call(self, run: Run, stage: str, arguments: list[Any], device: str | None) -> str | None:
        environment = dict(os.environ)
        if device is not None:
            environment['CUDA_VISIBLE_DEVICES'] = device
        command = [*self.program, stage, *map(str, arguments)]
        log = run.folder / f'{stage}.log'
        with open(log, 'ab') as output:
            with self._guard:
                if self.stopped_by is not None:
                    return 'stopped'
                # a session of its own: an interrupt from the keyboard reaches it as the signal it can handle
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                           env=environment, start_new_session=True)
                self._processes.add(process)
            status = process.wait()
            with self._guard:
                self._processes.discard(process)
        return f'leokit {stage} ended with status {status}{_last_error(log)}; see {log}' if status else None

    @contextmanager
    def _forwarded_signals(self) -> Iterator[None]:
        def stop(number: int, frame: Any) -> None:
            # nothing but a flag and signals: the interrupted thread may hold the lock
            self.stopped_by = signal.Signals(number).name
            for process in list(self._processes):
                process.terminate()
        previous = {}
        if threading.current_thread() is threading.main_thread():  # Python allows handlers in no other
            previous = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _last_error(log: Path) -> str:
    """What a tool said last to people, if it did."""
    lines = log.read_text(errors='replace').splitlines()
    errors = [line for line in lines if line.startswith('error: ')]
    return f' ({errors[-1].removeprefix("error: ")})' if errors else ''
