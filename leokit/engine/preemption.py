"""SIGTERM, SIGUSR1, SIGHUP and Ctrl-C: finish the iteration, write a checkpoint, exit.

Job schedulers send one of the first two some time before they kill a job, and a terminal that closes sends SIGHUP,
unless ``nohup`` makes the process ignore it. A second Ctrl-C ends the process at once. A
launcher signals the ranks at slightly different times, so the ranks agree on the iteration at which all of them stop.
"""

import os
import signal
import threading
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import torch
from mmengine.dist import is_distributed
from torch import Tensor, distributed

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGHUP)
EXIT_STATUS = 128 + signal.SIGTERM  # the shell's status of a process that SIGTERM ended
STOP_FILE = 'LEOKIT_STOP_FILE'  # environment variable: path of a file
LAG = 2  # iterations between starting the all-reduce and reading its result, so that no rank waits for the device


class TrainingInterrupted(BaseException):
    """Raised inside a :meth:`StopRequest.interruptible` block; a BaseException, so that no handler swallows it."""


class StopRequest:
    """Context manager of the training loop that records a stop signal.

    Args:
        device (torch.device): The device on which the ranks exchange tensors.

    Attributes:
        received (str | None): The name of the signal.
    """

    def __init__(self, device: torch.device):
        self.received: str | None = None
        self._device = device
        self._interruptible = False
        self._previous: dict[signal.Signals, object] = {}
        self._answers: deque[tuple[Tensor, torch.cuda.Event | None]] = deque()

    def __enter__(self) -> 'StopRequest':
        if threading.current_thread() is threading.main_thread():  # Python allows signal handlers in no other
            self._previous = {number: signal.signal(number, self._handle) for number in STOP_SIGNALS
                              if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: not set from Python

    def _handle(self, number: int, frame: object) -> None:
        if number == signal.SIGINT and self.received is not None:
            raise KeyboardInterrupt
        self.received = signal.Signals(number).name
        if self._interruptible:
            self._interruptible = False
            raise TrainingInterrupted

    def all_ranks_agree(self) -> bool:
        """True if training must stop now; every rank calls this once per iteration and gets the same answer."""
        if not is_distributed():
            return self.received is not None
        answer = torch.full((1,), float(self.received is not None), device=self._device)
        distributed.all_reduce(answer, op=distributed.ReduceOp.MAX)
        event = None
        if answer.is_cuda:
            host = torch.empty(1, pin_memory=True)
            answer = host.copy_(answer, non_blocking=True)
            event = torch.cuda.Event()
            event.record()
        self._answers.append((answer, event))
        if len(self._answers) <= LAG:
            return False
        answer, event = self._answers.popleft()
        if event is not None:
            event.synchronize()
        return bool(answer.item())

    @contextmanager
    def interruptible(self, *, after: bool = False) -> Iterator[None]:
        """Within this block a stop signal raises :class:`TrainingInterrupted` at once.

        For a validation, which may take longer than the time left between the signal and the end of the job.

        Args:
            after (bool): The training is complete and saved: only a signal within the block interrupts it, not an
                earlier one.
        """
        if self.received is not None:
            if not after:
                raise TrainingInterrupted
            self.received = None
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False


def report_stop() -> None:
    """Create the file that ``LEOKIT_STOP_FILE`` names, if it is set; call it once all ranks have stopped.

    The exit status alone does not tell a job script that the checkpoint is written: launchers end the other ranks of a
    crashed one with SIGTERM, which gives the same status.
    """
    if path := os.environ.get(STOP_FILE):
        Path(path).touch()


def ignore_signals(worker_id: int) -> None:
    """Make a data-loading worker ignore stop signals, except from its parent; a ``worker_init_fn``.

    Schedulers signal the workers too, whose batches are needed until the training has stopped; a data loader that
    shuts down sends SIGTERM to its workers. A signal handler does not learn who sent the signal, so the signals are
    blocked and a thread waits for them.
    """
    if hasattr(signal, 'sigwaitinfo'):  # macOS has none; there the workers keep torch's handlers
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        threading.Thread(target=_exit_with_parent, args=(os.getppid(),), daemon=True).start()


def _exit_with_parent(parent: int) -> None:
    while True:
        received = signal.sigwaitinfo(STOP_SIGNALS)
        if received.si_pid == parent:
            os._exit(0)
