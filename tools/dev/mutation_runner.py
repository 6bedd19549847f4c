"""Runs tests on a mutated copy of the working tree, each time in a fork of this process."""

import importlib
import os
import re
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from mutation_rooms import NOT_RUN, TESTED_SLOWLY

PRELOADED = (
    'pytest', '_pytest.assertion.rewrite', 'torch', 'torchvision', 'mmengine', 'mmengine.runner', 'mmcv', 'cv2', 'av',
    'einops', 'scipy.linalg', 'scipy.stats', 'scipy.optimize', 'scipy.special', 'scipy.ndimage', 'scipy.signal',
    'matplotlib.pyplot', 'PIL.Image', 'skimage.metrics', 'timm', 'lpips')
MEMORY = 16 * 2**30  # address space of a run: a mutated size must not take all of the machine's memory
PASSED = (0, 5)  # pytest's exit codes of passed tests and of none that was selected
FAST = 'not slow and not gpu'  # marks of the tests that run
LEAST, FACTOR = 60.0, 5.0  # seconds, times the duration of the unmutated tests


class TestRunner:
    """Runs tests in a copy of the working tree.

    Args:
        tree (Path): The copy; its modules are replaced one at a time.
        limit (float, optional): Seconds a run may take. By default a multiple of the duration without a mutation, for
            which all tests run once.
    """

    __test__ = False  # not a test class

    def __init__(self, tree: Path, limit: float | None = None):
        self.tree, self.limit = tree, limit
        self.durations: dict[tuple[str, ...], float] = {}
        os.environ.setdefault('OMP_NUM_THREADS', '1')
        for name in PRELOADED:
            with suppress(ImportError):  # not every one is required
                importlib.import_module(name)
        if 'torch' in sys.modules:
            sys.modules['torch'].set_num_threads(1)

    def prepare(self, tests: list[str]) -> None:
        """Compile leokit and the tests once; the runs read the result and write none."""
        self._fork(['--collect-only', *dict.fromkeys(tests)], 1200, write_bytecode=True)

    def run(self, module: str, mutated: bytes, tests: list[str]) -> dict:
        """Whether tests notice a mutated module.

        Args:
            module (str): Path of the module in the tree.
            mutated (bytes): Its source.
            tests (list[str]): Test files.

        Returns:
            dict: ``status`` (``'killed'``, ``'survived'``, ``'timeout'``), ``seconds``, and ``test``, the first that
            failed.
        """
        marks = 'not gpu' if module in TESTED_SLOWLY else FAST
        limit = self.limit or self._limit(tests, marks)
        path = self.tree / module
        original, status = path.read_bytes(), os.stat(path)
        for compiled in (path.parent / '__pycache__').glob(f'{path.stem}.*.pyc'):
            compiled.unlink()  # it is found by time and size, which may not change
        path.write_bytes(mutated)
        try:
            # the file of the module's name first
            code, seconds, output = self._fork(tests[:1], limit, marks)
            if code in PASSED and tests[1:]:
                code, more, output = self._fork(tests[1:], limit, marks)
                seconds += more
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        failed = re.search(r'^(?:FAILED|ERROR) (\S+)', output, re.MULTILINE)
        named = 'timeout' if code is None else 'survived' if code in PASSED else 'killed'
        return dict(status=named, seconds=round(seconds, 1), test=failed[1] if failed else '')

    def _limit(self, tests: list[str], marks: str) -> float:
        room = (marks, *sorted(tests))
        if room not in self.durations:
            code, self.durations[room], output = self._fork(tests, 1200, marks, write_bytecode=True)
            if code not in PASSED:
                raise SystemExit(f'without a mutation, the tests {" ".join(tests)} fail:\n{output[-3000:]}')
        return max(LEAST, FACTOR * self.durations[room])

    def _fork(self, tests: list[str], limit: float, marks: str = FAST,
              write_bytecode: bool = False) -> tuple[int | None, float, str]:
        log = self.tree / 'mutation.log'
        start = time.monotonic()
        sys.stdout.flush()
        child = os.fork()
        if not child:
            self._run_tests(tests, log, marks, write_bytecode)
        code = None
        while time.monotonic() < start + limit:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.1)
        with suppress(ProcessLookupError):  # the tests' own children too, which are in its process group
            os.killpg(child, signal.SIGKILL)
        if code is None:
            os.waitpid(child, 0)
        return code, time.monotonic() - start, log.read_text(errors='replace')

    def _run_tests(self, tests: list[str], log: Path, marks: str, write_bytecode: bool) -> None:
        code = 99
        try:
            os.setpgid(0, 0)
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(out, stream)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            sys.dont_write_bytecode = not write_bytecode
            os.environ.update(PYTHONPATH=str(self.tree), PYTHONDONTWRITEBYTECODE='' if write_bytecode else '1')
            os.chdir(self.tree)
            sys.path[0] = str(self.tree)
            import pytest
            code = int(pytest.main(['-x', '-q', '--tb=line', '-rfE', '-p', 'no:cacheprovider', '-k', NOT_RUN,
                                    '-m', marks, *tests]))
        finally:
            sys.stdout.flush()
            os._exit(code)
