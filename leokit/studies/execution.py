"""Execution of the runs of a study: training and testing in subprocesses, one after another or concurrently.

A stop signal is forwarded, so that every training writes a checkpoint and resumes from it the next time. If the study
is killed, its runs get SIGTERM.
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

from leokit.engine.preemption import STOP_SIGNALS
from leokit.studies.runs import Run
from leokit.utils import UserError
from leokit.utils.lifeline import Lifeline
from leokit.utils.locks import FileLock

POLL_SECONDS = 0.2
PROGRAM = (sys.executable, '-m', 'leokit')
LOCK_FILE = 'study.lock'
RUN_LOCK_FILE = 'run.lock'


class StudyRunner:
    """Executes unfinished runs.

    Args:
        runs (Sequence[Run]): The runs, in the order in which they start.
        work_dir (str | Path): Folder of the study.
        program (Sequence[str]): Command that ``train`` or ``test`` and its arguments are appended to.
        jobs (int): Concurrent runs.
        devices (Sequence[str]): GPUs that the jobs share, as in ``CUDA_VISIBLE_DEVICES``; empty leaves the variable as
            it is.
        exclusive (bool): False lets other processes execute other runs of the study at the same time.
        log (Callable): Receives one line per event.

    Attributes:
        stopped_by (str | None): The signal that ended the study early.
    """

    def __init__(self, runs: Sequence[Run], work_dir: str | Path, *, program: Sequence[str] = PROGRAM, jobs: int = 1,
                 devices: Sequence[str] = (), exclusive: bool = True, log: Callable[[str], None] = print) -> None:
        self.runs = list(runs)
        self.work_dir = Path(work_dir)
        self.program = list(program)
        self.jobs = jobs
        self.devices = list(devices)
        self.exclusive = exclusive
        self.log = log
        self.stopped_by: str | None = None
        self._processes: set[subprocess.Popen] = set()
        self._guard = threading.Lock()
        self._lifeline: Lifeline | None = None

    def run(self) -> None:
        """Execute all unfinished runs.

        Raises:
            UserError: If another process runs a study in the folder, a folder belongs to another config, or runs
                failed; the other runs are finished first.
        """
        self.work_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.work_dir / LOCK_FILE)
        if self.exclusive and not lock.acquire():
            raise UserError(f'another process runs a study in {self.work_dir}; wait for it or pass another --work-dir')
        self._lifeline = Lifeline()
        try:
            for run in self.runs:
                run.prepare()
            failures = self._run_all([run for run in self.runs if run.state != 'done'])
        finally:
            self._lifeline.close()
            lock.release()
        if failures and self.stopped_by is None:
            raise UserError(f'{len(failures)} of {len(self.runs)} runs failed; the first: {failures[0]}')

    def _run_all(self, runs: list[Run]) -> list[str]:
        """Execute runs and return the failures."""
        slots: queue.SimpleQueue[str | None] = queue.SimpleQueue()  # the device of each job
        for slot in range(self.jobs):
            slots.put(self.devices[slot % len(self.devices)] if self.devices else None)
        with self._forwarded_signals(), ThreadPoolExecutor(self.jobs) as pool:
            active, blocked, failures = {}, list(runs), []  # blocked: not started
            while active or blocked:  # short waits, because signal handlers run between them
                # no more than there are jobs, so that a run that becomes ready keeps its place in the order
                ready = [run for run in blocked if run.is_ready][:self.jobs - len(active)]
                active.update({pool.submit(self._complete, run, slots): run for run in ready})
                blocked = [run for run in blocked if run not in ready]
                finished = wait(active, POLL_SECONDS, FIRST_COMPLETED).done if active else set()
                failures += [failure for future in finished if (failure := future.result())]
                active = {future: run for future, run in active.items() if future not in finished}
                awaited = [*active.values(), *blocked]
                hopeless = [run for run in blocked if run.after not in awaited and not run.is_ready]
                failures += [f'{run.name}: {run.after.name} is not trained' for run in hopeless]
                blocked = [run for run in blocked if run not in hopeless]
        return failures

    def _complete(self, run: Run, slots: queue.SimpleQueue) -> str | None:
        """Train and test one run as far as necessary; return a failure, if any."""
        device = slots.get()
        lock = FileLock(run.folder / RUN_LOCK_FILE)
        try:
            if not lock.acquire():
                self.log(f'{run.name}: another process executes this run')
                return f'{run.name}: another process executes this run'
            train = [run.config_file, '--work-dir', run.folder / 'train', '--resume']
            test = [run.config_file, run.checkpoint, '--work-dir', run.folder / 'test', '--out', run.metrics_file]
            for stage, arguments, result in (('train', train, run.checkpoint), ('test', test, run.metrics_file)):
                if self.stopped_by is not None:
                    return None
                if result.is_file() or (stage == 'train' and not run.variant.train):
                    continue
                self.log(f'{run.name}: {stage} ({run.state})')
                failure = self._call(run, stage, arguments, device)
                if failure is None and not result.is_file():
                    failure = f'leokit {stage} did not write {result}'
                if failure and self.stopped_by is None:
                    self.log(f'{run.name}: {failure}')
                    return f'{run.name}: {failure}'
            if self.stopped_by is None:
                self.log(f'{run.name}: done')
        finally:
            lock.release()
            slots.put(device)
        return None

    def _call(self, run: Run, stage: str, arguments: list[Any], device: str | None) -> str | None:
        """Run one command in a subprocess; return a failure, if any."""
        environment = dict(os.environ)
        if device is not None:
            environment['CUDA_VISIBLE_DEVICES'] = device
        command = [*self.program, stage, *map(str, arguments)]
        log_file = run.folder / f'{stage}.log'
        with open(log_file, 'ab') as output:
            with self._guard:
                if self.stopped_by is not None:
                    return 'stopped'
                # its own session, so that Ctrl-C reaches it only as the forwarded signal
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                           start_new_session=True, **self._lifeline.options(environment))
                self._processes.add(process)
            status = process.wait()
            with self._guard:
                self._processes.discard(process)
        return f'leokit {stage} ended with status {status}{_last_error(log_file)}; see {log_file}' if status else None

    @contextmanager
    def _forwarded_signals(self) -> Iterator[None]:
        def stop(number: int, frame: Any) -> None:
            # does not take the lock, which the interrupted thread may hold
            self.stopped_by = signal.Signals(number).name
            for process in list(self._processes):
                process.terminate()
        previous = {}
        if threading.current_thread() is threading.main_thread():  # Python allows signal handlers in no other
            previous = {number: signal.signal(number, stop) for number in STOP_SIGNALS
                        if signal.getsignal(number) is not signal.SIG_IGN}  # as nohup ignores SIGHUP
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _last_error(log_file: Path) -> str:
    """The last error message of a command, in parentheses; empty if there is none."""
    lines = log_file.read_text(errors='replace').splitlines()
    errors = [line for line in lines if line.startswith('error: ')]
    return f' ({errors[-1].removeprefix("error: ")})' if errors else ''
