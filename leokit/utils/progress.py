"""The progress bar of work that takes longer than a few seconds."""

import sys

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
