"""The progress bar of work that takes longer than a few seconds."""

import sys
import time
from contextlib import contextmanager
from typing import Iterator

from tqdm import tqdm

LOG_INTERVAL = 10.0  # seconds between lines in log files


def progress_bar(total: int | None, label: str, *, unit: str = 'frame', show: bool = True) -> tqdm:
    """A bar with rate and remaining time on standard error.

    In a terminal the bar is redrawn in place; elsewhere (a log file, a batch job) one line appears every
    ``LOG_INTERVAL`` seconds.

    Args:
        total (int, optional): Number of units; None if unknown.
        label (str): Description of the work.
        unit (str): Name of a unit.
        show (bool): False for an invisible bar.

    Returns:
        tqdm: Call ``update(count)``; use as a context manager or call ``close()``.
    """
    interval = 0.2 if sys.stderr.isatty() else LOG_INTERVAL
    return tqdm(total=total, desc=label, unit=unit, disable=not show, mininterval=interval, maxinterval=interval,
                dynamic_ncols=True)


class StageRates:
    """How fast each stage of a pipeline is while it works, and which one the others wait for.

    The time that the consumer waits shows which stage is the slowest, and how fast the consumer itself is.

    Args:
        read (str): Name of the producer, in threads of its own.
        work (str): Name of the consumer.
    """

    def __init__(self, read: str, work: str) -> None:
        self._names = read, work
        self._start = time.perf_counter()
        self._waited = 0.0
        self.count = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the consumer's wait for the producer."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._waited += time.perf_counter() - start

    def __str__(self) -> str:
        elapsed = max(time.perf_counter() - self._start, 1e-9)
        read, work = self._names
        busy = max(elapsed - self._waited, 1e-9)
        slower, faster = (read, work) if self._waited > busy else (work, read)
        rates = {slower: self.count / elapsed, faster: self.count / (busy if faster == work else elapsed)}
        # of a producer that is kept waiting only a lower bound is known
        return (f'{read} {"≥ " if faster == read else ""}{rates[read]:,.0f}/s · {work} {rates[work]:,.0f}/s · '
                f'waiting on: {slower}')
